"""Foreign keys of two columns, which Django cannot declare. They ensure that a message has the owner of its
conversation, and that its parent is in the same conversation."""

from django.db import migrations

OWNER = """ALTER TABLE message ADD CONSTRAINT message_owner
    FOREIGN KEY (conversation_id, user_id) REFERENCES conversation (id, user_id)"""
PARENT = """ALTER TABLE message ADD CONSTRAINT message_parent
    FOREIGN KEY (conversation_id, parent_seq) REFERENCES message (conversation_id, seq)"""


class Migration(migrations.Migration):
    dependencies = [("conversations", "0001_initial")]

    operations = [
        migrations.RunSQL(OWNER, "ALTER TABLE message DROP CONSTRAINT message_owner"),
        migrations.RunSQL(PARENT, "ALTER TABLE message DROP CONSTRAINT message_parent"),
    ]
