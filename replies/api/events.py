"""The server-sent events of a reply, in the native API.

    id: 3
    event: text
    data: {"text": "Hello"}

docs/replies.md lists the events. A client that lost the connection sends the last id that it has got.
"""

from collections.abc import AsyncIterator, Iterator

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


def _encode(logged: Logged) -> bytes:
    id = f"id: {logged.n}\n" if logged.n else ""
    return f"{id}event: {logged.event}\ndata: {logged.data}\n\n".encode()
