"""Who the tests are about: Alice owns conversations, Bob is a stranger to them, Sam is staff. And how they speak."""

from typing import Any

from accounts.models import User
from conversations.models import Conversation, Message
from conversations.services import conversations

from .callers import person

__all__ = ["person"]

Draft = dict[str, Any]


def say(content: str | None, role: str = "user", **fields: Any) -> Draft:
    return {"role": role, "content": content, **fields}


def dialogue(*texts: str) -> list[Draft]:
    """A user and an assistant in turn."""
    return [say(text, ("user", "assistant")[index % 2]) for index, text in enumerate(texts)]


def conversation_of(user: User, *texts: str, **fields: Any) -> Conversation:
    conversation, _ = conversations.create(user=user, fields=fields, drafts=dialogue(*texts))
    return conversation


def shown(conversation: Conversation) -> list[str | None]:
    return list(conversation.messages.shown().values_list("content", flat=True))


def saying(conversation: Conversation, text: str) -> Message:
    """The one message that says this."""
    return conversation.messages.get(content=text)


def everything(conversation: Conversation) -> list[Any]:
    """Every stored value, to show that nothing changed."""
    return [
        *Conversation.objects.filter(id=conversation.id).values(),
        *conversation.messages.order_by("seq").values(),
    ]
