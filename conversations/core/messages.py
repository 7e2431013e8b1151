"""Inserts and updates messages, for the services.

Every function that gets a Conversation must run inside a transaction that holds its lock. It also changes the given
Conversation in memory.
"""

import uuid
from collections.abc import Sequence
from functools import cache
from typing import Any

import orjson
from django.utils.translation import gettext

from accounts.models import User
from chatstore import raw_sql
from chatstore.errors import Conflict, NotFound
from conversations import columns, sql
from conversations.drafts import MessageDraft
from conversations.models import Conversation, Message

from . import titles, tree

TOKENS = ("prompt_tokens", "completion_tokens")
# The columns of the messages that `sql.APPEND` gets.
SENT = [name for name in columns.MESSAGE if name not in sql.PLACE or name == "created_at"]


def append_messages(*, user: User, conversation_id: uuid.UUID, drafts: Sequence[MessageDraft]) -> list[Message]:
    """Append messages to the active path, and save the conversation. Return the messages.

    Locks the conversation, in the same statement, so the caller needs no transaction. Raises NotFound, and Invalid for
    a message without content.
    """
    messages = [tree.build_unplaced(draft) for draft in drafts]
    row = raw_sql.fetch_row(
        _append_statement(), _append_parameters(messages) | {"user": user.pk, "conversation": conversation_id}
    )
    if row is None:
        raise NotFound("conversation")
    conversation = raw_sql.build_instance(Conversation, row)
    conversation.now = conversation.updated_at
    tree.place(messages, conversation, below=row[-1])
    return messages


@cache
def _append_statement() -> str:
    return sql.APPEND.format(columns=raw_sql.columns(Conversation))


def _append_parameters(messages: Sequence[Message]) -> dict[str, Any]:
    previews = (tree.preview_of(message.content) for message in reversed(messages))
    times = [message.created_at for message in messages]
    values = [{name: getattr(message, name) for name in SENT} for message in messages]
    return {
        "messages": orjson.dumps(values, default=_bytea).decode(),
        "count": len(messages),
        "preview": next(filter(None, previews), None),
        "newest": max(filter(None, times), default=None),
        "any_without_time": None in times,
        "title": titles.from_messages(values) or None,
        **{name: sum(getattr(message, name) or 0 for message in messages) for name in TOKENS},
    }


def _bytea(value: bytes) -> str:
    """Return the bytes in PostgreSQL's text format."""
    return f"\\x{value.hex()}"


def insert_hidden_message(conversation: Conversation, draft: MessageDraft, *, below: int) -> Message:
    """Add a hidden child to a hidden message, and save the conversation."""
    message = tree.build_hidden_message(conversation, draft, below=below)
    message.save(force_insert=True)
    tree.save_derived(conversation)
    return message


def set_title_from(conversation: Conversation, drafts: Sequence[MessageDraft]) -> None:
    """Set the title to the first line of the first user message, if the title is still the default title."""
    if conversation.title_is_auto and titles.is_new_chat(conversation.title):
        conversation.title = titles.from_messages(drafts) or conversation.title


def refuse_doubled_external_ids(drafts: Sequence[MessageDraft]) -> None:
    """Raise Conflict if two drafts have the same external_id."""
    ids = [draft["external_id"] for draft in drafts if draft.get("external_id")]
    if len(set(ids)) < len(ids):
        raise Conflict(gettext("Two messages of this request have the same external_id."), field="external_id")


def update_message(conversation: Conversation, message: Message, changes: dict[str, Any]) -> None:
    """Save changes to a message. Update the token sums of the conversation in memory. Raises Invalid if the message
    would have no content."""
    apply_changes(conversation, message, changes)
    message.save(update_fields=[*changes, "updated_at"])


def apply_changes(conversation: Conversation, message: Any, changes: dict[str, Any]) -> None:
    """Change a message and the token sums of its conversation in memory. Raises Invalid if the message would have no
    content."""
    for name in TOKENS:
        if name in changes:
            delta = (changes[name] or 0) - (getattr(message, name) or 0)
            setattr(conversation, name, getattr(conversation, name) + delta)
    for name, value in changes.items():
        setattr(message, name, value)
    tree.refuse_empty(message)
    message.updated_at = conversation.updated_at = conversation.now
