from django.db import migrations


class Migration(migrations.Migration):
    """Add the permission to export the conversations of other users."""

    dependencies = [("conversations", "0014_review_queues")]

    operations = [
        migrations.AlterModelOptions(
            "conversation", options={"permissions": [("export_conversation", "Can export conversations")]}
        )
    ]
