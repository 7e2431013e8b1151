"""Fill the benchmark databases, and keep them for later runs."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Self

import psycopg
from django.db import connection as django_connection
from django.db.models import Model

from accounts.models import ApiToken, User
from conversations.models import Conversation, Message

from . import databases
from .chats.fill import copy_user
from .world import Dataset, Row

HERE = Path(__file__).parent
SOURCES = ("fill.py", "world.py", "text.py", "chats/fill.py", "chats/models.py")
# The secrets of tokens that exist only in benchmark databases.
TENTH = "cs_tenth"  # the user with a tenth of all messages
TYPICAL = "cs_typical"  # a user with about the same number of messages in every database
TYPICAL_MESSAGES = 1_000
BATCH = 500  # conversations
NEAREST = "SELECT user_id FROM message GROUP BY 1 ORDER BY abs(count(*) - %s), 1 LIMIT 1"


@dataclass(frozen=True)
class Size:
    messages: int
    users: int
    seed: int

    @classmethod
    def of(cls, messages: int, users: int | None, seed: int) -> Self:
        return cls(messages, users or max(2, messages // 500), seed)

    @property
    def name(self) -> str:
        return f"{databases.PREFIX}{self.messages}"

    @property
    def key(self) -> str:
        """Return a digest of everything that determines the rows: the sizes, the migrations and this code."""
        sources = [*sorted(HERE.parent.glob("*/migrations/*.py")), *(HERE / source for source in SOURCES)]
        digest = hashlib.sha256(repr(self).encode())
        for source in sources:
            digest.update(source.read_bytes())
        return digest.hexdigest()


def filled(size: Size, *, fresh: bool) -> str:
    """Return the name of a database of this size. Reuse the database of an earlier run, or fill a new one."""
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
        copy_user(databases.url(size.name))
        connection.execute("VACUUM (ANALYZE)")


def _migrate(url: str) -> None:
    command = [sys.executable, "-m", "django", "migrate", "--verbosity=0", "--skip-checks"]
    settings = {"DATABASE_URL": url, "SECRET_KEY": "benchmark", "DJANGO_SETTINGS_MODULE": "chatstore.settings"}
    subprocess.run(command, env=os.environ | settings, cwd=HERE.parent, check=True)


def _drop_gin_indexes(connection: psycopg.Connection) -> list[str]:
    """Drop the GIN indexes and return their definitions. Building them afterwards is faster than updating them."""
    query = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'message' AND indexdef LIKE '%USING gin%'"
    indexes = connection.execute(query).fetchall()
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}")
    connection.execute("SET maintenance_work_mem = '1GB'")
    return [definition for _, definition in indexes]


def _write(connection: psycopg.Connection, size: Size) -> None:
    dataset = Dataset(size.messages, size.users, size.seed)
    copy_rows(connection, User, dataset.users)
    conversations = dataset.conversations()
    while batch := list(islice(conversations, BATCH)):
        copy_rows(connection, Conversation, (conversation for conversation, _ in batch))
        copy_rows(connection, Message, (message for _, messages in batch for message in messages))
    typical = connection.execute(NEAREST, [TYPICAL_MESSAGES]).fetchone()
    assert typical
    tokens = [dataset.token(TENTH, dataset.users[0]["id"]), dataset.token(TYPICAL, typical[0])]
    copy_rows(connection, ApiToken, tokens)


def copy_rows(connection: psycopg.Connection, model: type[Model], rows: Iterable[Row]) -> None:
    """Copy rows into the table of a model. If a row has no value for a column, use the default of the field."""
    defaults = {
        field.column: field.get_db_prep_save(field.get_default(), django_connection)
        for field in model._meta.concrete_fields
        if not field.generated and not field.has_db_default()
    }
    with connection.cursor().copy(f"COPY {model._meta.db_table} ({', '.join(defaults)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row([row.get(column, default) for column, default in defaults.items()])
