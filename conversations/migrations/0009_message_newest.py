from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import F

# An interrupted migration can leave the index behind, valid or not. The next attempt begins anew.
DROP = "DROP INDEX CONCURRENTLY IF EXISTS message_newest"


class Migration(migrations.Migration):
    """The index of the newest messages of all users."""

    atomic = False  # an index is created concurrently outside a transaction

    dependencies = [("conversations", "0008_daily_usage")]

    operations = [
        migrations.RunSQL(DROP, migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name="message",
            index=models.Index(F("created_at").desc(), F("id").desc(), name="message_newest"),
        ),
    ]
