"""The audit: what staff read, searched for and changed. `audit/events.py` writes it."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy

from chatstore.ids import new_id
from conversations.models import Conversation


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
    REASON = "reason", gettext_lazy("gave a reason")
    REFUSED = "refused", gettext_lazy("was refused")


REASONS = models.Q(action=Action.REASON.value)


class AuditEvent(models.Model):
    """Something that a member of staff did, or was not allowed to do.

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


class StaffRead(models.Model):
    """How far staff have read a conversation. `unread.py` writes it.

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
