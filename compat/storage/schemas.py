from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, NotRequired, cast

from django.conf import settings
from django.utils.translation import gettext
from pydantic import AfterValidator, BeforeValidator, ConfigDict, WithJsonSchema
from typing_extensions import TypedDict  # Pydantic needs this one for Python 3.11

from chatstore.times import parse_utc
from compat import rows
from compat.contract import History, Id, Parts, Schema, Short, Text, Title, json_limit, refusal
from conversations.drafts import MessageDraft, SessionInput, SyncProfile
from conversations.sql import iso_time

from . import ids

SOURCE = "storage"
ROLES = ("user", "assistant", "system", "tool")
# Optional fields and their defaults. A field that has its default is left out of the response.
DEFAULTS: dict[str, Any] = {"model": "", "tool_calls": None, "tool_call_id": "", "name": "", "reasoning": ""}
OLDER_NAME = "reasoning_content"  # of `reasoning`
SYNC_PROFILE = SyncProfile(
    compared_fields=frozenset({"role", "content", *DEFAULTS}),
    visible_roles=frozenset(ROLES),
    normalize_id=ids.as_sent,
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _moment(value: Any) -> datetime:
    """Parse an ISO 8601 string, or milliseconds since 1970. Cut it to milliseconds, as JavaScript does."""
    try:
        if isinstance(value, str):
            moment = parse_utc(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            moment = EPOCH + timedelta(milliseconds=value)
        else:
            raise ValueError
        if not EPOCH <= moment < EPOCH.replace(year=2200):
            raise ValueError
    except (ValueError, OverflowError):
        message = gettext("Must be a time between 1970 and 2200, in milliseconds or ISO 8601.")
        raise refusal("date", message) from None
    return _to_millisecond(moment)


def _to_millisecond(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


MOMENT_SCHEMA = {
    "anyOf": [{"type": "string", "format": "date-time"}, {"type": "number", "minimum": 0}],
    "description": "A time between 1970 and 2200, in ISO 8601 or in milliseconds since 1970.",
}
Moment = Annotated[datetime, BeforeValidator(_moment), WithJsonSchema(MOMENT_SCHEMA)]
# JSON Schema for the rule in `says_something`.
SAYS_SOMETHING: dict[str, Any] = {
    "anyOf": [
        {"required": [name], "properties": {name: {"not": {"type": "null"}}}} for name in ("content", "tool_calls")
    ]
}


# A save can have thousands of messages. As dictionaries they take half the time that instances of a model take.
class StoredMessage(TypedDict):
    """A message of a session."""

    __pydantic_config__ = ConfigDict(strict=True, extra="ignore", json_schema_extra=SAYS_SOMETHING)  # type: ignore[misc]

    id: NotRequired[Id | None]
    role: Literal["user", "assistant", "system", "tool"]
    content: NotRequired[Text | None]
    model: NotRequired[Short | None]
    tool_calls: NotRequired[Annotated[list[Any], Parts] | None]
    tool_call_id: NotRequired[Short | None]
    name: NotRequired[Short | None]
    reasoning: NotRequired[Text | None]
    reasoning_content: NotRequired[Text | None]


def _says_something(message: StoredMessage) -> StoredMessage:
    if message.get("content") is None and message.get("tool_calls") is None:
        raise refusal("null", gettext("content can be null only if tool_calls is given."))
    return message


class StoredSession(Schema):
    id: Id
    title: Title | None = None
    messages: Annotated[list[Annotated[StoredMessage, AfterValidator(_says_something)]], History]
    createdAt: Moment | None = None
    tokenUsage: Annotated[dict[str, Any], json_limit(settings.METADATA_LIMIT)] | None = None


class ChatSessions(Schema):
    """All sessions of the user. Each has another id."""

    chatSessions: Annotated[list[StoredSession], History]


class ActiveChat(Schema):
    activeChatId: Short | None


class SelectedModel(Schema):
    selectedModel: Short | None


class StorageType(Schema):
    type: str


class Health(Schema):
    status: str
    timestamp: str
    service: str
    database: str


class Saved(Schema):
    success: bool


# --- Responses -----------------------------------------------------------------------------------------

MESSAGE = rows.Shape(
    {
        "id": f"coalesce({ids.as_sent_sql('m.external_id')}, m.id::text)",
        "role": "m.role",
        "content": "m.content",
    },
    optional={name: f"m.{name}" if default is None else f"nullif(m.{name}, '')" for name, default in DEFAULTS.items()},
)
SHOWN = rows.shown(*ROLES, has="(m.content IS NOT NULL OR m.tool_calls IS NOT NULL)")
# The same as `counted_usage`.
COUNTED_USAGE = """jsonb_build_object('prompt_tokens', c.prompt_tokens, 'completion_tokens', c.completion_tokens,
    'total_tokens', c.prompt_tokens + c.completion_tokens)"""
SESSION = rows.Shape(
    {
        "id": rows.CONVERSATION_NAME,
        "title": "c.title",
        "createdAt": iso_time("c.created_at", "MS"),
        "tokenUsage": f"coalesce(c.reported_usage, {COUNTED_USAGE})",
    }
)
SESSIONS = rows.with_messages(SESSION, MESSAGE, SHOWN, where=rows.LISTED, order=rows.BY_CREATION)


# --- Requests ------------------------------------------------------------------------------------------


def session_input(session: StoredSession) -> SessionInput:
    given = {"title": session.title, "created_at": session.createdAt, "reported_usage": session.tokenUsage}
    fields = {name: value for name, value in given.items() if value not in (None, "")}
    stored = iter(ids.unique_ids(id for message in session.messages if (id := message.get("id"))))
    drafts = [_draft(message, next(stored) if message.get("id") else None) for message in session.messages]
    return SessionInput(session.id, fields, drafts)


def _draft(message: StoredMessage, external_id: str | None) -> MessageDraft:
    given = {name: value for name, value in message.items() if value is not None and name not in ("id", OLDER_NAME)}
    draft: Any = {"content": None, **DEFAULTS, **given, "external_id": external_id}
    draft["reasoning"] = draft["reasoning"] or message.get(OLDER_NAME) or ""
    return cast(MessageDraft, draft)
