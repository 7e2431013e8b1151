import re
from typing import Annotated, Any, Literal

from django.conf import settings
from pydantic import Field, RootModel, StringConstraints

from chatstore.api.errors import Found
from chatstore.api.responses import format_time
from compat.contract import Id, Schema, Text, Title, name_of
from conversations.drafts import MessageDraft
from conversations.models import Conversation, Message

SOURCE = "chat_history"
TO_STORE = {"user": "user", "ai": "assistant", "system": "system"}
FROM_STORE = {stored: role for role, stored in TO_STORE.items()}
IN_QUERY = ("page", "page_size")

Role = Literal["user", "ai", "system"]
Notebook = Annotated[str, StringConstraints(max_length=100)]
Notebooks = Annotated[list[Notebook], Field(max_length=settings.LABELS_LIMIT)]


class NewChat(Schema):
    name: Title | None = None
    notebooks: Notebooks | None = None


class NewMessage(Schema):
    chat_id: Id
    role: Role
    content: Text


class MessageChanges(Schema):
    """Fields to change. A field that is not sent stays as it is."""

    role: Role = "user"
    content: Text = ""


class Chat(Schema):
    id: str
    name: str
    notebooks: list[str]
    created_at: str
    updated_at: str


class ChatMessage(Schema):
    id: str
    chat_id: str
    role: Role
    content: str
    created_at: str
    updated_at: str


class Chats(RootModel[list[Chat]]):
    """Chats, the newest first."""


class ChatMessages(RootModel[list[ChatMessage]]):
    """Messages in the order of the conversation."""


class ChatDetail(Chat):
    messages: list[ChatMessage]


def fields(chat: NewChat) -> dict[str, Any]:
    """Return the fields that were sent. An empty name and null count as not sent."""
    given = {"title": chat.name or None, "notebooks": chat.notebooks}
    return {name: value for name, value in given.items() if value is not None}


def draft(message: NewMessage) -> MessageDraft:
    return {"role": TO_STORE[message.role], "content": message.content}


def changes(message: MessageChanges) -> dict[str, Any]:
    given = message.model_dump(exclude_unset=True)
    return given | ({"role": TO_STORE[given["role"]]} if "role" in given else {})


def chat(row: Conversation) -> dict[str, Any]:
    return {
        "id": name_of(row),
        "name": row.title,
        "notebooks": row.notebooks,
        "created_at": format_time(row.created_at),
        "updated_at": format_time(row.updated_at),
    }


def message(row: Message, conversation: Conversation) -> dict[str, Any]:
    """Return the message as the client reads it, with chatstore's own id. Another conversation can have a message with
    the same external_id."""
    return {
        "id": str(row.id),
        "chat_id": name_of(conversation),
        "role": FROM_STORE[row.role],
        "content": row.content,
        "created_at": format_time(row.created_at),
        "updated_at": format_time(row.updated_at),
    }


class Finding(Schema):
    type: str
    loc: list[str | int]
    msg: str


class Detail(Schema):
    detail: str | list[Finding]


def error(status: int, findings: list[Found]) -> dict[str, Any]:
    """Return the error body in FastAPI's shape."""
    return {"detail": [_finding(*each) for each in findings] if status == 422 else findings[0][1]}


def _finding(field: str | None, message: str, code: str) -> dict[str, Any]:
    return {"type": code, "loc": ["query" if field in IN_QUERY else "body", *_steps(field or "")], "msg": message}


def _steps(path: str) -> list[str | int]:
    return [int(step) if step.isdigit() else step for step in re.findall(r"[^.\[\]]+", path)]
