import uuid

from django.db import transaction

from accounts.models import User
from chatstore.errors import NotFound
from conversations.core.locks import lock_message
from conversations.models import Reaction


@transaction.atomic
def react(*, user: User, message_id: uuid.UUID, type: str) -> tuple[Reaction, bool]:
    """The reaction, and whether it is new: the same one twice is one."""
    lock_message(user=user, message_id=message_id)
    return Reaction.objects.get_or_create(message_id=message_id, user=user, type=type)


@transaction.atomic
def unreact(*, user: User, message_id: uuid.UUID, type: str) -> None:
    lock_message(user=user, message_id=message_id)
    if not Reaction.objects.filter(message_id=message_id, user=user, type=type).delete()[0]:
        raise NotFound("reaction")
