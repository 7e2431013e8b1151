"""Conversations, their messages and reactions.

docs/architecture.md has a diagram. Migrations 0002 and 0003 add in SQL what Django's models cannot express: composite
foreign keys and the search column."""

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now, Upper
from django.utils.translation import gettext_lazy

from chatstore.ids import new_id

from .querysets import ConversationQuerySet, MessageQuerySet, ShareQuerySet

LIVE = Q(deleted_at__isnull=True)
# The types of reactions that say that an answer is bad. Migration 0008 counts them.
DISLIKES = ("thumbs_down", "dislike", "\N{THUMBS DOWN SIGN}")


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


class Reaction(models.Model):
    """A reaction of a user to a message, such as `thumbs_up`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    message = models.ForeignKey(Message, models.PROTECT, db_index=False, related_name="reactions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    type = models.CharField(max_length=32)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "reaction"
        constraints = [models.UniqueConstraint(fields=["message", "user", "type"], name="reaction_once")]
        # The queue of dislikes.
        indexes = [models.Index(fields=["id"], condition=Q(type__in=DISLIKES), name="reaction_dislikes")]

    def __str__(self) -> str:
        return self.type


class UsageCounts(models.Model):
    """Counts of rows that exist, by the day (in UTC) on which each was created, its user and its model.

    Triggers on `conversation`, `message` and `reaction` write them (migration 0008). `daily_usage` reads them.
    """

    day = models.DateField()
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, db_index=False, db_constraint=False, related_name="+"
    )
    model = models.CharField(max_length=255, help_text="Empty for conversations, and for messages without a model.")
    conversations = models.BigIntegerField()
    messages = models.BigIntegerField()
    prompt_tokens = models.BigIntegerField()
    completion_tokens = models.BigIntegerField()
    failed = models.BigIntegerField(help_text="Messages whose status is `failed`.")
    dislikes = models.BigIntegerField(help_text="Reactions that say that an answer is bad.")

    class Meta:
        abstract = True


class DailyUsage(UsageCounts):
    """The counts of a day, without the changes that wait in DailyUsageChange."""

    pk = models.CompositePrimaryKey("day", "user_id", "model")

    class Meta:
        db_table = "daily_usage"
        default_permissions = ("view",)  # who may see the usage of all users
        indexes = [models.Index(fields=["user", "day"], name="daily_usage_user")]

    def __str__(self) -> str:
        return f"{self.day} {self.user_id} {self.model}"


class DailyUsageChange(UsageCounts):
    """A change of the counts, which `daily_usage.add_changes` adds to DailyUsage.

    Each write inserts rows here, because writers that update one row of counts would wait for each other.
    """

    id = models.BigAutoField(primary_key=True)

    class Meta:
        db_table = "daily_usage_change"
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.id)


class Hold(models.Model):
    """A legal hold on a conversation, or on a user and all conversations of this user.

    While it is in force, the database refuses to delete what it covers (migration 0012, docs/decisions/0030). `user` is
    the user on hold, or the owner of the conversation on hold. Several holds can cover the same object. A hold is
    deleted with its user or its conversation (migration 0012), which is only possible if no hold is in force.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.DO_NOTHING, db_index=False, db_constraint=False, related_name="holds"
    )
    conversation = models.ForeignKey(
        Conversation,
        models.DO_NOTHING,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
        related_name="holds",
    )
    reason = models.CharField(gettext_lazy("reason"), max_length=500)
    # Ids of accounts without foreign keys, because a hold stays if the account of the member of staff is deleted.
    placed_by = models.UUIDField()
    placed_at = models.DateTimeField(db_default=Now())
    released_by = models.UUIDField(null=True)
    released_at = models.DateTimeField(null=True)
    release_reason = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        db_table = "hold"
        verbose_name = gettext_lazy("legal hold")
        verbose_name_plural = gettext_lazy("legal holds")
        default_permissions = ("view",)
        permissions = [("place_hold", "Can place and release legal holds")]
        indexes = [
            # The triggers and housekeeping read the holds in force.
            models.Index(fields=["user", "conversation"], condition=Q(released_at__isnull=True), name="hold_in_force"),
            # The foreign keys, and the holds of a page.
            models.Index(fields=["user", "placed_at"], name="hold_user"),
            models.Index(fields=["conversation"], condition=Q(conversation__isnull=False), name="hold_conversation"),
        ]

    def __str__(self) -> str:
        return str(self.conversation_id or self.user_id)


class ErasureReceipt(models.Model):
    """The record of an erasure of a user, or of the deletion of one conversation for good by staff.

    It has ids without foreign keys, and no content, name or address, so it stays when the data is deleted. The database
    refuses to delete it, and to change it after its end (migration 0013). Each user whom an erased user managed has a
    receipt, too.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user_id = models.UUIDField(gettext_lazy("user"))
    conversation_id = models.UUIDField(
        gettext_lazy("conversation"),
        null=True,
        help_text=gettext_lazy("The deleted conversation. Empty for the erasure of a user."),
    )
    asked_by = models.UUIDField(
        gettext_lazy("asked by"),
        null=True,
        help_text=gettext_lazy("The user or a member of staff. Empty if it is not known."),
    )
    manager_id = models.UUIDField(
        gettext_lazy("managed by"), null=True, help_text=gettext_lazy("The erased user who managed this one.")
    )
    begun_at = models.DateTimeField(gettext_lazy("begun"), db_default=Now())
    ended_at = models.DateTimeField(gettext_lazy("ended"), null=True)
    # The counts are written by the transactions that delete the rows, so they are exact after an interruption, too.
    conversations = models.IntegerField(gettext_lazy("conversations"), default=0)
    messages = models.BigIntegerField(gettext_lazy("messages"), default=0)
    tokens = models.IntegerField(gettext_lazy("API tokens"), default=0)
    sessions = models.IntegerField(gettext_lazy("sessions"), default=0)
    managed_users = models.IntegerField(gettext_lazy("managed users"), default=0)

    class Meta:
        db_table = "erasure_receipt"
        verbose_name = gettext_lazy("receipt of an erasure")
        verbose_name_plural = gettext_lazy("receipts of erasures")
        default_permissions = ("view",)
        constraints = [
            # An erasure that is asked for again, or resumed, continues its receipt.
            models.UniqueConstraint(
                fields=["user_id", "conversation_id"],
                condition=Q(ended_at__isnull=True),
                nulls_distinct=False,
                name="erasure_receipt_open",
            )
        ]

    def __str__(self) -> str:
        return str(self.conversation_id or self.user_id)


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
