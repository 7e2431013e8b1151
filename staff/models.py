"""The tables of staff: the audit (`audit/`), what staff think of conversations (`review/`), large actions (`jobs/`)."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext, gettext_lazy

from chatstore.ids import new_id
from conversations.models import Conversation, Message


class Action(models.TextChoices):
    READ_TRANSCRIPT = "read_transcript", gettext_lazy("read a transcript")
    READ_MESSAGE = "read_message", gettext_lazy("read a message")
    SEARCH = "search", gettext_lazy("searched")
    EXPORT = "export", gettext_lazy("exported")
    ADD = "add", gettext_lazy("added")
    CHANGE = "change", gettext_lazy("changed")
    TRASH = "trash", gettext_lazy("moved to the trash")
    RESTORE = "restore", gettext_lazy("restored")
    DELETE = "delete", gettext_lazy("deleted for good")
    ERASE = "erase", gettext_lazy("erased")
    PLACE_HOLD = "place_hold", gettext_lazy("placed a hold")
    RELEASE_HOLD = "release_hold", gettext_lazy("released a hold")
    VERDICT = "verdict", gettext_lazy("judged")
    NOTE = "note", gettext_lazy("noted")
    ASSIGN = "assign", gettext_lazy("assigned")
    SUSPEND = "suspend", gettext_lazy("suspended")
    UNSUSPEND = "unsuspend", gettext_lazy("unsuspended")
    SIGN_OUT = "sign_out", gettext_lazy("signed out everywhere")
    END_SHARES = "end_shares", gettext_lazy("ended the shares")
    SHARE = "share", gettext_lazy("shared")  # the owner, not staff; as the next one
    END_SHARE = "end_share", gettext_lazy("ended a share")
    REASON = "reason", gettext_lazy("gave a reason")
    REFUSED = "refused", gettext_lazy("was refused")
    START_JOB = "start_job", gettext_lazy("started a job")
    CANCEL_JOB = "cancel_job", gettext_lazy("cancelled a job")


REASONS = models.Q(action=Action.REASON.value)


class AuditEvent(models.Model):
    """Something that a member of staff did, or was not allowed to do. Or a share that a user created or ended.

    The database refuses to change events, and to delete events that housekeeping may not delete (migration 0002). So
    the columns contain ids and no foreign keys: the events stay when the rows that they name are deleted. They do not
    copy the name or the e-mail address of an account, because an erasure could not remove it. Only `reason` and the
    words of a search can contain one, if a member of staff typed it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField(gettext_lazy("time"), db_default=Now())
    actor = models.UUIDField(gettext_lazy("staff member"))
    action = models.CharField(gettext_lazy("action"), max_length=16, choices=Action.choices)
    object_type = models.CharField(max_length=100, blank=True)  # such as "conversations.conversation"
    object_id = models.CharField(gettext_lazy("object"), max_length=255, blank=True)
    owner = models.UUIDField(gettext_lazy("owner of the data"), null=True)
    details = models.JSONField(gettext_lazy("details"), default=dict, encoder=DjangoJSONEncoder)
    reason = models.CharField(gettext_lazy("reason"), max_length=500, blank=True)
    address = models.GenericIPAddressField(gettext_lazy("IP address"), null=True)

    # Only `audit.attach_names` sets these.
    actor_name: str
    owner_name: str

    class Meta:
        db_table = "audit_event"
        verbose_name = gettext_lazy("audit event")
        verbose_name_plural = gettext_lazy("audit events")
        default_permissions = ("view",)
        indexes = [
            # Each serves one filter of the list, newest first. The last one also finds the reason that is in force.
            models.Index(fields=["actor", "id"], name="audit_event_actor"),
            models.Index(fields=["action", "id"], name="audit_event_action"),
            models.Index(fields=["object_id", "id"], name="audit_event_object"),
            models.Index(fields=["owner", "id"], name="audit_event_owner"),
            models.Index(fields=["actor", "owner", "id"], condition=REASONS, name="audit_event_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.get_action_display()}"


class Tone(models.TextChoices):
    """The color of a label. The values are the kinds of `staff.fields.badge`."""

    OK = "ok", gettext_lazy("good (green)")
    INFO = "info", gettext_lazy("neutral (blue)")
    WARNING = "warning", gettext_lazy("doubtful (yellow)")
    DANGER = "danger", gettext_lazy("bad (red)")


class Label(models.Model):
    """A verdict that staff can choose. The names of the labels of the first start are translated."""

    name = models.CharField(gettext_lazy("name"), max_length=40, unique=True)
    tone = models.CharField(gettext_lazy("color"), max_length=8, choices=Tone.choices, default=Tone.INFO)
    position = models.PositiveSmallIntegerField(gettext_lazy("position"), default=100)
    is_active = models.BooleanField(
        gettext_lazy("can be chosen"), default=True, help_text=gettext_lazy("Verdicts that exist stay.")
    )

    class Meta:
        db_table = "review_label"
        verbose_name = gettext_lazy("label")
        verbose_name_plural = gettext_lazy("labels")
        ordering = ("position", "pk")

    def __str__(self) -> str:
        return gettext(self.name)


def _deleted_with(model: type[models.Model] | str, **options: object) -> models.ForeignKey:
    """Return a foreign key whose constraint a migration creates, because Django cannot declare ON DELETE."""
    return models.ForeignKey(model, models.DO_NOTHING, db_constraint=False, **options)  # type: ignore[arg-type]


def _member_of_staff(**options: object) -> models.ForeignKey:
    """Return a foreign key to a member of staff. It is null after the account is deleted."""
    return _deleted_with(settings.AUTH_USER_MODEL, null=True, related_name="+", **options)


class Review(models.Model):
    """The review of one object: of a message, or of a whole conversation (`message` is null).

    It is done if it has a verdict, or if somebody marked the object as looked at."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    conversation = _deleted_with(Conversation, db_index=False, related_name="reviews")
    message = _deleted_with(Message, null=True, related_name="reviews")
    label = models.ForeignKey(Label, models.PROTECT, null=True, db_index=False, related_name="+")
    assignee = _member_of_staff()
    done_by = _member_of_staff()
    done_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "review"
        default_permissions = ("view", "change")
        constraints = [
            models.UniqueConstraint(fields=["conversation", "message"], nulls_distinct=False, name="review_once"),
            models.CheckConstraint(
                condition=models.Q(label=None) | models.Q(done_at__isnull=False), name="review_verdict_is_done"
            ),
        ]
        # The filter of the list of conversations by verdict.
        indexes = [models.Index(fields=["label", "conversation"], name="review_by_label")]

    def __str__(self) -> str:
        return str(self.label or "")


class Note(models.Model):
    """A short text of a member of staff about a message, or about a conversation (`message` is null)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    conversation = _deleted_with(Conversation, related_name="notes")
    message = _deleted_with(Message, null=True, related_name="notes")
    author = _member_of_staff()
    text = models.CharField(max_length=2_000)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "review_note"
        default_permissions = ()

    def __str__(self) -> str:
        return self.text[:80]


class SavedFilter(models.Model):
    """A queue of conversations: a name, and the query of the list of conversations. All staff share it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(gettext_lazy("name"), max_length=60, unique=True)
    query = models.CharField(max_length=1_000)

    class Meta:
        db_table = "review_filter"
        default_permissions = ()
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class JobState(models.TextChoices):
    WAITING = "waiting", gettext_lazy("waiting")
    RUNNING = "running", gettext_lazy("running")
    DONE = "done", gettext_lazy("done")
    FAILED = "failed", gettext_lazy("failed")
    CANCELLED = "cancelled", gettext_lazy("cancelled")


UNFINISHED = models.Q(state__in=[JobState.WAITING.value, JobState.RUNNING.value])


class Job(models.Model):
    """A large action of a member of staff. `jobs/runner.py` runs it in rounds, outside of the web requests.

    `due_at` is the time from which a runner may take the job. The runner that has the job moves this time into the
    future while it works. If it is killed, another runner takes the job after this time."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=gettext_lazy("staff member")
    )
    address = models.GenericIPAddressField(null=True)
    language = models.CharField(max_length=32)  # of the errors
    action = models.CharField(gettext_lazy("action"), max_length=32)
    tag = models.CharField(max_length=100, blank=True)  # only for the actions on tags
    query = models.TextField(blank=True)  # the filters and the search of the list, as in its URL
    users = ArrayField(models.UUIDField(), default=list, blank=True)  # only for an erasure: who is erased
    state = models.CharField(gettext_lazy("state"), max_length=16, choices=JobState, default=JobState.WAITING)
    created_at = models.DateTimeField(gettext_lazy("created"), db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(db_default=Now())
    runner = models.UUIDField(null=True)  # a new id for each round: only the latest round can store progress
    cursor = models.UUIDField(null=True)  # the last conversation that the job has finished
    begun = models.UUIDField(null=True)  # the conversation or user whose deletion has its event, but is not finished
    users_done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(null=True)  # conversations; null if there are more than a count reads
    done = models.PositiveIntegerField(default=0)  # conversations
    failed = models.PositiveIntegerField(default=0)  # conversations, or users of an erasure
    errors = models.JSONField(default=list)  # the first ones: pairs of an id and a sentence
    error = models.TextField(blank=True)  # why the whole job failed

    class Meta:
        db_table = "staff_job"
        verbose_name = gettext_lazy("job")
        verbose_name_plural = gettext_lazy("jobs")
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["actor", "id"], name="staff_job_actor"),
            models.Index(fields=["due_at"], condition=UNFINISHED, name="staff_job_due"),
            models.Index(fields=["finished_at"], name="staff_job_finished"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.created_at:%Y-%m-%d %H:%M}"

    @property
    def is_unfinished(self) -> bool:
        return self.state in (JobState.WAITING, JobState.RUNNING)


class StaffRead(models.Model):
    """The message up to which staff have read a conversation. `unread.py` writes it.

    The database deletes the row with the conversation (migration 0007)."""

    conversation = models.OneToOneField(
        Conversation, models.DO_NOTHING, primary_key=True, db_constraint=False, related_name="staff_read"
    )
    seq = models.IntegerField(help_text="The furthest message that a member of the staff has seen.")

    class Meta:
        db_table = "staff_read"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.conversation_id} {self.seq}"
