import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import chatstore.ids

# Purges and erasures delete with SQL, so the database deletes shares and copies with their conversation and messages.
# The first key also ensures that a share has the owner of its conversation.
CASCADES = """
ALTER TABLE share ADD CONSTRAINT share_owner_fk
    FOREIGN KEY (conversation_id, user_id) REFERENCES conversation (id, user_id) ON DELETE CASCADE;
ALTER TABLE shared_message ADD CONSTRAINT shared_message_share_fk
    FOREIGN KEY (share_id) REFERENCES share (id) ON DELETE CASCADE;
ALTER TABLE shared_message ADD CONSTRAINT shared_message_message_fk
    FOREIGN KEY (message_id) REFERENCES message (id) ON DELETE CASCADE
"""


class Migration(migrations.Migration):
    """The tables of shares."""

    dependencies = [
        ("conversations", "0015_export_permission"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Share",
            fields=[
                (
                    "id",
                    models.UUIDField(default=chatstore.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("token", models.CharField(max_length=64)),
                (
                    "title",
                    models.CharField(help_text="The title of the conversation when it was shared.", max_length=500),
                ),
                (
                    "message_count",
                    models.IntegerField(help_text="The number of messages when the conversation was shared."),
                ),
                ("sign_in_required", models.BooleanField(default=False)),
                ("expires_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField()),
                (
                    "conversation",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="shares",
                        to="conversations.conversation",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="shares",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "share",
                "default_permissions": (),
                "constraints": [models.UniqueConstraint(fields=["token"], name="share_token")],
            },
        ),
        migrations.CreateModel(
            name="SharedMessage",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "share_id", "seq", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("seq", models.IntegerField(help_text="The seq of the message.")),
                ("role", models.CharField(max_length=16)),
                ("content", models.TextField(null=True)),
                ("parts", models.JSONField(null=True)),
                ("name", models.CharField(max_length=255)),
                ("model", models.CharField(max_length=255)),
                ("tool_calls", models.JSONField(null=True)),
                ("tool_call_id", models.CharField(max_length=255)),
                ("status", models.CharField(max_length=16)),
                ("created_at", models.DateTimeField()),
                (
                    "message",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="conversations.message",
                    ),
                ),
                (
                    "share",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="messages",
                        to="conversations.share",
                    ),
                ),
            ],
            options={
                "db_table": "shared_message",
                "default_permissions": (),
            },
        ),
        migrations.AddIndex(
            model_name="share",
            index=models.Index(fields=["user", "id"], name="share_user"),
        ),
        migrations.AddIndex(
            model_name="share",
            index=models.Index(fields=["conversation", "id"], name="share_conversation"),
        ),
        migrations.AddIndex(
            model_name="share",
            index=models.Index(
                condition=models.Q(("expires_at__isnull", False)), fields=["expires_at"], name="share_expires"
            ),
        ),
        migrations.AddIndex(
            model_name="sharedmessage",
            index=models.Index(fields=["message"], name="shared_message_message"),
        ),
        migrations.RunSQL(CASCADES, migrations.RunSQL.noop),
    ]
