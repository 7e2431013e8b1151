"""Add users with many and with few chats, to measure what the `total` of contract C costs."""

from datetime import UTC, datetime
from uuid import UUID

import psycopg

from chatstore.ids import new_id
from conversations.models import Conversation

from .fill import copy_rows
from .users import add_user
from .world import Row

MANY, FEW = 100_000, 20


def add_users(connection: psycopg.Connection) -> tuple[str, str]:
    """Return the tokens of a user with MANY chats and of one with FEW. The chats are alike."""
    tokens = _add(connection, "many", MANY), _add(connection, "few", FEW)
    connection.execute("VACUUM (ANALYZE) conversation")  # as autovacuum does soon after
    return tokens


def _add(connection: psycopg.Connection, name: str, count: int) -> str:
    id, token = add_user(connection, name)
    copy_rows(connection, Conversation, (_chat(id, number) for number in range(count)))
    return token


def _chat(user_id: UUID, number: int) -> Row:
    now = datetime.now(UTC)
    times = {"created_at": now, "updated_at": now, "active_at": now}
    return {"id": new_id(), "user_id": user_id, "title": f"Chat {number}", **times}
