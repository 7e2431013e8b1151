"""Locks. All code takes them in this order, because other orders caused deadlocks in tests:

the user's advisory lock → the row of the idempotency key → conversations, in the order of their ids → messages → the
list of the user's shares. Only the erasure and changes of the account lock the user's row, in transactions that lock no
conversation.
"""

import uuid

from django.db import connection

from accounts.models import User
from chatstore.errors import NotFound
from conversations.models import Conversation, Message


def lock_user(user: User) -> None:
    """Take the user's advisory lock until the transaction ends.

    A caller that writes all conversations of a user takes this lock first.
    """
    _lock(f"chatstore user {user.pk}")


def lock_shares(user: User) -> None:
    """Lock the list of the user's shares until the transaction ends. A caller that counts the shares needs this."""
    _lock(f"chatstore shares {user.pk}")


def _lock(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


def lock_conversation(*, user: User, conversation_id: uuid.UUID) -> Conversation:
    """Lock the user's live conversation until the transaction ends, and return it. Raises NotFound.

    The returned conversation has an attribute `now`, the time for everything that this transaction writes.
    """
    conversation = Conversation.objects.lock_one(user, conversation_id)
    if conversation is None:
        raise NotFound("conversation")
    return conversation


def lock_message(*, user: User, message_id: uuid.UUID, trashed: bool = False) -> tuple[Conversation, Message]:
    """Lock the conversation of the user's message, then read the message. Return both. Raises NotFound.

    The message must be live; if `trashed` is true, it must be in the trash.
    """
    owned = Message.objects.owned_by(user).filter(id=message_id)
    messages = owned.trashed() if trashed else owned.live()
    conversation_id = messages.values_list("conversation_id", flat=True).first()
    if conversation_id is None:
        raise NotFound("message")
    conversation = lock_conversation(user=user, conversation_id=conversation_id)
    message = messages.first()  # read again: it may have changed before the lock
    if message is None:
        raise NotFound("message")
    return conversation, message
