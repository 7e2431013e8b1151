"""The server-sent events of a reply, in the native API.

    id: 3
    event: text
    data: {"text": "Hello"}

docs/replies.md lists the events. A client that lost the connection sends the last id that it has got.
"""

from collections.abc import AsyncIterator, Iterator

import orjson

from replies.following import Follower, Logged


class Events:
    """The events of a reply, from the log."""

    def __init__(self, follower: Follower) -> None:
        self.follower = follower

    def __iter__(self) -> Iterator[bytes]:
        return map(_encode, self.follower)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for logged in self.follower:
            yield _encode(logged)


class WholeMessage:
    """The one event of a message whose log does not exist any more, or that no model wrote."""

    def __init__(self, message: orjson.Fragment) -> None:
        self.event = b"event: message\ndata: " + orjson.dumps(message) + b"\n\n"

    def __iter__(self) -> Iterator[bytes]:
        yield self.event

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.event


def _encode(logged: Logged) -> bytes:
    return f"id: {logged.n}\nevent: {logged.event}\ndata: {logged.data}\n\n".encode()
