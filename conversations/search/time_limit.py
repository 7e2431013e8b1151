"""The time that the statements of one search share."""

import time
from typing import Any

import psycopg
from django.db import OperationalError, connection
from django.utils.translation import gettext

from chatstore.errors import Invalid

IN_ALL = 1_500  # milliseconds for the statements of a search together
TIME_LIMIT = 1_000  # milliseconds for a statement

# The driver sends these statements in one message, so the limit costs no round trip. PostgreSQL runs them in one
# transaction, and measures the time of each one separately.
LIMITED = """SET LOCAL statement_timeout = {limit};
{statement};
SET LOCAL statement_timeout TO DEFAULT"""


class Budget:
    """The time for one search. It begins when this object is created."""

    def __init__(self) -> None:
        self._end = time.monotonic() + IN_ALL / 1_000

    def fetch(self, statement: str, params: Any, *, limit: int = TIME_LIMIT, reserve: int = 0) -> list[tuple[Any, ...]]:
        """Return the rows of a statement.

        It can take `limit` milliseconds, and at most what is left of the budget, without the last `reserve`
        milliseconds. Raise Invalid if it takes longer, or if nothing is left. A transaction of the caller then has
        failed, too."""
        left = int((self._end - time.monotonic()) * 1_000) - reserve
        if left <= 0:  # PostgreSQL understands 0 as no limit
            raise _too_slow()
        try:
            with connection.cursor() as cursor:
                cursor.execute(LIMITED.format(limit=min(limit, left), statement=statement), params)
                cursor.nextset()  # the rows of the statement; the first result is that of SET
                return cursor.fetchall()
        except OperationalError as error:
            if isinstance(error.__cause__, psycopg.errors.QueryCanceled):
                raise _too_slow() from None
            raise


def _too_slow() -> Invalid:
    message = gettext("The search takes too long. Search for longer words, or for a shorter time.")
    return Invalid(message, code="search_too_slow", field="q")
