"""Reads conversations and messages as JSON in the field names of a contract. PostgreSQL writes the JSON.

Each contract declares a `Shape` for its objects: the SQL expression of each field. The statements are built once, when
the module of a contract is imported (docs/decisions/0002 and 0007). In the expressions, `c` is the conversation and `m`
is the message. Every statement names the owner.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.db import connection

from accounts.models import User
from chatstore.errors import NotFound
from chatstore.ids import as_uuid
from conversations.sql import SILENT

LISTED = "c.user_id = %(user)s AND c.deleted_at IS NULL AND c.archived_at IS NULL"
BY_ACTIVITY, BY_CREATION = "c.active_at DESC, c.id DESC", "c.created_at DESC, c.id DESC"
# Two live conversations of a user do not have the same name.
NAMED = "c.user_id = %(user)s AND c.deleted_at IS NULL AND (c.external_id = %(name)s OR c.id = %(id)s)"
ID_BY_NAME = f"SELECT c.id FROM conversation c WHERE {NAMED}"
CONVERSATION_NAME, MESSAGE_NAME = "coalesce(c.external_id, c.id::text)", "coalesce(m.external_id, m.id::text)"


def listed_title(length: int) -> str:
    """Return the expression of a title. An automatic title is cut as `contract.shortened` cuts it."""
    cut = f"CASE WHEN length(c.title) > {length} THEN left(c.title, {length}) || '...' ELSE c.title END"
    return f"CASE WHEN c.title_is_auto THEN {cut} ELSE c.title END"


@dataclass(frozen=True)
class Shape:
    """A JSON object: the SQL expression of each field by name. An `optional` field is left out if it is null."""

    fields: Mapping[str, str]
    optional: Mapping[str, str] = field(default_factory=dict)

    @property
    def sql(self) -> str:
        """Return the expression of the object as a text. As fast as row_to_json, which cannot leave out fields."""
        always = [f"""'"{name}":' || coalesce(to_json({sql})::text, 'null')""" for name, sql in self.fields.items()]
        rest = [f"""coalesce(',"{name}":' || to_json({sql})::text, '')""" for name, sql in self.optional.items()]
        return " || ".join(["'{'", " || ',' || ".join(always), *rest, "'}'"])


def conversations(shape: Shape, order: str) -> str:
    """Return the statement for a list of conversations. `%(limit)s` can be null."""
    return f"""SELECT {shape.sql} AS json FROM conversation c WHERE {LISTED}
        ORDER BY {order} LIMIT %(limit)s OFFSET %(offset)s"""


def counted_conversations(shape: Shape, order: str) -> str:
    """Return the statement for a list of conversations after their total number. The JSON is null if there are none."""
    return f"""SELECT t.total, r.json FROM (SELECT count(*) AS total FROM conversation c WHERE {LISTED}) t
        LEFT JOIN ({conversations(shape, order)}) r ON true"""


def shown(*roles: str, has: str = "m.content IS NOT NULL") -> str:
    """Return the condition for the texts of these roles on the active path of `c`, without silent replies. See
    `MessageQuerySet.texts` and `said`.

    `has` replaces the condition that a message has a text."""
    names = ", ".join(f"'{role}'" for role in roles)
    return f"""m.conversation_id = c.id AND m.deleted_at IS NULL AND m.is_active AND m.item_type = 'message'
        AND m.role IN ({names}) AND {has} AND NOT {SILENT}"""


def with_messages(shape: Shape, message: Shape, condition: str, *, where: str, order: str) -> str:
    """Return the statement for conversations, and then for their messages that fulfil the condition, by `seq`.

    It is one statement, so both are of the same moment. Each message is a row: as an array in the JSON of its
    conversation, the messages would take 20 times their size of PostgreSQL's memory.
    """
    return f"""(SELECT c.id, false, {shape.sql} FROM conversation c WHERE {where} ORDER BY {order})
        UNION ALL
        SELECT c.id, true, m.json FROM conversation c CROSS JOIN LATERAL (
            SELECT {message.sql} AS json FROM message m WHERE {condition} ORDER BY m.seq
        ) m WHERE {where}"""


def messages(shape: Shape, condition: str) -> str:
    """Return the statement for the messages of one conversation that fulfil the condition, by `seq`.

    The result is one null if there are no messages, and no row if the user has no such conversation.
    """
    return f"""SELECT m.json FROM (SELECT * FROM conversation c WHERE {NAMED}) c LEFT JOIN LATERAL (
        SELECT {shape.sql} AS json FROM message m WHERE {condition} ORDER BY m.seq
    ) m ON true"""


def counted_messages(shape: Shape, condition: str) -> str:
    """Return the statement for messages as `messages` does, each after the total number of messages."""
    return f"""SELECT t.total, m.json FROM (SELECT * FROM conversation c WHERE {NAMED}) c
        CROSS JOIN LATERAL (SELECT count(*) AS total FROM message m WHERE {condition}) t LEFT JOIN LATERAL (
            SELECT {shape.sql} AS json FROM message m WHERE {condition} ORDER BY m.seq LIMIT %(limit)s OFFSET %(offset)s
        ) m ON true"""


def read_list(statement: str, user: User, *, limit: int | None = None) -> list[orjson.Fragment]:
    """Execute a statement of `conversations`, from the first row on."""
    return _fragments(read_column(statement, user=user.pk, limit=limit, offset=0))


def read_with_messages(statement: str, **params: Any) -> dict[uuid.UUID, dict[str, Any]]:
    """Execute a statement of `with_messages`. Return the objects by id of the conversation, each with `messages`."""
    found: dict[uuid.UUID, dict[str, Any]] = {}
    for id, is_message, text in _fetch_rows(statement, **params):
        if is_message:
            found[id]["messages"].append(orjson.Fragment(text))
        else:
            found[id] = {**orjson.loads(text), "messages": []}
    return found


def read_messages(statement: str, user: User, name: str) -> list[orjson.Fragment]:
    """Execute a statement of `messages` for the conversation with this name. Raises NotFound."""
    rows = read_column(statement, **named(user, name))
    if not rows:
        raise NotFound("conversation")
    return _fragments(text for text in rows if text is not None)


def read_counted(
    statement: str, *, limit: int | None, offset: int, **params: Any
) -> tuple[int, list[orjson.Fragment]] | None:
    """Execute a statement of `counted_…`. Return the total and the rows of the page, or None if there is no row."""
    rows = _fetch_rows(statement, limit=limit, offset=offset, **params)
    return (rows[0][0], _fragments(text for _, text in rows if text is not None)) if rows else None


def named(user: User, name: str) -> dict[str, Any]:
    """Return the parameters of NAMED. A path can hold a NUL, which PostgreSQL refuses; no name has one."""
    return {"user": user.pk, "name": None if "\0" in name else name, "id": as_uuid(name)}


def _fragments(texts: Any) -> list[orjson.Fragment]:
    return [orjson.Fragment(text) for text in texts]


def read_column(statement: str, **params: Any) -> list[Any]:
    """Execute a statement that selects one column, and return its values."""
    return [value for (value,) in _fetch_rows(statement, **params)]


def _fetch_rows(statement: str, **params: Any) -> Sequence[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        rows: Sequence[tuple[Any, ...]] = cursor.fetchall()
        return rows
