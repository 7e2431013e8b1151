"""Replies under way, their events, and the processes that generate them.

docs/replies.md describes the states and the guarantees. The rows are short-lived: housekeeping deletes a reply and its
events some time after its end. The text of an ended reply is in its message.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q

from chatstore.ids import new_id
from conversations.models import Message


class State(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    INCOMPLETE = "incomplete"  # it ended early, with text: the provider or generator ended, or a limit was reached
    FAILED = "failed"  # it ended early, without text
    STOPPED = "stopped"  # a user stopped it


UNDER_WAY = Q(state__in=[State.QUEUED, State.RUNNING])


class Worker(models.Model):
    """A process that generates replies. It updates `seen_at` every few seconds. If it does not, another process closes
    its replies."""

    id = models.UUIDField(primary_key=True, default=new_id)
    seen_at = models.DateTimeField()

    class Meta:
        db_table = "reply_worker"

    def __str__(self) -> str:
        return str(self.id)


class Reply(models.Model):
    """The answer of a model to one question, from the request until its end.

    Its id is the id of the assistant message that it fills. Two kinds of replies fill no message: titles, and those to
    the histories of contract A, whose client saves the answer itself. Their messages for the model are in `request`.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    # Migration 0001 creates the foreign keys to the message and the user with ON DELETE CASCADE: `conversations` purges
    # messages and users, and cannot import this app.
    message = models.OneToOneField(Message, models.DO_NOTHING, null=True, db_constraint=False, related_name="reply")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    worker = models.UUIDField(null=True, help_text="The process that generates the reply.")
    attempts = models.SmallIntegerField(default=0, help_text="How often a process has begun the reply.")
    stop_asked = models.BooleanField(default=False)
    request = models.JSONField(help_text="The model, its options, and the id of the question or the messages.")
    tokens = models.IntegerField(default=0, help_text="Prompt and completion tokens, for the limit of a day.")
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "reply"
        indexes = [
            # What to generate next, the oldest first.
            models.Index(fields=["created_at"], condition=Q(state="queued"), name="reply_queued"),
            # The replies of a process that has ended.
            models.Index(fields=["worker"], condition=Q(state="running"), name="reply_running"),
            # The limits of a user: replies under way, tokens of a day.
            models.Index(fields=["user", "created_at"], name="reply_user"),
            # Housekeeping.
            models.Index(fields=["ended_at"], condition=Q(ended_at__isnull=False), name="reply_ended"),
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.id}"


class Event(models.Model):
    """An event of a reply, as its readers get it. The numbers of a reply's events begin at 1 and have no gaps."""

    pk = models.CompositePrimaryKey("reply_id", "n")
    reply = models.ForeignKey(Reply, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="events")
    n = models.IntegerField()
    event = models.CharField(max_length=16)
    data = models.TextField(help_text="JSON")

    class Meta:
        db_table = "reply_event"

    def __str__(self) -> str:
        return f"{self.event} {self.n}"
