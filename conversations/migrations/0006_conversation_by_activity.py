from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    """The index of the sidebar also holds `archived_at`, so that a count of listed conversations reads no rows."""

    atomic = False  # an index is created concurrently outside a transaction

    dependencies = [("conversations", "0005_conversation_number")]

    operations = [
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
        RemoveIndexConcurrently(model_name="conversation", name="conversation_sidebar"),
    ]
