"""Fills a benchmark database: the same rows for the same sizes and seed, as chatstore would have written them.

One user has a tenth of all messages. Conversations came one after the other over two years; some have replies that were
generated again, tool calls, messages or themselves in the trash.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, Self
from uuid import UUID

import psycopg
from django.db import connection as django_connection
from django.db.models import Model
from psycopg.types.json import Jsonb

from accounts.models import ApiToken, User
from conversations.models import Conversation, Message, Role
from conversations.services import titles
from conversations.services.tree import preview_of

from . import databases
from .text import Writer

HERE = Path(__file__).parent
SOURCES = ("fill.py", "text.py")
# Secrets that open nothing but a benchmark database.
TENTH = "cs_tenth"  # the user with a tenth of all messages
LIKE = "cs_like"  # a user with about as many messages in every database
LIKE_MESSAGES = 1_000
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
PERIOD = timedelta(days=730)
LENGTHS = (2, 2, 4, 4, 6, 8, 12, 20, 40, 160)  # messages of a conversation
FORMER_UNTIL = 0.2  # of the period: until then people spoke of what they no longer speak of
BATCH = 500  # conversations
NEAREST = "SELECT user_id FROM message GROUP BY 1 ORDER BY abs(count(*) - %s), 1 LIMIT 1"
TOOL_CALL = {"id": "call_1", "type": "function", "function": {"name": "search", "arguments": '{"q": "weather"}'}}


@dataclass(frozen=True)
class Size:
    messages: int
    users: int
    seed: int

    @classmethod
    def of(cls, messages: int, users: int | None, seed: int) -> Self:
        return cls(messages, users or max(2, messages // 1000), seed)

    @property
    def name(self) -> str:
        return f"{databases.PREFIX}{self.messages}"

    @property
    def key(self) -> str:
        """Changes with what would fill the database differently: sizes, the schema, this code."""
        sources = [*sorted(HERE.parent.glob("*/migrations/*.py")), *(HERE / source for source in SOURCES)]
        digest = hashlib.sha256(repr(self).encode())
        for source in sources:
            digest.update(source.read_bytes())
        return digest.hexdigest()


def filled(size: Size, *, fresh: bool) -> str:
    """The name of a database of this size: the one that an earlier run filled, or a new one."""
    if fresh or databases.label_of(size.name) != size.key:
        print(f"filling {size.name} …", file=sys.stderr, flush=True)
        _fill(size)
        databases.label(size.name, size.key)
    return size.name


def _fill(size: Size) -> None:
    databases.create(size.name)
    _migrate(databases.url(size.name))
    with databases.connect(size.name) as connection:
        definitions = _drop_gin_indexes(connection)
        _write(connection, size)
        for definition in definitions:
            connection.execute(definition)
        connection.execute("VACUUM (ANALYZE)")


def _migrate(url: str) -> None:
    command = [sys.executable, "-m", "django", "migrate", "--verbosity=0", "--skip-checks"]
    settings = {"DATABASE_URL": url, "SECRET_KEY": "benchmark", "DJANGO_SETTINGS_MODULE": "chatstore.settings"}
    subprocess.run(command, env=os.environ | settings, cwd=HERE.parent, check=True)


def _drop_gin_indexes(connection: psycopg.Connection) -> list[str]:
    """Making these of a full table takes a fifth of the time that growing them row by row takes."""
    query = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'message' AND indexdef LIKE '%USING gin%'"
    found = connection.execute(query).fetchall()
    for name, _ in found:
        connection.execute(f"DROP INDEX {name}")
    connection.execute("SET maintenance_work_mem = '1GB'")
    return [definition for _, definition in found]


def _write(connection: psycopg.Connection, size: Size) -> None:
    world = World(size)
    _copy(connection, User, world.users)
    conversations = world.conversations()
    while batch := list(islice(conversations, BATCH)):
        _copy(connection, Conversation, (conversation for conversation, _ in batch))
        _copy(connection, Message, (message for _, messages in batch for message in messages))
    like = connection.execute(NEAREST, [LIKE_MESSAGES]).fetchone()
    assert like
    _copy(connection, ApiToken, [world.token(TENTH, world.users[0]["id"]), world.token(LIKE, like[0])])


def _copy(connection: psycopg.Connection, model: type[Model], rows: Iterable[dict[str, Any]]) -> None:
    """A column that a row does not name gets its field's default."""
    defaults = {
        field.column: field.get_db_prep_save(field.get_default(), django_connection)
        for field in model._meta.concrete_fields
        if not field.generated and not field.has_db_default()
    }
    with connection.cursor().copy(f"COPY {model._meta.db_table} ({', '.join(defaults)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row([row.get(column, default) for column, default in defaults.items()])


class World:
    def __init__(self, size: Size) -> None:
        self.size = size
        self.rng = Random(size.seed)
        self.writer = Writer(self.rng)
        self.users = [self._user(number) for number in range(size.users)]

    def token(self, secret: str, user_id: UUID) -> dict[str, Any]:
        name = secret.removeprefix(ApiToken.PREFIX)
        digest = ApiToken.digest_of(secret)
        return {"id": self.new_id(BEGIN), "user_id": user_id, "name": name, "digest": digest, "created_at": BEGIN}

    def conversations(self) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
        written = of_first = 0
        while written < self.size.messages:
            share = written / self.size.messages
            # The first user's share is a tenth at every time, not only at the end.
            owner = self.users[0] if of_first * 10 <= written else self.rng.choice(self.users[1:])
            talk = Talk(self, owner["id"], BEGIN + share * PERIOD, former=share < FORMER_UNTIL)
            written += len(talk.messages)
            of_first += len(talk.messages) * (owner is self.users[0])
            yield talk.row(), talk.messages

    def _user(self, number: int) -> dict[str, Any]:
        email = f"user{number}@example.org"
        return {"id": self.new_id(BEGIN), "email": email, "password": "!", "name": email, "updated_at": BEGIN}

    def new_id(self, when: datetime) -> UUID:
        """A UUIDv7 of that time, with bits of ours: the index grows at its right edge, as it does in service."""
        milliseconds = int(when.timestamp() * 1000)
        return UUID(
            int=milliseconds << 80 | 7 << 76 | self.rng.getrandbits(12) << 64 | 2 << 62 | self.rng.getrandbits(62)
        )


class Talk:
    """One conversation, message by message, and what its row says of them."""

    def __init__(self, world: World, user_id: UUID, started: datetime, *, former: bool) -> None:
        self.world, self.rng, self.former = world, world.rng, former
        self.user_id, self.started, self.now = user_id, started, started
        self.id = world.new_id(started)
        self.messages: list[dict[str, Any]] = []
        self.tip: int | None = None
        length = self.rng.choice(LENGTHS)
        while len(self.messages) < length:
            self._exchange()

    def _exchange(self) -> None:
        if self.messages and self.rng.random() < 0.02:
            self.messages[-1]["deleted_at"] = self.now  # hidden, and still on the path of what is said next
        self._say(Role.USER, content=self.world.writer.question(former=self.former))
        if self.rng.random() < 0.05:
            self._say(Role.ASSISTANT, content=None, tool_calls=Jsonb([TOOL_CALL]))
            self._say(Role.TOOL, content='{"weather": "fair"}', tool_call_id=TOOL_CALL["id"])
        if self.rng.random() < 0.03:
            self._reply(is_active=False)  # generated again
        self._reply()

    def _reply(self, **fields: Any) -> None:
        content = self.world.writer.reply(former=self.former)
        tokens = {"prompt_tokens": 40 * len(self.messages), "completion_tokens": len(content) // 4}
        self._say(Role.ASSISTANT, content=content, model="gpt-4", finish_reason="stop", **tokens, **fields)

    def _say(self, role: Role, **fields: Any) -> None:
        self.now += timedelta(seconds=self.rng.uniform(2, 60))
        seq = len(self.messages) + 1
        place = {"conversation_id": self.id, "user_id": self.user_id, "seq": seq, "parent_seq": self.tip}
        times = {"created_at": self.now, "updated_at": self.now}
        self.messages.append(
            {"id": self.world.new_id(self.now), **place, "is_active": True, "role": role, **times, **fields}
        )
        if self.messages[-1]["is_active"]:
            self.tip = seq

    def row(self) -> dict[str, Any]:
        shown = [message for message in self.messages if message["is_active"] and not message.get("deleted_at")]
        texts = [message["content"] for message in shown if message["content"]]
        return {
            "id": self.id,
            "user_id": self.user_id,
            "title": titles.from_messages(self.messages),
            "title_is_auto": True,
            "model": "gpt-4",
            "deleted_at": self.now if self.rng.random() < 0.02 else None,
            "last_seq": len(self.messages),
            "tip_seq": shown[-1]["seq"],
            "message_count": len(shown),
            "preview": preview_of(texts[-1]),
            "prompt_tokens": self._sum("prompt_tokens"),
            "completion_tokens": self._sum("completion_tokens"),
            "created_at": self.started,
            "updated_at": self.now,
            "active_at": self.now,
        }

    def _sum(self, tokens: str) -> int:
        return sum(message.get(tokens) or 0 for message in self.messages)
