"""Follows EventStreams in the event loop. chatstore.api.streaming describes the source of a stream.

Hazards: a client that disconnects or does not read must end the stream; a source fails; the process stops while streams
run.
"""

import asyncio
from typing import Any

from chatstore.api.streaming import CLOSING, KEEP_ALIVE, KEEP_ALIVE_SECONDS, Source, close_source

from .request_body import Receive, disconnected
from .transfers import Send


class Streams:
    """The streams of this process, at most `limit`."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._running: set[asyncio.Task[None]] = set()
        self.is_closing = False

    def is_full(self) -> bool:
        return len(self._running) >= self.limit

    def end_all(self) -> None:
        """End all streams with the event CLOSING, also those that begin later."""
        self.is_closing = True
        for task in self._running:
            task.cancel()

    async def follow(self, source: Source, receive: Receive, send: Send) -> None:
        """Send the events until the source ends, the client disconnects, or `end_all` is called. Close the source.

        Raises the error of the source.
        """
        events = _Events(source, send)
        sending = asyncio.create_task(events.send_all())
        gone = asyncio.create_task(disconnected(receive))
        self._running.add(sending)
        try:
            if self.is_closing:
                sending.cancel()
            await events.keep_alive_until({sending, gone})
            if sending.done() and not sending.cancelled():
                sending.result()
        finally:
            self._running.discard(sending)
            sending.cancel()
            gone.cancel()
            await asyncio.wait({sending, gone})
            close_source(source)
        if self.is_closing and not events.have_ended:
            await _send(send, CLOSING)
        await send({"type": "http.response.body"})


class _Events:
    def __init__(self, source: Source, send: Send) -> None:
        self.source, self.send = source, send
        self.loop = asyncio.get_running_loop()
        self.sent_at = self.loop.time()
        self.have_ended = False

    async def send_all(self) -> None:
        events = aiter(self.source)
        try:
            async for event in events:
                self.sent_at = self.loop.time()
                await _send(self.send, event)
            self.have_ended = True
        finally:
            if close := getattr(events, "aclose", None):
                await close()

    async def keep_alive_until(self, ends: set[asyncio.Future[Any]]) -> None:
        """Send KEEP_ALIVE after each KEEP_ALIVE_SECONDS without an event, until one of the futures is done."""
        while True:
            left = self.sent_at + KEEP_ALIVE_SECONDS - self.loop.time()
            done, _ = await asyncio.wait(ends, timeout=max(left, 0), return_when=asyncio.FIRST_COMPLETED)
            if done:
                return
            if self.sent_at + KEEP_ALIVE_SECONDS <= self.loop.time():
                self.sent_at = self.loop.time()
                await _send(self.send, KEEP_ALIVE)


async def _send(send: Send, event: bytes) -> None:
    await send({"type": "http.response.body", "body": event, "more_body": True})
