from django.db import migrations


class Migration(migrations.Migration):
    """The ids of conversations that contract C creates are numbers."""

    dependencies = [("conversations", "0004_plain_words")]

    operations = [
        migrations.RunSQL("CREATE SEQUENCE conversation_number", "DROP SEQUENCE conversation_number"),
    ]
