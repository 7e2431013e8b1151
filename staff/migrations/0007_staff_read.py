import django.db.models.deletion
from django.db import migrations, models

# The deletion of a conversation, which runs as SQL, also deletes what staff have read of it.
CASCADE = """
ALTER TABLE staff_read ADD CONSTRAINT staff_read_conversation
    FOREIGN KEY (conversation_id) REFERENCES conversation (id) ON DELETE CASCADE"""


class Migration(migrations.Migration):
    """Create the table that says how far staff have read each conversation."""

    dependencies = [("staff", "0006_review_rights")]

    operations = [
        migrations.CreateModel(
            name="StaffRead",
            fields=[
                (
                    "conversation",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="staff_read",
                        serialize=False,
                        to="conversations.conversation",
                    ),
                ),
                ("seq", models.IntegerField(help_text="The furthest message that a member of the staff has seen.")),
            ],
            options={"db_table": "staff_read", "default_permissions": ()},
        ),
        migrations.RunSQL(CASCADE, "ALTER TABLE staff_read DROP CONSTRAINT staff_read_conversation"),
    ]
