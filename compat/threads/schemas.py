from typing import Annotated, Any

from django.utils.translation import gettext
from pydantic import AfterValidator, RootModel, StringConstraints

from chatstore.api.responses import format_time
from compat.contract import NotBlank, Schema, name_of, refusal
from conversations.models import Conversation, Message

LISTED = 10
ROLES = ("user", "assistant")


def _storable(text: str) -> str:
    """Refuse NUL characters. The body parser refuses them, too, but it does not read query parameters."""
    if "\0" in text:
        raise refusal("nul", gettext("A NUL character cannot be stored."))
    return text


class ThreadTitle(Schema):
    title: Annotated[str, StringConstraints(min_length=1, max_length=500), NotBlank, AfterValidator(_storable)]


class Thread(Schema):
    id: str
    title: str
    created_at: str
    updated_at: str


class Threads(RootModel[list[Thread]]):
    """Conversations, the most recent activity first."""


class ThreadMessage(Schema):
    id: str
    conversation_id: str
    role: str
    content: str
    created_at: str


class ThreadMessages(RootModel[list[ThreadMessage]]):
    """Messages in the order of the conversation."""


class ThreadStatus(Schema):
    status: str


def thread(row: Conversation) -> dict[str, Any]:
    return {
        "id": name_of(row),
        "title": row.title,
        "created_at": format_time(row.created_at),
        "updated_at": format_time(row.updated_at),
    }


def message(row: Message, conversation: Conversation) -> dict[str, Any]:
    return {
        "id": name_of(row),
        "conversation_id": name_of(conversation),
        "role": row.role,
        "content": row.content,
        "created_at": format_time(row.created_at),
    }
