"""An advisory lock, so that servers that start at the same time migrate one after the other.

An open transaction on a separate connection holds the lock. A session lock would not do: PgBouncer in transaction mode
would leave it on a connection that other clients use. A waiting process retries, each time in a new transaction. If it
waited inside a statement, it would hold a snapshot, and a CREATE INDEX CONCURRENTLY in the other process's migration
would wait for that snapshot forever.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

KEY = 0x63686174  # an arbitrary number
RETRY_EVERY = 0.2  # seconds


@contextmanager
def held(alias: str) -> Iterator[None]:
    """Hold the lock during the block. Waits for it without a time limit."""
    connection = connections[alias].copy()
    try:
        connection.set_autocommit(False)
        while not _take(connection):
            connection.rollback()
            time.sleep(RETRY_EVERY)
        yield
    finally:
        connection.close()  # ends the transaction, which releases the lock


def _take(connection: BaseDatabaseWrapper) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [KEY])
        return bool(cursor.fetchone()[0])
