"""Places and releases legal holds. docs/decisions/0030 describes what a hold covers."""

import uuid

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from accounts.models import User
from chatstore.errors import NotFound
from conversations.models import Conversation, Hold


def place(*, user: User, conversation_id: uuid.UUID | None = None, reason: str, by: User) -> Hold:
    """Place a hold on a conversation of the user, or on the user and all conversations of the user.

    Waits until the deletions of this user's data that are under way have committed. No later one passes. Raises
    NotFound if the user or the conversation does not exist (any more)."""
    if conversation_id and not Conversation.objects.owned_by(user).filter(id=conversation_id).exists():
        raise NotFound("conversation")
    try:
        with transaction.atomic():
            return Hold.objects.create(user=user, conversation_id=conversation_id, reason=reason, placed_by=by.pk)
    except IntegrityError:  # deleted in the meantime
        raise NotFound("conversation" if conversation_id else "user") from None


def release(*, hold: Hold, reason: str, by: User) -> None:
    """Release a hold. Raises NotFound if it is not in force any more."""
    in_force = Hold.objects.filter(pk=hold.pk, released_at=None)
    if not in_force.update(released_at=Now(), released_by=by.pk, release_reason=reason):
        raise NotFound("hold in force")
