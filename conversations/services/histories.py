"""Stores histories of clients that send all messages each time, but no id of the conversation.

The hazards: two equal requests at once must not store the question twice; another tab can change the conversation that
was found; and the text of many conversations does not fit into memory. So the whole search runs under the user's lock,
PostgreSQL compares the texts, and the conversation that was found is locked and compared again.
"""

import uuid
from collections.abc import Sequence
from typing import Any

from django.db import transaction

from accounts.models import User
from conversations.core.locks import lock_user
from conversations.drafts import MessageDraft
from conversations.models import Conversation, Message
from conversations.querysets import ConversationQuerySet

from . import conversations, messages

NEWEST = 1_000  # conversations with as many messages as the history, whose texts are compared
SILENT = 3  # replies without text that such a conversation can display besides
CANDIDATES = 3  # equal conversations that are locked and compared again


@transaction.atomic
def continue_history(*, user: User, drafts: Sequence[MessageDraft], fields: dict[str, Any]) -> Message:
    """Store a history that ends with a question, and return the question.

    The history continues the most recently active conversation of the same source that displays exactly the messages
    before the question; if there is none, it becomes a new conversation with these fields. If a conversation displays
    the question, too, but no answer yet, nothing is stored: the client repeats a request that failed. Raises Invalid
    and Conflict as `conversations.create`. Locks the user and the conversation.
    """
    lock_user(user)
    if conversation := _find_and_lock(user, fields["source"], drafts):
        return _last(conversation)
    if len(drafts) > 1 and (conversation := _find_and_lock(user, fields["source"], drafts[:-1])):
        (question,), _ = messages.append(user=user, conversation_id=conversation.id, drafts=drafts[-1:])
        return question
    conversation = conversations.create_numbered(user=user, fields=fields, drafts=drafts)
    return _last(conversation)


def _last(conversation: Conversation) -> Message:
    message: Message = conversation.messages.shown().said().reverse()[0]
    return message


def _find_and_lock(user: User, source: str, drafts: Sequence[MessageDraft]) -> Conversation | None:
    """Return the most recently active conversation that displays exactly these messages, locked."""
    counts = (len(drafts), len(drafts) + SILENT)
    listed = Conversation.objects.owned_by(user).listed().filter(source=source, message_count__range=counts)
    newest = listed.filter(id__in=listed.by_activity().values("id")[:NEWEST])
    for id in newest.displaying(drafts).by_activity().values_list("id", flat=True)[:CANDIDATES]:
        conversation = Conversation.objects.lock_one(user, id)
        if conversation and _still(listed, id, drafts):
            return conversation
    return None


def _still(listed: ConversationQuerySet, id: uuid.UUID, drafts: Sequence[MessageDraft]) -> bool:
    return listed.filter(id=id).displaying(drafts).exists()
