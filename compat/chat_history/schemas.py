import re
from typing import Annotated, Any, Literal

from django.conf import settings
from django.utils.translation import gettext
from pydantic import BeforeValidator, Field, RootModel, StringConstraints, WithJsonSchema

from chatstore.api.errors import Found
from chatstore.api.responses import format_time
from chatstore.ids import as_uuid
from compat import rows
from compat.contract import History, Id, NotEmpty, Rule, Schema, Title, name_of, refusal
from conversations.drafts import MessageDraft
from conversations.models import Conversation, Message
from conversations.sql import iso_time

SOURCE = "chat_history"
TO_STORE = {"user": "user", "ai": "assistant", "system": "system"}
FROM_STORE = {stored: role for role, stored in TO_STORE.items()}
IN_QUERY = ("page", "page_size")

Role = Literal["user", "ai", "system"]
Notebook = Annotated[str, StringConstraints(max_length=100)]
Notebooks = Annotated[list[Notebook], Field(max_length=settings.LABELS_LIMIT)]


def _as_text(value: Any) -> Any:
    """Turn the integer of an id into the text that is stored. A bool is not an id, although it is an int in Python."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _ends_with_question(messages: list[Any]) -> list[Any]:
    if not messages or messages[-1].role != "user":
        raise refusal("no_question", gettext("The last message must be one of the user."))
    return messages


CHAT_ID_SCHEMA = {"anyOf": [{"type": "integer"}, {"type": "string", "minLength": 1, "maxLength": 255}]}
ChatId = Annotated[Id, BeforeValidator(_as_text), WithJsonSchema(CHAT_ID_SCHEMA)]
# An integer for what was created through this contract, else the text id that it has in the other APIs.
AnyId = int | str


class NewChat(Schema):
    name: Title | None = None
    notebooks: Notebooks | None = None


class NewMessage(Schema):
    chat_id: ChatId
    role: Role
    content: NotEmpty


class MessageChanges(Schema):
    """Fields to change. A field that is not sent stays as it is."""

    role: Role = "user"
    content: NotEmpty = "unset"


class Chat(Schema):
    id: AnyId
    name: str | None
    notebooks: list[str]
    created_at: str
    updated_at: str


class ChatMessage(Schema):
    id: AnyId
    chat_id: AnyId
    role: Role
    content: str
    created_at: str
    updated_at: str


class CompletionMessage(Schema):
    role: Literal["user", "assistant"]
    content: NotEmpty


ENDS_WITH_QUESTION = Rule(_ends_with_question, {"minItems": 1, "description": "The last one is of the user."})


class CompletionRequest(Schema):
    messages: Annotated[list[CompletionMessage], History, ENDS_WITH_QUESTION]
    notebooks: Notebooks | None = None


class Completion(Schema):
    response: str
    prefetch_content: str | None
    tool_calls: list[Any]


class Page(Schema):
    total: int
    page: int
    page_size: int
    total_pages: int


class Chats(Page):
    items: list[Chat]


class ChatMessages(Page):
    items: list[ChatMessage]


class ChatDetail(Chat):
    messages_count: int
    messages: list[ChatMessage]


class NotebookNames(RootModel[list[str]]):
    """The notebooks of the user's chats, by name."""


# --- Requests


def fields(chat: NewChat) -> dict[str, Any]:
    """Return the fields that were sent. A null or empty name removes the name; null notebooks count as not sent."""
    given = chat.model_dump(exclude_unset=True)
    title = {"title": given["name"] or ""} if "name" in given else {}
    return title | ({"notebooks": chat.notebooks} if chat.notebooks is not None else {})


def draft(message: NewMessage) -> MessageDraft:
    return {"role": TO_STORE[message.role], "content": message.content}


def changes(message: MessageChanges) -> dict[str, Any]:
    given = message.model_dump(exclude_unset=True)
    return given | ({"role": TO_STORE[given["role"]]} if "role" in given else {})


def history(request: CompletionRequest) -> list[MessageDraft]:
    return [{"role": message.role, "content": message.content} for message in request.messages]


# --- Responses. The id of a chat that was created through this contract is a number, stored as its external_id. The id
# of a message in such a chat is made from this number and the `seq` of the message, so it needs no column. It stays
# within the integers of JavaScript (2^53) for 8 billion chats.

SEQS = 2**20
IS_NUMBERED = f"c.source = '{SOURCE}' AND c.external_id ~ '^[0-9]{{1,12}}$'"
CHAT_ID = f"CASE WHEN {IS_NUMBERED} THEN to_json(c.external_id::bigint) ELSE to_json({rows.CONVERSATION_NAME}) END"
MESSAGE_ID = f"""CASE WHEN {IS_NUMBERED} AND m.seq < {SEQS} THEN to_json(c.external_id::bigint * {SEQS} + m.seq)
    ELSE to_json(m.id) END"""
CHAT = rows.Shape(
    {
        "id": CHAT_ID,
        "name": f"CASE WHEN NOT (c.title_is_auto AND c.source = '{SOURCE}') THEN c.title END",
        "notebooks": "c.notebooks",
        "created_at": iso_time("c.created_at"),
        "updated_at": iso_time("c.updated_at"),
    }
)
MESSAGE = rows.Shape(
    {
        "id": MESSAGE_ID,
        "chat_id": CHAT_ID,
        "role": "CASE m.role WHEN 'assistant' THEN 'ai' ELSE m.role END",
        "content": "m.content",
        "created_at": iso_time("m.created_at"),
        "updated_at": iso_time("m.updated_at"),
    }
)
SHOWN = rows.shown(*FROM_STORE)
CHATS = rows.counted_conversations(CHAT, rows.BY_CREATION)
MESSAGES = rows.counted_messages(MESSAGE, SHOWN)
ONE_CHAT = rows.with_messages(CHAT, MESSAGE, SHOWN, where=rows.NAMED, order="c.id")
NOTEBOOKS = f"SELECT DISTINCT unnest(c.notebooks) AS name FROM conversation c WHERE {rows.LISTED} ORDER BY name"


def page(total: int, items: list[Any], number: int | None, size: int | None) -> dict[str, Any]:
    """Return a list as the client reads it. Without a number and a size, it is one page with all rows."""
    size = size or total or 1
    return {
        "items": items,
        "total": total,
        "page": number or 1,
        "page_size": size,
        "total_pages": -(-total // size),
    }


def chat(row: Conversation) -> dict[str, Any]:
    """Return a chat that was just written, equal to CHAT."""
    return {
        "id": chat_id(row),
        "name": None if row.title_is_auto and row.source == SOURCE else row.title,
        "notebooks": row.notebooks,
        "created_at": format_time(row.created_at),
        "updated_at": format_time(row.updated_at),
    }


def chat_id(row: Conversation) -> AnyId:
    is_numbered = row.source == SOURCE and re.fullmatch("[0-9]{1,12}", row.external_id or "")
    return int(row.external_id or "") if is_numbered else name_of(row)


def message(row: Message, conversation: Conversation) -> dict[str, Any]:
    """Return a message that was just written, equal to MESSAGE."""
    chat = chat_id(conversation)
    is_numbered = isinstance(chat, int) and row.seq < SEQS
    return {
        "id": int(chat) * SEQS + row.seq if is_numbered else str(row.id),
        "chat_id": chat,
        "role": FROM_STORE[row.role],
        "content": row.content,
        "created_at": format_time(row.created_at),
        "updated_at": format_time(row.updated_at),
    }


def message_key(id: str) -> dict[str, Any]:
    """Return the conditions of the ORM that find a message by the id of this contract."""
    if re.fullmatch("[0-9]{1,19}", id):
        chat, seq = divmod(int(id), SEQS)
        return {"conversation__source": SOURCE, "conversation__external_id": str(chat), "seq": seq}
    return {"id": as_uuid(id)}


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
