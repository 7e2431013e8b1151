"""The time limit of the statements of a search."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import OperationalError, connection, transaction
from django.utils.translation import gettext

from chatstore.errors import Invalid


@contextmanager
def time_limit(milliseconds: int) -> Iterator[None]:
    """Limit the time of each statement in the block. Raise Invalid if a statement exceeds it."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = %s", [milliseconds])
            yield
            # PostgreSQL can notice the end of the time only after a statement has succeeded, and then cancels the next
            # one, which is this one. It also ends the limit if the caller has a transaction open. A rollback would end
            # it, too, but would make psycopg drop the prepared statements of the connection.
            cursor.execute("SET LOCAL statement_timeout TO DEFAULT")
    except OperationalError as error:
        if isinstance(error.__cause__, psycopg.errors.QueryCanceled):
            message = gettext("The search takes too long. Search for longer words, or for a shorter time.")
            raise Invalid(message, code="search_too_slow", field="q") from None
        raise
