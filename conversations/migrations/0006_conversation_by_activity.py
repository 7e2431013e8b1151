from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import F, Q

DROP_OLD = "DROP INDEX CONCURRENTLY IF EXISTS conversation_sidebar"
# An interrupted migration can leave the new index behind, valid or not. The next attempt begins anew.
DROP_NEW = "DROP INDEX CONCURRENTLY IF EXISTS conversation_by_activity"


class Migration(migrations.Migration):
    """The index of the sidebar also holds `archived_at`, so that a count of listed conversations reads no rows."""

    atomic = False  # an index is created concurrently outside a transaction

    dependencies = [("conversations", "0005_conversation_number")]

    operations = [
        migrations.RunSQL(DROP_NEW, migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name="conversation",
            index=models.Index(
                "user",
                F("active_at").desc(),
                F("id").desc(),
                include=["archived_at"],
                condition=Q(deleted_at__isnull=True),
                name="conversation_by_activity",
            ),
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.RemoveIndex(model_name="conversation", name="conversation_sidebar")],
            database_operations=[migrations.RunSQL(DROP_OLD, migrations.RunSQL.noop)],
        ),
    ]
