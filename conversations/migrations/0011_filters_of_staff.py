from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q

LIVE = Q(deleted_at__isnull=True)
INDEXES = [
    ("conversation", GinIndex(fields=["tags"], condition=~Q(tags=[]), name="conversation_tags")),
    (
        "message",
        models.Index(
            fields=["conversation"], condition=LIVE & Q(status__in=("incomplete", "failed")), name="message_problems"
        ),
    ),
]
# An interrupted migration can leave an index behind, valid or not. The next attempt begins anew.
DROP = "DROP INDEX CONCURRENTLY IF EXISTS {}"


class Migration(migrations.Migration):
    """The partial indexes of the filters of staff. They contain only the rows that a filter finds."""

    atomic = False  # an index is created concurrently outside a transaction

    dependencies = [("conversations", "0010_conversation_client_id")]

    operations = [
        operation
        for model, index in INDEXES
        for operation in (
            migrations.RunSQL(DROP.format(index.name), migrations.RunSQL.noop),
            AddIndexConcurrently(model_name=model, index=index),
        )
    ]
