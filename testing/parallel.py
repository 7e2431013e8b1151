"""Work done at the same time, each in a thread with a connection of its own."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.db import connection, transaction

Work = Callable[[], Any]
PATIENCE = 60  # seconds
WAITING = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"


def run_concurrently(*works: Work) -> list[Any]:
    """What each gives; an exception that one raises is raised here."""
    start = Barrier(len(works))

    def run(work: Work) -> Any:
        connection.ensure_connection()
        start.wait(timeout=PATIENCE)
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result() for future in [pool.submit(run_and_disconnect, run, work) for work in works]]


def repeat(count: int, work: Callable[[int], Any]) -> list[Work]:
    return [lambda index=index: work(index) for index in range(count)]


def run_while_locked(first: Work, second: Work) -> Any:
    """What the second gives, or raises: it waits for a lock of the first, whose transaction is committed only then."""
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first()
            waiting = pool.submit(run_and_disconnect, second)
            _until_one_waits()
        return waiting.result()


def run_and_disconnect(work: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return work(*arguments)
    finally:
        connection.close()


def _until_one_waits() -> None:
    deadline = time.monotonic() + PATIENCE
    with connection.cursor() as cursor:
        cursor.execute(WAITING)
        while not cursor.fetchone()[0]:
            assert time.monotonic() < deadline, "nobody waits"
            time.sleep(0.01)
            cursor.execute(WAITING)
