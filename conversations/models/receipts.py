"""Receipts of erasures."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy

from chatstore.ids import new_id


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
