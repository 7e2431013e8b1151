"""Responses of server-sent events that occupy no thread while they run.

A view returns EventStream(source). The source can be iterated in two ways:

* `__aiter__() -> AsyncIterator[bytes]`: the web server (chatstore.serving) iterates it in its event loop, when the
  thread of the request is free again. The code must not block, and must not use Django's database connection.
* `__iter__() -> Iterator[bytes]`: Django's test client and other WSGI servers iterate it in the thread of the request.

Each item is one or more whole events, such as b"event: x\\ndata: {}\\n\\n". If the source has a method `close`, it is
called once, after the iteration. It must not block, because the event loop calls it.

The web server ends the iteration when the client disconnects or does not read: the iteration is cancelled
(asyncio.CancelledError at its `await`), an asynchronous generator is closed, then `close` is called. When the web
server stops, it also sends CLOSING, so that the client connects again. It sends KEEP_ALIVE if a source has no event for
KEEP_ALIVE_SECONDS, because proxies close silent connections. Iteration in a thread sends neither.
"""

from collections.abc import AsyncIterator, Iterator
from typing import Protocol

from django.http import StreamingHttpResponse

CLOSING = b"event: closing\ndata: {}\nretry: 1000\n\n"
KEEP_ALIVE = b": keep-alive\n\n"
KEEP_ALIVE_SECONDS = 15
# X-Accel-Buffering tells nginx to pass on each event at once. no-transform tells proxies not to compress the stream.
HEADERS = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}


class Source(Protocol):
    """The events of a stream. It can also have a method `close() -> None`."""

    def __iter__(self) -> Iterator[bytes]: ...

    def __aiter__(self) -> AsyncIterator[bytes]: ...


class EventStream(StreamingHttpResponse):
    """A response of server-sent events."""

    def __init__(self, source: Source) -> None:
        self.source: Source | None = source
        super().__init__(_iterate(source), content_type="text/event-stream", headers=HEADERS)

    def detach(self) -> Source:
        """Close the response but not its source, and return the source. The caller iterates it and closes it.

        Closing the response ends the request for Django, so the thread returns its database connection.
        """
        source, self.source = self.source, None
        assert source is not None, "The stream is detached or closed already."
        self.close()
        return source

    def close(self) -> None:
        if self.source is not None:
            source, self.source = self.source, None
            close_source(source)
        super().close()


def _iterate(source: Source) -> Iterator[bytes]:
    yield from source  # `__iter__` is called only if a thread reads the response


def close_source(source: Source) -> None:
    """Call the source's method `close`, if it has one."""
    if close := getattr(source, "close", None):
        close()
