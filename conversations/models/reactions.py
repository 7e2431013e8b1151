"""Reactions to messages."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from chatstore.ids import new_id

from .messages import Message

# The types of reactions that say that an answer is bad. Migration 0008 counts them.
DISLIKES = ("thumbs_down", "dislike", "\N{THUMBS DOWN SIGN}")


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
