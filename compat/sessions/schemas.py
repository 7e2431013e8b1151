from typing import Annotated, Any, Literal

from pydantic import RootModel

from chatstore.api.responses import format_time
from compat import rows
from compat.contract import History, Schema, Text, name_of, shortened
from conversations.drafts import MessageDraft, SyncProfile
from conversations.models import Conversation
from conversations.sql import iso_time

SOURCE = "sessions"
SYNC_PROFILE = SyncProfile(
    compared_fields=frozenset({"role", "content", "reasoning"}),
    visible_roles=frozenset({"user", "assistant", "system"}),
)
LISTED_TITLE_LENGTH = 30
FIRST_LENGTH = 200


class SessionMessage(Schema):
    role: Literal["user", "assistant", "system"]
    content: Text
    thinkingContent: Text | None = None


class SessionHistory(Schema):
    messages: Annotated[list[SessionMessage], History]


class Session(Schema):
    id: str
    title: str
    createdAt: str
    updatedAt: str
    messageCount: int
    firstMessage: str | None = None


class Sessions(RootModel[list[Session]]):
    """Sessions, the most recent activity first."""


class Success(Schema):
    success: bool


def drafts(history: SessionHistory) -> list[MessageDraft]:
    return [
        {"role": message.role, "content": message.content, "reasoning": message.thinkingContent or ""}
        for message in history.messages
    ]


MESSAGE = rows.Shape({"role": "m.role", "content": "m.content", "thinkingContent": "m.reasoning"})
SHOWN = rows.shown("user", "assistant", "system")
FIRST = f"""(SELECT left(m.content, {FIRST_LENGTH}) FROM message m
    WHERE {rows.shown("user")} ORDER BY m.seq LIMIT 1)"""
SESSION = rows.Shape(
    {
        "id": rows.CONVERSATION_NAME,
        "title": rows.listed_title(LISTED_TITLE_LENGTH),
        "createdAt": iso_time("c.created_at"),
        "updatedAt": iso_time("c.updated_at"),
        "messageCount": "c.message_count",
    },
    optional={"firstMessage": FIRST},
)
SESSIONS = rows.conversations(SESSION, rows.BY_ACTIVITY)
MESSAGES = rows.messages(MESSAGE, SHOWN)


def session(row: Conversation, first: str | None) -> dict[str, Any]:
    """Return a session that was just written, equal to SESSION. `first` is the first text of the user."""
    return {
        "id": name_of(row),
        "title": shortened(row.title, LISTED_TITLE_LENGTH) if row.title_is_auto else row.title,
        "createdAt": format_time(row.created_at),
        "updatedAt": format_time(row.updated_at),
        "messageCount": row.message_count,
        **({} if first is None else {"firstMessage": first[:FIRST_LENGTH]}),
    }


def first_question(history: SessionHistory) -> str | None:
    return next((message.content for message in history.messages if message.role == "user"), None)
