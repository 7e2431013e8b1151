from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import Upper

# An interrupted migration can leave the index behind, valid or not. The next attempt begins anew.
DROP = "DROP INDEX CONCURRENTLY IF EXISTS conversation_client_id"


class Migration(migrations.Migration):
    """The index of the ids of clients, for searches of staff."""

    atomic = False  # an index is created concurrently outside a transaction

    dependencies = [("conversations", "0009_message_newest")]

    operations = [
        migrations.RunSQL(DROP, migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name="conversation", index=models.Index(Upper("external_id"), name="conversation_client_id")
        ),
    ]
