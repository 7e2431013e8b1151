from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

# An interrupted migration can leave the index behind, valid or not. The next attempt begins anew.
DROP = "DROP INDEX CONCURRENTLY IF EXISTS message_siblings"


class Migration(migrations.Migration):
    """The index of the messages with the same parent, in their order. It replaces one without their order."""

    atomic = False  # an index is created concurrently outside a transaction

    dependencies = [("conversations", "0016_share")]

    operations = [
        migrations.RunSQL(DROP, migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name="message",
            index=models.Index(fields=["conversation", "parent_seq", "seq"], name="message_siblings"),
        ),
        RemoveIndexConcurrently(model_name="message", name="message_children"),
    ]
