"""The time limit of the statements of a search."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import OperationalError, connection, transaction
from django.utils.translation import gettext

from chatstore.errors import Invalid


@contextmanager
def time_limit(milliseconds: int) -> Iterator[None]:
    """Limit the time of each statement in the block. Raise Invalid if a statement exceeds it.

    The block may only read. Its transaction, or its savepoint in a transaction of the caller, is always rolled back,
    because this also ends the limit."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = %s", [milliseconds])
            yield
            # PostgreSQL can notice the end of the time only after a statement has succeeded. It then cancels the next
            # statement, which must not be the rollback to the savepoint.
            cursor.execute("SET LOCAL statement_timeout = 0")
            transaction.set_rollback(True)
    except OperationalError as error:
        if isinstance(error.__cause__, psycopg.errors.QueryCanceled):
            message = gettext("The search takes too long. Search for longer words, or for a shorter time.")
            raise Invalid(message, code="search_too_slow", field="q") from None
        raise
