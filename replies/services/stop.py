"""Stops replies that are under way.

A reply that no process has begun is closed at once. The process that generates a reply closes it shortly afterwards and
keeps its text. Each reply is closed in a transaction of its own, which locks the conversation before the reply.
"""

import uuid

from django.db.models import QuerySet

from accounts.models import User
from chatstore.errors import NotFound
from conversations.models import Conversation
from replies.events import STOP, notify
from replies.models import UNDER_WAY, Reply

from . import finish


def stop(*, user: User, conversation_id: uuid.UUID, message_id: uuid.UUID | None = None) -> list[uuid.UUID]:
    """Stop the replies under way in a conversation, or the one that fills this message. Return their ids.

    Raises NotFound if the user has no such live conversation, or if it has no such live message. Locks the
    conversation.
    """
    conversation = Conversation.objects.owned_by(user).live().filter(id=conversation_id).first()
    if conversation is None:
        raise NotFound("conversation")
    messages = conversation.messages.live()
    if message_id:
        messages = messages.filter(id=message_id)
        if not messages.exists():
            raise NotFound("message")
    return _stop(Reply.objects.filter(UNDER_WAY, message__in=messages))


def stop_unstored(*, reply_id: uuid.UUID) -> None:
    """Stop a reply that fills no message, because its only reader has gone."""
    _stop(Reply.objects.filter(UNDER_WAY, id=reply_id, message=None))


def _stop(replies: QuerySet[Reply]) -> list[uuid.UUID]:
    found = list(replies.select_related("user"))
    for reply in found:
        if not finish.close_queued(reply):
            Reply.objects.filter(id=reply.id).update(stop_asked=True)
            notify(STOP, str(reply.id))
    return [reply.id for reply in found]
