"""An ASGI application that runs a WSGI application in threads.

The event loop reads the body of a request, a thread calls the application, the event loop sends the answer. The
exceptions are contents that the application produces while they are sent (transfers) and EventStreams (streams).
"""

import asyncio
from collections.abc import Callable, Hashable, Iterable
from functools import partial
from typing import Any, NamedTuple

from django.db import close_old_connections

from chatstore.api.streaming import EventStream, Source, close_source
from chatstore.limits import CLIENT

from . import environ as environs
from .environ import Environ
from .request_body import Body, Disconnected, Memory, NoRoom, Receive, discard, disconnected
from .streams import Streams
from .threads import Threads
from .transfers import LargeAnswers, Pieces, Send, send_bytes, send_pieces

Application = Callable[[Environ, Any], Iterable[bytes]]
Headers = list[tuple[bytes, bytes]]
CLOSE = (b"Connection", b"close")


class Answer(NamedTuple):
    status: int
    headers: Headers
    content: "bytes | Pieces | Stream"


class Stream(NamedTuple):
    source: Source


class Dispatcher:
    """`bodies` limits the bytes of all large bodies in the process, and `streams` the number of its EventStreams."""

    def __init__(self, application: Application, *, threads: int, bodies: int, streams: int) -> None:
        self.application = application
        self.threads = Threads(threads)
        self.bodies = Memory(bodies)
        self.streams = Streams(streams)
        self.large = LargeAnswers()

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        environ = environs.build(scope)
        body = Body(scope, environ, self.bodies)
        try:
            answer = await self._answer(body, environ, receive)
        except Disconnected:
            return
        if body.is_unread and not body.will_be_discarded():
            answer.headers.append(CLOSE)
        await self._send(answer, environ.get(CLIENT, environ["REMOTE_ADDR"]), receive, send)
        if body.will_be_discarded():
            await discard(receive)

    async def _answer(self, body: Body, environ: Environ, receive: Receive) -> Answer:
        try:
            await body.read(receive)
            answer = await self.threads.call(partial(call, self.application, environ))
        except NoRoom:
            body.is_unread = True
            return busy("The server is receiving too many large requests.")
        finally:
            body.release()
        if isinstance(answer.content, Stream) and self.streams.is_full():
            close_source(answer.content.source)
            return busy("Too many streams are open.")
        return answer

    async def _send(self, answer: Answer, client: Hashable, receive: Receive, send: Send) -> None:
        status, headers, content = answer
        await send({"type": "http.response.start", "status": status, "headers": headers})
        if isinstance(content, bytes):
            await send_bytes(content, send, self.large, client)
        elif isinstance(content, Stream):
            await self.streams.follow(content.source, receive, send)
        else:
            await self._send_pieces(content, client, receive, send)

    async def _send_pieces(self, pieces: Pieces, client: Hashable, receive: Receive, send: Send) -> None:
        gone = asyncio.create_task(disconnected(receive))
        try:
            await send_pieces(pieces, send, self.threads, self.large, client, gone.done)
        finally:
            gone.cancel()


def busy(problem: str) -> Answer:
    """Return a 503."""
    content = f"{problem} Try again in 5 seconds.\n".encode()
    headers = [(b"Content-Type", b"text/plain; charset=utf-8"), (b"Retry-After", b"5")]
    return Answer(503, [*headers, (b"Content-Length", str(len(content)).encode())], content)


class _Start:
    """WSGI's start_response."""

    status, headers = 0, [("", "")]

    def __call__(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
        self.status, self.headers = int(status[:3]), headers
        return _write


def _write(data: bytes) -> None:
    raise RuntimeError("The application must return its content instead of calling `write`.")


def call(application: Application, environ: Environ) -> Answer:
    """Call the application in this thread. The answer's content is complete, or needs no database connection."""
    start = _Start()
    result = application(environ, start)
    has_body = environ["REQUEST_METHOD"] != "HEAD" and start.status not in (204, 304)
    content = _content(result, start) if has_body else _close(result)
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in start.headers]
    return Answer(start.status, headers, content)


def _content(result: Any, start: _Start) -> bytes | Pieces | Stream:
    if isinstance(result, EventStream):
        return Stream(result.detach())
    if isinstance(result, list) or not getattr(result, "streaming", True):
        try:
            return b"".join(result)
        finally:
            _close(result)
    close_old_connections()
    return Pieces(result, is_complete=any(name.lower() == "content-length" for name, _ in start.headers))


def _close(result: Any) -> bytes:
    if close := getattr(result, "close", None):
        close()
    return b""
