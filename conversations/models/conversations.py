"""Conversations."""

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper

from chatstore.ids import new_id
from conversations.querysets import ConversationQuerySet

LIVE = Q(deleted_at__isnull=True)


class Conversation(models.Model):
    """A conversation of one user, with derived numbers about its messages."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, db_index=False, related_name="conversations")
    external_id = models.CharField(max_length=255, null=True, blank=True, help_text="The client's own id.")
    source = models.CharField(max_length=32, default="native", help_text="The API that created the conversation.")
    end_user = models.CharField(max_length=255, blank=True, default="", help_text="OpenAI's `user` field.")
    title = models.CharField(max_length=500)
    title_is_auto = models.BooleanField(default=False)
    model = models.CharField(max_length=255, blank=True, default="")
    notebooks = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    tags = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    model_options = models.JSONField(default=dict, blank=True, help_text="Options of its replies, such as temperature.")
    is_pinned = models.BooleanField("pinned", default=False)
    archived_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    # The columns from `last_seq` to `completion_tokens` are derived from the messages. The transaction that writes a
    # message writes them, too. `reported_usage` is token usage that a client of the storage contract sent.
    last_seq = models.IntegerField(default=0)
    tip_seq = models.IntegerField(null=True)
    message_count = models.IntegerField(default=0)
    preview = models.CharField(max_length=200, blank=True, default="")
    prompt_tokens = models.BigIntegerField(default=0)
    completion_tokens = models.BigIntegerField(default=0)
    reported_usage = models.JSONField(null=True, blank=True)
    fingerprint = models.BinaryField(max_length=16, null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField(help_text="The time of the last change of any kind.")
    active_at = models.DateTimeField(help_text="The time of the last new message.")

    objects = ConversationQuerySet.as_manager()
    now: datetime  # the time for new values; set by `locked()`, `lock_one()` and `build_conversation()`

    class Meta:
        db_table = "conversation"
        permissions = [("export_conversation", "Can export conversations")]
        constraints = [
            # The foreign key (conversation, user) of messages needs this constraint (migration 0002).
            models.UniqueConstraint(fields=["id", "user"], name="conversation_owner"),
            models.UniqueConstraint(
                fields=["user", "external_id"],
                condition=LIVE & Q(external_id__isnull=False),
                name="conversation_external_id",
            ),
            models.CheckConstraint(
                condition=Q(message_count__gte=0, message_count__lte=F("last_seq")), name="conversation_message_count"
            ),
            models.CheckConstraint(condition=Q(tip_seq__lte=F("last_seq")), name="conversation_tip"),
        ]
        indexes = [
            # The sidebar. With `archived_at`, listed conversations are counted from the index alone (contract C):
            # for 100,000 of them that takes 5 ms instead of 24.
            models.Index(
                "user",
                F("active_at").desc(),
                F("id").desc(),
                include=["archived_at"],
                condition=LIVE,
                name="conversation_by_activity",
            ),
            # Lists in order of creation (the storage contract), and the erasure of a user.
            models.Index("user", F("created_at").desc(), F("id").desc(), name="conversation_created"),
            # The purge of the trash.
            models.Index("deleted_at", condition=~LIVE, name="conversation_deleted"),
            # A search of staff for the id of a client. PostgreSQL could choose an index of the column itself for the
            # requests of users, and would read the conversations of all users that have the same id.
            models.Index(Upper("external_id"), name="conversation_client_id"),
            # The list of staff, filtered by tag. A conversation without tags costs nothing.
            GinIndex(fields=["tags"], condition=~Q(tags=[]), name="conversation_tags"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_archived(self) -> bool:
        return self.archived_at is not None

    @property
    def is_linear(self) -> bool:
        """Whether all messages are shown: none is on a hidden branch or in the trash, so none has alternatives."""
        return self.message_count == self.last_seq
