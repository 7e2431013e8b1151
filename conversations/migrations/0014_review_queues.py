from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q

# An interrupted migration can leave an index behind, valid or not. The next attempt begins anew.
DROP = "DROP INDEX CONCURRENTLY IF EXISTS {}"
# One of a hundred replies, by the random end of the id. `staff.review.queues` has the same condition.
SAMPLE = """CREATE INDEX CONCURRENTLY message_sample ON message (id)
    WHERE deleted_at IS NULL AND role = 'assistant'
    AND mod(256 * get_byte(uuid_send(id), 14) + get_byte(uuid_send(id), 15), 100) = 0"""


class Migration(migrations.Migration):
    """The indexes of the queues of staff: failed replies, dislikes, and a sample of all replies."""

    atomic = False  # an index is created concurrently outside a transaction

    dependencies = [("conversations", "0013_erasure_receipt")]

    operations = [
        migrations.RunSQL(DROP.format("message_failed"), migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name="message",
            index=models.Index(
                fields=["id"], condition=Q(deleted_at__isnull=True) & Q(status="failed"), name="message_failed"
            ),
        ),
        migrations.RunSQL(DROP.format("reaction_dislikes"), migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name="reaction",
            index=models.Index(
                fields=["id"], condition=Q(type__in=("thumbs_down", "dislike", "👎")), name="reaction_dislikes"
            ),
        ),
        migrations.RunSQL(DROP.format("message_sample"), migrations.RunSQL.noop),
        migrations.RunSQL(SAMPLE, DROP.format("message_sample")),
    ]
