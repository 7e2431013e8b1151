from typing import Annotated

from django.utils.translation import gettext
from pydantic import AfterValidator, RootModel, StringConstraints

from compat import rows
from compat.contract import NotBlank, Schema, refusal
from conversations.sql import iso_time

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


THREAD = rows.Shape(
    {
        "id": rows.CONVERSATION_NAME,
        "title": "c.title",
        "created_at": iso_time("c.created_at"),
        "updated_at": iso_time("c.updated_at"),
    }
)
MESSAGE = rows.Shape(
    {
        "id": rows.MESSAGE_NAME,
        "conversation_id": rows.CONVERSATION_NAME,
        "role": "m.role",
        "content": "m.content",
        "created_at": iso_time("m.created_at"),
    }
)
THREADS = rows.conversations(THREAD, rows.BY_ACTIVITY)
MESSAGES = rows.messages(MESSAGE, rows.shown(*ROLES))
