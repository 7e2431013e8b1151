"""A client that reads server-sent events from a live server, one by one."""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from .live_server import Live


class Received(NamedTuple):
    id: int | None
    event: str
    data: Any


class EventReader:
    """An open response. Iterating it yields its events until the end of the stream."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.response, self.status = response, response.status

    def __iter__(self) -> Iterator[Received]:
        return iter(self.next, None)  # type: ignore[arg-type]

    def next(self) -> Received | None:
        """Return the next event, or None at the end of the stream."""
        fields: dict[str, str] = {}
        while line := self.response.readline().decode().rstrip("\n"):
            name, _, value = line.partition(": ")
            fields[name] = value
        if "event" not in fields:
            return None
        return Received(int(fields["id"]) if "id" in fields else None, fields["event"], json.loads(fields["data"]))

    def until(self, event: str) -> list[Received]:
        """Read until an event of this kind has come, and return all events up to it."""
        seen = []
        for received in self:
            seen.append(received)
            if received.event == event:
                return seen
        raise AssertionError(f"the stream ended without {event}: {seen}")


@contextmanager
def reading(live: Live, method: str, path: str, body: Any = None, **headers: str) -> Iterator[EventReader]:
    """Send a request, and close the connection at the end of the block, even in the middle of the stream."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = None if body is None else json.dumps(body).encode()
    with live.connection() as connection:
        connection.request(method, path, sent, {"Content-Type": "application/json", **named})
        yield EventReader(connection.getresponse())


def text_of(events: list[Received]) -> str:
    return "".join(received.data["text"] for received in events if received.event == "text")
