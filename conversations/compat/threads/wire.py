from typing import Annotated, Any

from pydantic import AfterValidator, RootModel, StringConstraints
from pydantic_core import PydanticCustomError

from chatstore.api.views import time
from conversations.compat.contract import NotBlank, Shape, name_of
from conversations.models import Conversation, Message

LISTED = 10
ROLES = ("user", "assistant")


def _storable(text: str) -> str:
    """What comes in a query has not been through the parser of bodies."""
    if "\0" in text:
        raise PydanticCustomError("nul", "A NUL character cannot be stored.")
    return text


class ThreadTitle(Shape):
    title: Annotated[str, StringConstraints(min_length=1, max_length=500), NotBlank, AfterValidator(_storable)]


class Thread(Shape):
    id: str
    title: str
    created_at: str
    updated_at: str


class Threads(RootModel[list[Thread]]):
    """Newest activity first."""


class ThreadMessage(Shape):
    id: str
    conversation_id: str
    role: str
    content: str
    created_at: str


class ThreadMessages(RootModel[list[ThreadMessage]]):
    """In order."""


class ThreadStatus(Shape):
    status: str


def thread(row: Conversation) -> dict[str, Any]:
    return {
        "id": name_of(row),
        "title": row.title,
        "created_at": time(row.created_at),
        "updated_at": time(row.updated_at),
    }


def message(row: Message, conversation: Conversation) -> dict[str, Any]:
    return {
        "id": name_of(row),
        "conversation_id": name_of(conversation),
        "role": row.role,
        "content": row.content,
        "created_at": time(row.created_at),
    }
