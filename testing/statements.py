"""Numbers in tests are numbers of statements: what a call asks of the database, transactions not counted."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

COUNTED = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")


@contextmanager
def statements() -> Iterator[list[str]]:
    """Their verbs, in order."""
    verbs: list[str] = []

    def note(execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        verb = sql.split(maxsplit=1)[0].upper()
        verbs.extend([verb] if verb in COUNTED else [])
        return execute(sql, *arguments)

    with connection.execute_wrapper(note):
        yield verbs
