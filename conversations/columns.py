"""Every column of Conversation and Message, with its uses.

The code builds its lists of columns (for JSON, copies, exports and imports) from these two tables. A test fails if a
column is missing here, or if a serializer disagrees.
"""

from enum import Flag, auto
from typing import Any

from django.db.models import Model


class Use(Flag):
    NONE = 0
    READ = auto()  # clients read it: it is part of the API's JSON and of every export
    WRITE = auto()  # clients can set it
    COPY = auto()  # an alternative gets the value of the original message
    CLEAR = auto()  # it is reset when a trashed message is forgotten, because it can contain personal data
    LOAD = auto()  # importers set it
    SHARE = auto()  # a share has a copy of it


NONE, READ, WRITE, COPY, CLEAR, LOAD = Use.NONE, Use.READ, Use.WRITE, Use.COPY, Use.CLEAR, Use.LOAD
SHARE = Use.SHARE

# Clients set `archived_at` through the flag `is_archived`.
CONVERSATION = {
    "id": READ | LOAD,
    "user_id": NONE,
    "external_id": READ | WRITE | LOAD,
    "source": READ,
    "end_user": NONE,
    "title": READ | WRITE | LOAD,
    "title_is_auto": READ,
    "model": READ | WRITE | LOAD,
    "notebooks": READ | WRITE | LOAD,
    "tags": READ | WRITE | LOAD,
    "metadata": READ | WRITE | LOAD,
    "model_options": READ | WRITE | LOAD,
    "is_pinned": READ | WRITE | LOAD,
    "archived_at": READ | LOAD,
    "deleted_at": READ,
    "last_seq": NONE,
    "tip_seq": NONE,
    "message_count": READ,
    "preview": READ,
    "prompt_tokens": READ,
    "completion_tokens": READ,
    "reported_usage": NONE,
    "fingerprint": NONE,
    "created_at": READ | LOAD,
    "updated_at": READ,
    "active_at": READ,
}
MESSAGE = {
    "id": READ | LOAD,
    "conversation_id": READ,
    "user_id": NONE,
    "external_id": READ | WRITE | CLEAR | LOAD,
    "seq": READ,
    "parent_seq": READ,
    "is_active": READ,
    "role": READ | WRITE | COPY | LOAD | SHARE,
    "item_type": READ | WRITE | COPY | CLEAR | LOAD,
    "content": READ | WRITE | COPY | CLEAR | LOAD | SHARE,
    "parts": READ | WRITE | COPY | CLEAR | LOAD | SHARE,
    "reasoning": READ | WRITE | COPY | CLEAR | LOAD,
    "name": READ | WRITE | COPY | CLEAR | LOAD | SHARE,
    "model": READ | WRITE | COPY | CLEAR | LOAD | SHARE,
    "tool_calls": READ | WRITE | COPY | CLEAR | LOAD | SHARE,
    "tool_call_id": READ | WRITE | COPY | CLEAR | LOAD | SHARE,
    "status": READ | WRITE | LOAD | SHARE,
    "finish_reason": READ | WRITE | CLEAR | LOAD,
    "error": READ | WRITE | CLEAR | LOAD,
    "prompt_tokens": READ | WRITE | LOAD,
    "completion_tokens": READ | WRITE | LOAD,
    "usage": READ | WRITE | CLEAR | LOAD,
    "metadata": READ | WRITE | COPY | CLEAR | LOAD,
    "link_digest": CLEAR,
    "fingerprint": CLEAR,
    "created_at": READ | LOAD | SHARE,
    "updated_at": READ,
    "deleted_at": READ,
}


def names(table: dict[str, Use], use: Use) -> tuple[str, ...]:
    """Return the columns with this use, in the order of the table."""
    return tuple(name for name, uses in table.items() if use in uses)


def defaults(model: type[Model], columns: tuple[str, ...]) -> dict[str, Any]:
    """Return the default of each column. Mutable defaults are new objects."""
    fields = model._meta.concrete_fields
    return {field.attname: field.get_default() for field in fields if field.attname in columns}


# The fields of the API's JSON.
CONVERSATION_FIELDS = names(CONVERSATION, READ)
MESSAGE_FIELDS = names(MESSAGE, READ)
# The columns of a message that a share copies.
SHARED = names(MESSAGE, SHARE)
