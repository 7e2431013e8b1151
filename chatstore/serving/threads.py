"""The threads that run the application."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from typing import Any, TypeVar

Result = TypeVar("Result")
WAITING_LIMIT = 100  # threads of a process that can wait for another service and have a substitute


class Threads:
    """Runs functions in `size` threads. They are daemons: a thread that hangs does not keep the process alive."""

    def __init__(self, size: int) -> None:
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._substitutes = 0
        self._lock = threading.Lock()
        for _ in range(size):
            self._start_thread()

    def call(self, function: Callable[[], Result]) -> "asyncio.Future[Result]":
        """Run the function in a thread. Call this in the event loop; the future belongs to it."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._jobs.put(lambda: _run(function, future))
        return future

    @contextmanager
    def substitute(self) -> Iterator[None]:
        """Let another thread work during the block, in which the calling thread waits."""
        if has_one := self._count_substitute():
            self._start_thread()
        try:
            yield
        finally:
            if has_one:
                self._jobs.put(None)  # ends the next thread that is free
                with self._lock:
                    self._substitutes -= 1

    def _count_substitute(self) -> bool:
        with self._lock:
            is_allowed = self._substitutes < WAITING_LIMIT
            self._substitutes += is_allowed
        return is_allowed

    def _start_thread(self) -> None:
        _Thread(self).start()

    def work(self) -> None:
        while job := self._jobs.get():
            job()


class _Thread(threading.Thread):
    def __init__(self, threads: Threads) -> None:
        super().__init__(daemon=True, name="request")
        self.threads = threads

    def run(self) -> None:
        self.threads.work()


@contextmanager
def waiting() -> Iterator[None]:
    """Say that this thread waits for another service during the block, for example for a model's answer.

    Another thread answers requests in the meantime, so that slow services do not stop the web server. Release the
    database connection first (chatstore.database.release_connection). Does nothing outside the web server, or if
    WAITING_LIMIT threads wait already.
    """
    thread = threading.current_thread()
    if isinstance(thread, _Thread):
        with thread.threads.substitute():
            yield
    else:
        yield


def _run(function: Callable[[], Any], future: "asyncio.Future[Any]") -> None:
    settle: Callable[[asyncio.Future[Any], Any], None] = _succeed
    try:
        outcome = function()
    except BaseException as error:  # it belongs to the code that waits for the future
        settle, outcome = _fail, error
    with suppress(RuntimeError):  # the event loop is closed, because the process stops
        future.get_loop().call_soon_threadsafe(settle, future, outcome)


def _succeed(future: "asyncio.Future[Any]", result: Any) -> None:
    if not future.done():
        future.set_result(result)


def _fail(future: "asyncio.Future[Any]", error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
