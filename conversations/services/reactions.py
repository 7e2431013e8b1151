"""Reactions of a user to the messages of their own conversations."""

import uuid

from django.db import transaction
from django.utils.translation import gettext

from accounts.models import User
from chatstore.errors import Conflict, NotFound
from conversations.core.locks import lock_message
from conversations.models import Reaction

LIMIT = 50  # of one message: a page of messages contains all of them


@transaction.atomic
def react(*, user: User, message_id: uuid.UUID, type: str) -> tuple[Reaction, bool]:
    """Store a reaction unless it is stored already. Return it, and whether it is new.

    Raises NotFound if the user has no such live message, Conflict above LIMIT. Locks the conversation.
    """
    lock_message(user=user, message_id=message_id)
    reaction, is_new = Reaction.objects.get_or_create(message_id=message_id, user=user, type=type)
    if is_new and Reaction.objects.filter(message_id=message_id).count() > LIMIT:
        message = gettext("A message can have at most {count} reactions.")
        raise Conflict(message.format(count=LIMIT), code="too_many_reactions")
    return reaction, is_new


@transaction.atomic
def unreact(*, user: User, message_id: uuid.UUID, type: str) -> None:
    """Delete a reaction.

    Raises NotFound if the user has no such live message, or if it has no such reaction. Locks the conversation.
    """
    lock_message(user=user, message_id=message_id)
    if not Reaction.objects.filter(message_id=message_id, user=user, type=type).delete()[0]:
        raise NotFound("reaction")
