"""Stops replies that are under way."""

import uuid

from django.db import connection, transaction

from accounts.models import User
from chatstore.errors import NotFound
from conversations.models import Conversation
from replies.models import UNDER_WAY, Reply, State

from . import finish


@transaction.atomic
def stop(*, user: User, conversation_id: uuid.UUID, message_id: uuid.UUID | None = None) -> list[uuid.UUID]:
    """Stop the replies under way in a conversation, or the one that fills this message. Return their ids.

    A reply that no process has begun is closed at once. The process that generates a reply closes it shortly afterwards
    and keeps its text. Raises NotFound if the user has no such live conversation or no such live message in it.
    """
    conversation = Conversation.objects.owned_by(user).live().filter(id=conversation_id).first()
    if conversation is None:
        raise NotFound("conversation")
    messages = conversation.messages.live()
    if message_id:
        messages = messages.filter(id=message_id)
        if not messages.exists():
            raise NotFound("message")
    return _stop(list(Reply.objects.filter(UNDER_WAY, message__in=messages).values_list("id", flat=True)))


@transaction.atomic
def stop_unstored(*, reply_id: uuid.UUID) -> None:
    """Stop a reply that fills no message, because its only reader has gone."""
    _stop(list(Reply.objects.filter(UNDER_WAY, id=reply_id, message=None).values_list("id", flat=True)))


def _stop(ids: list[uuid.UUID]) -> list[uuid.UUID]:
    Reply.objects.filter(id__in=ids).update(stop_asked=True)
    for reply in Reply.objects.filter(id__in=ids):
        if reply.state == State.QUEUED:
            finish.close_queued(reply)
        else:
            _notify(reply.id)
    return ids


def _notify(reply_id: uuid.UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify('reply_stop', %s)", [str(reply_id)])
