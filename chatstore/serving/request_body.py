"""Reads the bodies of requests into memory.

Hazards: a body without end; many large bodies at once, from clients that are not signed in; a body that does not
arrive in full.

A body above the limit of its route is not read. The application gets its length without its content, and refuses it in
the route's own error format. All large bodies of a process share BODIES_LIMIT bytes of memory; a request that exceeds
this gets a 503. Small bodies do not count, so large ones cannot lock out normal requests; the limit of connections
bounds their sum.
"""

import io
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from django.conf import settings

from chatstore.bodies import limit_of

from .environ import Environ

SMALL = 65_536  # bytes
Receive = Callable[[], Awaitable[dict[str, Any]]]


class Disconnected(Exception):
    """The client disconnected before its request was complete."""


class NoRoom(Exception):
    """The bodies of other requests occupy the memory for bodies."""


class Memory:
    """The bytes that a process may still hold for large bodies."""

    def __init__(self, size: int) -> None:
        self.left = size

    def take(self, size: int) -> None:
        """Take bytes. Raises NoRoom if they are not left."""
        if size > self.left:
            raise NoRoom
        self.left -= size


class Body:
    """The body of one request. `read` sets `wsgi.input` and CONTENT_LENGTH in the environ."""

    def __init__(self, scope: dict[str, Any], environ: Environ, memory: Memory) -> None:
        self.environ, self.memory = environ, memory
        self.declared = int(environ.get("CONTENT_LENGTH") or 0)
        self.is_chunked = any(name == b"transfer-encoding" for name, _ in scope["headers"])
        self.small = min(SMALL, settings.BODY_LIMIT, settings.FORM_LIMIT)  # below the limit of every route
        self.taken = 0  # bytes of the memory
        self.is_unread = False  # whether the body, or its rest, is still to come

    async def read(self, receive: Receive) -> None:
        """Read the body. Raises Disconnected or NoRoom."""
        if not self.declared and not self.is_chunked:
            return
        if self.declared > self.small and self.declared > self._limit():
            self.is_unread = True
            return
        content, size = await self._read(receive)
        if self.is_unread:
            content = io.BytesIO()
        elif size < self.declared:
            content = _Incomplete()
        self.environ["wsgi.input"], self.environ["CONTENT_LENGTH"] = content, str(max(self.declared, size))

    async def _read(self, receive: Receive) -> tuple[io.BytesIO, int]:
        """Return the body and its size. Stops when the size is above the limit."""
        content, size, limit, has_more = io.BytesIO(), 0, 0, True
        while has_more and not self.is_unread:
            data, has_more = await _receive(receive)
            content.write(data)
            size += len(data)
            if size > self.small:
                limit = limit or self._limit()
                self._take(size)
                self.is_unread = size > limit
        content.seek(0)
        return content, size

    def _take(self, size: int) -> None:
        self.memory.take(size - self.taken)
        self.taken = size

    def _limit(self) -> int:
        environ = self.environ
        return limit_of(environ["PATH_INFO"], environ["REQUEST_METHOD"], environ.get("CONTENT_TYPE", ""))

    def release(self) -> None:
        """Give back the memory: the application does not need the body any more."""
        self.memory.left += self.taken
        self.taken = 0

    def will_be_discarded(self) -> bool:
        """Return whether an unread body should be read and discarded, so that the connection can stay open.

        A client that waits for 100 Continue may not send the body at all.
        """
        is_expected = "HTTP_EXPECT" not in self.environ
        return self.is_unread and is_expected and self.declared <= settings.HISTORY_BODY_LIMIT


async def discard(receive: Receive) -> None:
    """Read the rest of a body and discard it, at most HISTORY_BODY_LIMIT bytes."""
    left, has_more = settings.HISTORY_BODY_LIMIT, True
    with suppress(Disconnected):
        while has_more and left > 0:
            data, has_more = await _receive(receive)
            left -= len(data)


async def disconnected(receive: Receive) -> None:
    """Wait until the client disconnects. Discards the rest of the body."""
    with suppress(Disconnected):
        while True:
            await _receive(receive)


async def _receive(receive: Receive) -> tuple[bytes, bool]:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise Disconnected
    return message.get("body", b""), message.get("more_body", False)


class _Incomplete(io.BytesIO):
    """A body whose client closed its side of the connection too early. Django makes an UnreadablePostError of it."""

    def read(self, size: int | None = -1) -> bytes:
        raise OSError("The body did not arrive in full.")
