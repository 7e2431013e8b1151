"""Sends the contents of responses: bytes that are ready, and pieces that a thread produces while they are sent.

Hazards: clients that do not read large responses, and so hold memory; a client that disconnects while a thread
produces; a slow client that holds a thread; fast clients whose downloads hold all threads.

A thread produces pieces only while less than HELD bytes wait for the client, and for at most RUN seconds. Then the
thread is free. The next run begins when the client has read the pieces, after the requests that wait for a thread by
then. It is not always in the same thread, so a response must not use a database connection across two pieces. The
connection goes back to the pool after each run.

Large responses of a process share ANSWERS_LIMIT bytes of memory. If this is exceeded, responses are broken off: those
that have waited for their client for UNREAD seconds, and of these one of the client that occupies the most memory. A
client is a user, or an address. So the downloads that a stranger does not read cannot break off those of others.
"""

import asyncio
import contextvars
import math
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.db import close_old_connections

from .threads import Threads

Send = Callable[[dict[str, Any]], Awaitable[None]]

LARGE = 65_536  # bytes; smaller responses are in the socket's buffer and do not count
PIECE = 262_144  # bytes of a large response that are given to the network at once
HELD = 262_144  # bytes of a response that wait for its client
RUN = 0.02  # seconds for which a thread produces pieces of one response; it can exceed them by one piece
ANSWERS_LIMIT = 100_000_000  # bytes
UNREAD = 1.0  # seconds


class _Large:
    """A large response. `waits_since` is the loop's time from which it waits for its client, or infinite."""

    def __init__(self, client: Hashable, size: int, send: Send) -> None:
        self.client, self.size, self._send = client, size, send
        self.loop = asyncio.get_running_loop()
        self.waits_since = math.inf

    async def send(self, message: dict[str, Any]) -> None:
        self.waits_since = self.loop.time()
        await self._send(message)
        self.waits_since = math.inf

    def is_unread(self) -> bool:
        return self.loop.time() - self.waits_since >= UNREAD


class LargeAnswers:
    """The large responses that are being sent."""

    def __init__(self) -> None:
        self._running: dict[asyncio.Task[Any], _Large] = {}

    @contextmanager
    def sending(self, client: Hashable, size: int, send: Send) -> Iterator[Send]:
        """Count the current task's response during the block. Yield the function that sends it.

        Cancels other tasks if the memory is exceeded."""
        task = asyncio.current_task()
        assert task is not None
        new = _Large(client, size, send)
        while self._running and sum(self._used(new).values()) > ANSWERS_LIMIT:
            victim = self._choose_victim(new)
            del self._running[victim]
            victim.cancel()
        self._running[task] = new
        try:
            yield new.send
        finally:
            self._running.pop(task, None)

    def _used(self, new: _Large) -> Counter[Hashable]:
        """Return the bytes that each client occupies, together with its new response."""
        used: Counter[Hashable] = Counter()
        for large in (*self._running.values(), new):
            used[large.client] += large.size
        return used

    def _choose_victim(self, new: _Large) -> "asyncio.Task[Any]":
        running, used = self._running, self._used(new)
        unread = [task for task, large in running.items() if large.is_unread()]
        return max(unread or running, key=lambda task: (used[running[task].client], -running[task].waits_since))


async def send_bytes(content: bytes, send: Send, large: LargeAnswers, client: Hashable) -> None:
    """Send the whole content of a response."""
    if len(content) <= LARGE:
        await send({"type": "http.response.body", "body": content})
        return
    with large.sending(client, len(content), send) as send_piece:
        view = memoryview(content)
        for start in range(0, len(content), PIECE):
            is_last = start + PIECE >= len(content)
            body = bytes(view[start : start + PIECE])
            await send_piece({"type": "http.response.body", "body": body, "more_body": not is_last})


class Pieces:
    """The content of a response that the application produces while it is sent. Create this in the request's thread."""

    def __init__(self, result: Iterable[bytes], *, is_complete: bool) -> None:
        """`is_complete` says that all of the content exists already, as in a file. Small pieces of it are joined."""
        self.result, self.iterator = result, _join(result) if is_complete else iter(result)
        self.context = contextvars.copy_context()  # it contains the language of the request
        self.produced = self.taken = 0  # bytes; only threads change the first, only the event loop the second
        self.is_closed = False

    def produce(self, put: Callable[[bytes], None]) -> bool:
        """Put pieces until enough of them wait for the client, or until RUN seconds have passed.

        Return whether the pieces have ended. Runs in a thread."""
        end = time.monotonic() + RUN
        try:
            while self.produced - self.taken < HELD and time.monotonic() < end and not self.is_closed:
                piece = self.context.run(next, self.iterator, None)
                if piece is None:
                    return True
                self.produced += len(piece)
                put(piece)
            return self.is_closed
        finally:
            close_old_connections()

    def close(self) -> None:
        """Close the result. Runs in a thread."""
        self.is_closed = True
        if close := getattr(self.result, "close", None):
            self.context.run(close)
        close_old_connections()


def _join(pieces: Iterable[bytes]) -> Iterator[bytes]:
    block = bytearray()
    for piece in pieces:
        block += piece
        if len(block) >= LARGE:
            yield bytes(block)
            block.clear()
    if block:
        yield bytes(block)


async def send_pieces(
    pieces: Pieces, send: Send, threads: Threads, large: LargeAnswers, client: Hashable, is_gone: Callable[[], bool]
) -> None:
    """Send the pieces until they end or the client is gone. Then close the result."""
    transfer = _Transfer(pieces, threads)
    try:
        with large.sending(client, HELD + PIECE, send) as send_piece:
            while (piece := await transfer.next()) and not is_gone():
                await send_piece({"type": "http.response.body", "body": piece, "more_body": True})
            await send_piece({"type": "http.response.body"})
    finally:
        await asyncio.shield(transfer.close())


class _Transfer:
    """Lets threads produce pieces, one thread at a time, and gives the pieces to the event loop."""

    def __init__(self, pieces: Pieces, threads: Threads) -> None:
        self.pieces, self.threads = pieces, threads
        self.loop = asyncio.get_running_loop()
        self.queue: asyncio.Queue[Any] = asyncio.Queue()  # pieces, and each run of a thread when it has ended
        self._start_run()

    def _start_run(self) -> None:
        self.run = self.threads.call(partial(self.pieces.produce, self._put))
        self.run.add_done_callback(self.queue.put_nowait)

    def _put(self, piece: bytes) -> None:
        self.loop.call_soon_threadsafe(self.queue.put_nowait, piece)

    async def next(self) -> bytes:
        """Return the next piece, or b"" at the end. Raises the error of the application."""
        while True:
            item = await self.queue.get()
            if not isinstance(item, asyncio.Future):
                self.pieces.taken += len(item)
                if item:
                    return bytes(item)
            elif item.result():
                return b""
            else:
                self._start_run()

    async def close(self) -> None:
        self.pieces.is_closed = True
        await asyncio.gather(self.run, return_exceptions=True)
        await self.threads.call(self.pieces.close)
