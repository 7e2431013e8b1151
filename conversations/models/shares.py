"""Shares, and the copies of messages in them."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from chatstore.ids import new_id
from conversations.querysets import ShareQuerySet

from .conversations import Conversation
from .messages import Message


def _deleted_with(model: type[models.Model] | str, **options: object) -> models.ForeignKey:
    """Return a foreign key whose constraint a migration creates, because Django cannot declare ON DELETE."""
    return models.ForeignKey(model, models.DO_NOTHING, db_constraint=False, db_index=False, **options)  # type: ignore[arg-type]


class Share(models.Model):
    """A copy of messages of a conversation, which everyone can read who has its token.

    The messages are in SharedMessage. Nothing that happens in the conversation later is added to them. The database
    deletes a share with its conversation (migration 0016), and ensures that both have the same owner.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    conversation = _deleted_with(Conversation, related_name="shares")
    user = _deleted_with(settings.AUTH_USER_MODEL, related_name="shares")
    # Stored readable, because the owner's list shows the link again.
    token = models.CharField(max_length=64)
    title = models.CharField(max_length=500, help_text="The title of the conversation when it was shared.")
    message_count = models.IntegerField(help_text="The number of messages when the conversation was shared.")
    sign_in_required = models.BooleanField(default=False)
    expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    objects = ShareQuerySet.as_manager()

    class Meta:
        db_table = "share"
        default_permissions = ()
        # The look-up of a reader. `unique=True` would create a second index, for LIKE.
        constraints = [models.UniqueConstraint(fields=["token"], name="share_token")]
        indexes = [
            # The lists of the owner, newest first. The second one also serves the foreign key.
            models.Index(fields=["user", "id"], name="share_user"),
            models.Index(fields=["conversation", "id"], name="share_conversation"),
            # Housekeeping.
            models.Index(fields=["expires_at"], condition=Q(expires_at__isnull=False), name="share_expires"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class SharedMessage(models.Model):
    """The copy of a message in a share. The database deletes it with its share or its message (migration 0016).

    The columns from `role` on are those of Message that `columns.MESSAGE` marks with SHARE. Only SQL writes them.
    """

    pk = models.CompositePrimaryKey("share_id", "seq")
    share = _deleted_with(Share, related_name="messages")
    seq = models.IntegerField(help_text="The seq of the message.")
    message = _deleted_with(Message, related_name="+")
    role = models.CharField(max_length=16)
    content = models.TextField(null=True)
    parts = models.JSONField(null=True)
    name = models.CharField(max_length=255)
    model = models.CharField(max_length=255)
    tool_calls = models.JSONField(null=True)
    tool_call_id = models.CharField(max_length=255)
    status = models.CharField(max_length=16)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "shared_message"
        default_permissions = ()
        # The deletion of a message.
        indexes = [models.Index(fields=["message"], name="shared_message_message")]

    def __str__(self) -> str:
        return f"{self.role} {self.seq}"
