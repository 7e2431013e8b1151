"""A lock in the database, so that servers that start at once migrate one after the other.

The lock belongs to an open transaction on a connection of its own: through PgBouncer in transaction mode a lock of the
session would be left on a connection that others use. A process that waits asks again and again in transactions of
their own. One that waited inside a statement would hold a snapshot, and CREATE INDEX CONCURRENTLY, in a migration of
the process that holds the lock, would wait for that snapshot for ever.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

KEY = 0x63686174  # any number that no other program uses in this database
ASK_EVERY = 0.2  # seconds


@contextmanager
def held(alias: str) -> Iterator[None]:
    """Wait for the lock without a limit; release it at the end of the block."""
    connection = connections[alias].copy()
    try:
        connection.set_autocommit(False)
        while not _take(connection):
            connection.rollback()
            time.sleep(ASK_EVERY)
        yield
    finally:
        connection.close()  # ends the transaction


def _take(connection: BaseDatabaseWrapper) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [KEY])
        return bool(cursor.fetchone()[0])
