"""The order of locks, everywhere: the user's advisory lock → idempotency row → conversations by id → messages.
Never the user's row. Other orders dead-locked when tried."""

import uuid

from django.db import connection

from accounts.models import User
from chatstore.errors import NotFound
from conversations.models import Conversation, Message


def lock_user(user: User) -> None:
    """Until the transaction ends; for writes of everything that a user has."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"chatstore user {user.pk}"])


def lock_conversation(*, user: User, conversation_id: uuid.UUID) -> Conversation:
    """The caller's live conversation, locked; its `now` is the time to write."""
    conversation = Conversation.objects.lock_one(user, conversation_id)
    if conversation is None:
        raise NotFound("conversation")
    return conversation


def lock_message(*, user: User, message_id: uuid.UUID, trashed: bool = False) -> tuple[Conversation, Message]:
    """The caller's message and its conversation, which is locked first: the message is read again under the lock."""
    owned = Message.objects.owned_by(user).filter(id=message_id)
    messages = owned.trashed() if trashed else owned.live()
    conversation_id = messages.values_list("conversation_id", flat=True).first()
    if conversation_id is None:
        raise NotFound("message")
    conversation = lock_conversation(user=user, conversation_id=conversation_id)
    message = messages.first()
    if message is None:
        raise NotFound("message")
    return conversation, message
