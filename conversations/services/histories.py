"""Stores histories of clients that send all messages each time, but no id of the conversation."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from accounts.models import User
from conversations.core.locks import lock_user
from conversations.drafts import MessageDraft
from conversations.models import Conversation, Message

from . import conversations, messages

CANDIDATES = 20  # conversations whose texts are compared


@transaction.atomic
def continue_history(*, user: User, drafts: Sequence[MessageDraft], fields: dict[str, Any]) -> Message:
    """Store a history that ends with a question, and return the question.

    The history continues the most recently active conversation of the same source that displays exactly the messages
    before the question; if there is none, it becomes a new conversation with these fields. If the conversation displays
    the question, too, but no answer yet, nothing is stored: the client repeats a request that failed. Locks the user,
    so that of two equal requests the second one finds the conversation of the first.
    """
    lock_user(user)
    conversation = _find(user, fields["source"], drafts)
    if conversation is None:
        conversation = conversations.create_numbered(user=user, fields=fields, drafts=drafts)
    elif conversation.message_count < len(drafts):
        messages.append(user=user, conversation_id=conversation.id, drafts=drafts[-1:])
    question: Message = conversation.messages.shown().reverse()[0]
    return question


def _find(user: User, source: str, drafts: Sequence[MessageDraft]) -> Conversation | None:
    sent = [(draft["role"], draft["content"]) for draft in drafts]
    counts = [len(sent)] if len(sent) == 1 else [len(sent) - 1, len(sent)]
    rows = Conversation.objects.owned_by(user).listed().filter(source=source, message_count__in=counts).by_activity()
    return next((row for row in rows[:CANDIDATES] if _shown(row) == sent[: row.message_count]), None)


def _shown(conversation: Conversation) -> list[tuple[str, str | None]]:
    return list(conversation.messages.shown().values_list("role", "content"))
