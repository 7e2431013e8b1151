"""Messages: their roles, their status and their rows."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from chatstore.ids import new_id
from conversations.querysets import MessageQuerySet

from .conversations import LIVE, Conversation


class Role(models.TextChoices):
    """The author of a message."""

    SYSTEM = "system"
    DEVELOPER = "developer"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"
    CRITIC = "critic"
    DISCRIMINATOR = "discriminator"
    UNKNOWN = "unknown"


class Status(models.TextChoices):
    """The progress of a message that is being written. Clients set it."""

    COMPLETED = "completed"
    IN_PROGRESS = "in_progress"
    INCOMPLETE = "incomplete"
    FAILED = "failed"


PROBLEMS = (Status.INCOMPLETE.value, Status.FAILED.value)


class Message(models.Model):
    """A node in the tree of a conversation. Its parent is the message directly before it in its branch."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # The database has one foreign key for both columns: in migration 0002, (conversation, user) references the columns
    # (id, user) of `conversation`. So a message always has the owner of its conversation.
    conversation = models.ForeignKey(
        Conversation, models.PROTECT, db_index=False, db_constraint=False, related_name="messages"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, db_index=False, db_constraint=False, related_name="messages"
    )
    external_id = models.CharField(max_length=255, null=True, blank=True)
    seq = models.IntegerField()
    parent_seq = models.IntegerField(null=True, help_text="The seq of the message that this one answers.")
    is_active = models.BooleanField(
        "shown", default=True, help_text="On the active path, the branch that is displayed."
    )
    role = models.CharField(max_length=16, choices=Role.choices)
    item_type = models.CharField(max_length=64, default="message")
    content = models.TextField(null=True, blank=True)
    parts = models.JSONField(null=True, blank=True, help_text="Structured content.")
    reasoning = models.TextField(blank=True, default="")
    name = models.CharField(max_length=255, blank=True, default="")
    model = models.CharField(max_length=255, blank=True, default="")
    tool_calls = models.JSONField(null=True, blank=True)
    tool_call_id = models.CharField(max_length=255, blank=True, default="")
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.COMPLETED)
    finish_reason = models.CharField(max_length=64, blank=True, default="")
    error = models.TextField(blank=True, default="")
    prompt_tokens = models.IntegerField(null=True, blank=True)
    completion_tokens = models.IntegerField(null=True, blank=True)
    usage = models.JSONField(null=True, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    link_digest = models.BinaryField(max_length=16, null=True)
    fingerprint = models.BinaryField(max_length=16, null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        db_table = "message"
        constraints = [
            models.UniqueConstraint(fields=["conversation", "seq"], name="message_seq"),
            models.UniqueConstraint(
                fields=["conversation", "external_id"],
                condition=LIVE & Q(external_id__isnull=False),
                name="message_external_id",
            ),
            # `seq` increases along every path, so the tree has no cycle.
            models.CheckConstraint(condition=Q(seq__gt=0), name="message_seq_positive"),
            models.CheckConstraint(condition=Q(parent_seq__lt=F("seq")), name="message_parent_before"),
            models.CheckConstraint(
                condition=Q(content__isnull=False) | Q(parts__isnull=False) | Q(tool_calls__isnull=False),
                name="message_says_something",
            ),
        ]
        indexes = [
            # A page of a transcript.
            models.Index(fields=["conversation", "seq"], condition=LIVE & Q(is_active=True), name="message_transcript"),
            # The children of a message. Without this index, deleting one message takes 0.39 s.
            models.Index(fields=["conversation", "parent_seq", "seq"], name="message_siblings"),
            # Statistics, and the first stage of search.
            models.Index("user", F("created_at").desc(), F("id").desc(), name="message_recent"),
            # The newest messages of all users: the searches of staff.
            models.Index(F("created_at").desc(), F("id").desc(), name="message_newest"),
            # The search operator `has:tool_calls`.
            models.Index(
                fields=["user", "created_at"], condition=Q(tool_calls__isnull=False), name="message_tool_calls"
            ),
            # The list of staff, filtered by conversations with failed or incomplete messages.
            models.Index(fields=["conversation"], condition=LIVE & Q(status__in=PROBLEMS), name="message_problems"),
            # For stored completions, a feature that is not built yet.
            models.Index(fields=["user", "link_digest"], condition=Q(link_digest__isnull=False), name="message_link"),
            # The queue of failed replies, and the filter of failed replies. Migration 0014 also creates the index
            # `message_sample`, whose condition Django cannot express.
            models.Index(fields=["id"], condition=LIVE & Q(status="failed"), name="message_failed"),
            # Housekeeping, which forgets trashed messages.
            models.Index(fields=["deleted_at"], condition=~LIVE, name="message_deleted"),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.seq}"
