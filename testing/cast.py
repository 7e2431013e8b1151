"""Helpers that create and read the conversations of test users.

Alice owns conversations, Bob is another user without access to them, and Sam is staff.
"""

import random
from typing import Any

from accounts.models import User
from conversations.models import Conversation, Message
from conversations.services import branches, conversations, messages

from .api_client import create_user

__all__ = ["create_user"]

Draft = dict[str, Any]


def message_draft(content: str | None, role: str = "user", **fields: Any) -> Draft:
    return {"role": role, "content": content, **fields}


def dialogue(*texts: str) -> list[Draft]:
    """Return drafts in which a user and an assistant take turns."""
    return [message_draft(text, ("user", "assistant")[index % 2]) for index, text in enumerate(texts)]


def create_conversation(user: User, *texts: str, **fields: Any) -> Conversation:
    conversation, _ = conversations.create(user=user, fields=fields, drafts=dialogue(*texts))
    return conversation


def active_texts(conversation: Conversation) -> list[str | None]:
    """Return the texts of the messages on the active path, in order."""
    return list(conversation.messages.shown().values_list("content", flat=True))


def message_with_text(conversation: Conversation, text: str) -> Message:
    """Return the only message with this text."""
    return conversation.messages.get(content=text)


def stored_rows(conversation: Conversation) -> list[Any]:
    """Return all stored values of the conversation and its messages, for a comparison before and after a call."""
    return [
        *Conversation.objects.filter(id=conversation.id).values(),
        *conversation.messages.order_by("seq").values(),
    ]


def random_change(chat: Any, dice: random.Random) -> None:
    """Do one random operation on the conversation."""
    live = list(chat.messages.live())
    operation = dice.choice(["append", "append", "branch", "switch", "trash"]) if live else "append"
    message = dice.choice(live) if live else None
    draft: Any = {"role": "user", "content": "x" * dice.choice([1, 10, 3_000, 12_000])}
    if operation == "append":
        messages.append(user=chat.user, conversation_id=chat.id, drafts=[draft] * dice.randint(1, 5))
    elif operation == "branch":
        branches.branch(user=chat.user, message_id=message.id, changes={"content": "y"})
    elif operation == "switch":
        branches.switch(user=chat.user, conversation_id=chat.id, message_id=message.id)
    else:
        messages.trash(user=chat.user, message_id=message.id)
