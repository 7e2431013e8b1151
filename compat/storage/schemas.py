from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, cast

from django.conf import settings
from django.utils.translation import gettext
from pydantic import BeforeValidator, ConfigDict, WithJsonSchema, model_validator

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


class StoredMessage(Schema):
    model_config = ConfigDict(json_schema_extra=SAYS_SOMETHING)

    id: Id | None = None
    role: Literal["user", "assistant", "system", "tool"]
    content: Text | None = None
    model: Short | None = None
    tool_calls: Annotated[list[Any], Parts] | None = None
    tool_call_id: Short | None = None
    name: Short | None = None
    reasoning: Text | None = None
    reasoning_content: Text | None = None  # the older name of `reasoning`

    @model_validator(mode="after")
    def says_something(self) -> "StoredMessage":
        if self.content is None and self.tool_calls is None:
            raise refusal("null", gettext("content can be null only if tool_calls is given."))
        if self.reasoning_content and not self.reasoning:
            self.reasoning = self.reasoning_content
        return self


class StoredSession(Schema):
    id: Id
    title: Title | None = None
    messages: Annotated[list[StoredMessage], History]
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
    stored = iter(ids.unique_ids(message.id for message in session.messages if message.id))
    drafts = [_draft(message, next(stored) if message.id else None) for message in session.messages]
    return SessionInput(session.id, fields, drafts)


def _draft(message: StoredMessage, external_id: str | None) -> MessageDraft:
    optional = DEFAULTS | {name: value for name in DEFAULTS if (value := getattr(message, name)) is not None}
    draft: Any = {"role": message.role, "content": message.content, "external_id": external_id, **optional}
    return cast(MessageDraft, draft)
