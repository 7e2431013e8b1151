"""Run functions at the same time, each in a thread with its own database connection."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.db import connection, transaction

Work = Callable[[], Any]
TIMEOUT = 60  # seconds
BLOCKED = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"


def run_concurrently(*works: Work, connect: bool = True) -> list[Any]:
    """Return the results in order, or raise the first exception. Functions that only send requests to a server need no
    database connection: use `connect=False` for them."""
    start = Barrier(len(works))

    def run(work: Work) -> Any:
        if connect:
            connection.ensure_connection()
        start.wait(timeout=TIMEOUT)
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result() for future in [pool.submit(run_and_disconnect, run, work) for work in works]]


def repeat(count: int, work: Callable[[int], Any]) -> list[Work]:
    """Return functions that call `work` with 0, 1, 2, …"""
    return [lambda index=index: work(index) for index in range(count)]


def run_while_locked(first: Work, second: Work) -> Any:
    """Run `second` while the transaction of `first` holds its locks, and return its result or raise its exception.

    The transaction of `first` is committed once `second` waits for a lock.
    """
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first()
            waiting = pool.submit(run_and_disconnect, second)
            _wait_until_blocked()
        return waiting.result()


def run_and_disconnect(work: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return work(*arguments)
    finally:
        connection.close()


def _wait_until_blocked() -> None:
    deadline = time.monotonic() + TIMEOUT
    with connection.cursor() as cursor:
        cursor.execute(BLOCKED)
        while not cursor.fetchone()[0]:
            assert time.monotonic() < deadline, "no connection waits for a lock"
            time.sleep(0.01)
            cursor.execute(BLOCKED)
