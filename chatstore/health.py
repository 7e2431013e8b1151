"""Ask the database within a bounded time whether it can be used."""

from concurrent.futures import ThreadPoolExecutor, TimeoutError

from django.db import DatabaseError, connection

from .database import renew_connections

OK, READ_ONLY, UNAVAILABLE = "ok", "read-only", "unavailable"
LIMIT = 3  # seconds
# There is only one thread. If the database accepts the statement and never answers, the thread waits, and later calls
# time out.
_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="health")


def database_state() -> str:
    """Return OK, READ_ONLY or UNAVAILABLE after LIMIT seconds at most."""
    state = _thread.submit(_ask)
    try:
        return state.result(timeout=LIMIT)
    except TimeoutError:
        state.cancel()
        return UNAVAILABLE


def _ask() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SHOW transaction_read_only")  # also "on" in a standby
            is_read_only = cursor.fetchone() == ("on",)
    except DatabaseError:
        return UNAVAILABLE
    finally:
        connection.close()
    if is_read_only:
        renew_connections()
    return READ_ONLY if is_read_only else OK
