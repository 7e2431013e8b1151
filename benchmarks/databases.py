"""Create and drop the benchmark's own databases, on the server that chatstore uses (DATABASE_URL or embedded)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import LiteralString
from urllib.parse import quote, urlsplit

import psycopg
from django.conf import settings
from psycopg.sql import SQL, Composable, Identifier, Literal

PREFIX = "chatstore_bench_"


def url(name: str) -> str:
    if settings.DATABASE_URL:
        return urlsplit(settings.DATABASE_URL)._replace(scheme="postgresql", path=f"/{name}").geturl()
    server = settings.DATABASES["default"]
    return f"postgresql://{server['USER']}@/{name}?host={quote(server['HOST'])}&port={server['PORT']}"


def connect(name: str) -> psycopg.Connection:
    return psycopg.connect(url(name), autocommit=True)


def create(name: str) -> None:
    drop(name)
    _on_server("CREATE DATABASE {}", Identifier(name))


def drop(name: str) -> None:
    if not name.startswith(PREFIX):  # never drop a database that the benchmark did not create
        raise ValueError(name)
    _on_server("DROP DATABASE IF EXISTS {} WITH (FORCE)", Identifier(name))


@contextmanager
def copy_of(name: str) -> Iterator[str]:
    """Yield the URL of a copy of the database, so that each run begins with the same rows. Drop the copy at the end."""
    copy = name.replace(PREFIX, f"{PREFIX}run_")
    drop(copy)
    try:
        _on_server("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", Identifier(copy), Identifier(name))
        yield url(copy)
    finally:
        drop(copy)


def label_of(name: str) -> str | None:
    """Return the label of the database, or None. A fill sets it last, so after an interrupted fill there is none."""
    query = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s"
    with _server() as connection:
        row = connection.execute(query, [name]).fetchone()
    return row and row[0]


def label(name: str, text: str) -> None:
    _on_server("COMMENT ON DATABASE {} IS {}", Identifier(name), Literal(text))


def _on_server(statement: LiteralString, *parts: Composable) -> None:
    with _server() as connection:
        connection.execute(SQL(statement).format(*parts))


def _server() -> psycopg.Connection:
    return connect(settings.DATABASES["default"]["NAME"])
