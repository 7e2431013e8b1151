from django.db import migrations, models


class Migration(migrations.Migration):
    """The options of a conversation's replies. The default is a constant, so PostgreSQL rewrites no row."""

    dependencies = [("conversations", "0006_conversation_by_activity")]

    operations = [
        migrations.AddField(
            model_name="conversation",
            name="model_options",
            field=models.JSONField(blank=True, default=dict, help_text="Options of its replies, such as temperature."),
        ),
    ]
