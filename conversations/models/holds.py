"""Legal holds."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy

from chatstore.ids import new_id

from .conversations import Conversation


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
