"""Runs functions that use the database in threads, whose connections are closed after an error."""

import asyncio
import contextvars
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from django.db import Error, InterfaceError, OperationalError, connection

Result = TypeVar("Result")
CLOSE_TIMEOUT = 5  # seconds
PATIENCE = 600  # seconds


def disconnecting(work: Callable[..., Result], *arguments: Any) -> Result:
    """Call the function. Close this thread's connection if a statement fails, so that the next one connects again."""
    try:
        return work(*arguments)
    except Error:
        connection.close()
        raise


class Threads:
    """A pool of threads with a database connection each. Work runs in the context of the task that requests it."""

    def __init__(self, count: int, *, retry: float) -> None:
        self._count, self._retry = count, retry
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="replies")

    async def run(self, work: Callable[..., Result], *arguments: Any) -> Result:
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, context.run, disconnecting, work, *arguments)

    async def insist(self, work: Callable[..., Result], *arguments: Any) -> Result:
        """Run the work. While the database is away, try again, for at most PATIENCE seconds."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return await self.run(work, *arguments)
            except (OperationalError, InterfaceError):
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(self._retry)

    def close(self) -> None:
        """Close the connections of all threads, and end the threads. Waits CLOSE_TIMEOUT for work that hangs."""
        all_threads = threading.Barrier(self._count, timeout=CLOSE_TIMEOUT)
        for _ in range(self._count):
            self._pool.submit(_disconnect, all_threads)
        self._pool.shutdown()


def _disconnect(all_threads: threading.Barrier) -> None:
    with suppress(threading.BrokenBarrierError):
        all_threads.wait()  # so that each thread runs this function once
    connection.close()
