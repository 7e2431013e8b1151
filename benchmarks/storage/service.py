"""Save and read all sessions of a user: delete everything and insert it again, with one statement for each row."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb, set_json_loads

TABLES = Path(__file__).with_name("tables.sql").read_text()
USER = "user"
DELETE = "DELETE FROM storage.chat_sessions WHERE user_id = %s"
INSERT_SESSION = """INSERT INTO storage.chat_sessions
    (id, user_id, title, created_at, prompt_tokens, completion_tokens, total_tokens)
    VALUES (%s, %s, %s, %s, %s, %s, %s)"""
INSERT_MESSAGE = """INSERT INTO storage.messages (id, session_id, role, content, model, tool_calls, tool_call_id, name)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"""
# The original reads everything with one statement too, and PostgreSQL builds the messages as JSON.
READ = """SELECT s.id, s.title, s.created_at, s.prompt_tokens, s.completion_tokens, s.total_tokens,
        coalesce(json_agg(json_build_object('id', m.id, 'role', m.role, 'content', m.content, 'model', m.model,
            'tool_calls', m.tool_calls, 'tool_call_id', m.tool_call_id, 'name', m.name) ORDER BY m.created_at)
            FILTER (WHERE m.id IS NOT NULL), '[]') AS messages
    FROM storage.chat_sessions s LEFT JOIN storage.messages m ON m.session_id = s.id
    WHERE s.user_id = %s GROUP BY s.id ORDER BY s.created_at DESC"""
TOKENS = ("prompt_tokens", "completion_tokens", "total_tokens")
OPTIONAL = ("model", "tool_calls", "tool_call_id", "name")

Session = dict[str, Any]


class Service:
    def __init__(self, connection: psycopg.Connection[dict[str, Any]]) -> None:
        self.connection = connection

    def save(self, body: bytes) -> None:
        with self.connection.transaction():
            self.connection.execute(DELETE, [USER])
            for session in orjson.loads(body)["chatSessions"]:
                self._insert(session)

    def read(self) -> bytes:
        found = self.connection.execute(READ, [USER]).fetchall()
        return orjson.dumps({"chatSessions": [_session(row) for row in found]})

    def _insert(self, session: Session) -> None:
        usage = [session["tokenUsage"][name] for name in TOKENS]
        self.connection.execute(INSERT_SESSION, [session["id"], USER, session["title"], session["createdAt"], *usage])
        for message in session["messages"]:
            self.connection.execute(INSERT_MESSAGE, _values(session, message))


@contextmanager
def serving(url: str) -> Iterator[Service]:
    """Create the tables in the database at this URL, yield the service, and drop the tables at the end."""
    # Like the original's driver: it parses each statement again.
    with psycopg.connect(url, autocommit=True, prepare_threshold=None, row_factory=dict_row) as connection:
        set_json_loads(orjson.loads, connection)
        connection.execute(TABLES)
        yield Service(connection)
        connection.execute("DROP SCHEMA storage CASCADE")


def _values(session: Session, message: dict[str, Any]) -> list[Any]:
    calls = message.get("tool_calls")
    return [
        message["id"],
        session["id"],
        message["role"],
        message.get("content"),
        message.get("model"),
        Jsonb(calls) if calls else None,
        message.get("tool_call_id"),
        message.get("name"),
    ]


def _session(row: Session) -> Session:
    return {
        "id": row["id"],
        "title": row["title"],
        "messages": [_message(message) for message in row["messages"]],
        "createdAt": row["created_at"],
        "tokenUsage": {name: row[name] for name in TOKENS},
    }


def _message(stored: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in stored.items() if value is not None or name not in OPTIONAL}
