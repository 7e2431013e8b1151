"""The SQL statements that a block of code executes on the test's connection. Transaction control is not recorded."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest import mock

from django.db import connection
from psycopg import Cursor

NOT_COUNTED = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


@contextmanager
def executed_sql(shorten: Callable[[str], str] = str) -> Iterator[list[str]]:
    """Record the text of each statement, in order."""
    recorded: list[str] = []

    def record(execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        if not sql.lstrip().upper().startswith(NOT_COUNTED):
            recorded.append(shorten(sql))
        return execute(sql, *arguments)

    def copy(cursor: Any, sql: str, *arguments: Any) -> Any:
        recorded.append(shorten(sql))
        return original_copy(cursor, sql, *arguments)

    original_copy = Cursor.copy
    with connection.execute_wrapper(record), mock.patch.object(Cursor, "copy", copy):
        yield recorded


def executed_statements() -> AbstractContextManager[list[str]]:
    """Record only the first word of each statement: ["SELECT", "UPDATE"]."""
    return executed_sql(shorten=lambda sql: sql.split(maxsplit=1)[0].upper())


@contextmanager
def assert_statement_count(count: int) -> Iterator[None]:
    with executed_sql() as recorded:
        yield
    assert len(recorded) == count, "\n".join(sql[:200] for sql in recorded)
