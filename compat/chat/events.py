"""The server-sent events with which contract A streams an answer.

    data: {"text": "…", "type": "thinking" or "answer"}
    data: [DONE]

The client parses each network chunk by itself, so an event must not be split: each one is sent alone, and is so short
that it fits into one packet. It ignores events of other types and other fields. So an error in the middle of an answer
is an event of the type "answer", whose text the client shows; its field `error` is for other programs. No [DONE]
follows an error.

The client saves the answer itself. So when it disconnects, nobody can read the rest, and the reply is stopped.
"""

import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from threading import Thread
from typing import Any

import orjson
from django.conf import settings
from django.db import connection
from django.utils.translation import gettext

from chatstore.database import release_connection
from chatstore.errors import ProviderError
from chatstore.serving.threads import waiting
from replies.following import Follower, Logged
from replies.services import exchanges, stop

EVENT_LENGTH = 200  # characters of text; as JSON at most 1,200 bytes
DONE = b"data: [DONE]\n\n"
TYPES = {"reasoning": "thinking", "text": "answer", "refusal": "answer"}


class Events:
    """The events of a reply. The web server closes them when the response ends or the client has disconnected."""

    def __init__(self, reply_id: uuid.UUID) -> None:
        self.reply_id = reply_id
        self.has_ended = False
        self.left = settings.CONTENT_LIMIT  # bytes; the client saves all texts as one message

    def __iter__(self) -> Iterator[bytes]:
        for logged in Follower(self.reply_id):
            yield from self._events(logged)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for logged in Follower(self.reply_id):
            for event in self._events(logged):
                yield event

    def _events(self, logged: Logged) -> Iterator[bytes]:
        data = orjson.loads(logged.data)
        if logged.event in TYPES:
            self.left -= len(data["text"].encode())
            for text in _parts(data["text"]):
                yield _event(text=text, type=TYPES[logged.event])
        if logged.event == "end":
            self.has_ended = True
            yield self._last_event(data)

    def _last_event(self, end: dict[str, Any]) -> bytes:
        problem = f"\n\n{end['error']['message']}" if end["error"] else ""
        if problem and len(problem.encode()) <= self.left:
            return _event(text=problem, type="answer", error=end["error"]["message"])
        return DONE

    def close(self) -> None:
        """Stop the reply if it has not ended. The web server's event loop calls this, so a thread does the work."""
        if not self.has_ended:
            Thread(target=_stop, args=[self.reply_id], daemon=True).start()


def wait_for_first(reply_id: uuid.UUID) -> None:
    """Wait until the model has said something or has ended. Raises ProviderError if it has failed, if it says nothing
    in the time that a reply can take, or if the reply was deleted with its user.

    Another thread answers requests meanwhile."""
    release_connection()
    first = None
    with waiting(), suppress(TimeoutError):
        events = Follower(reply_id).until(settings.REPLY_TIMEOUT + exchanges.PATIENCE)
        first = next((logged for logged in events if logged.event != "start"), None)
    if first is None:
        raise ProviderError(gettext("The model did not send a complete answer."))
    if first.event == "end" and (error := orjson.loads(first.data)["error"]):
        raise ProviderError(error["message"])


def _stop(reply_id: uuid.UUID) -> None:
    try:
        stop.stop_unstored(reply_id=reply_id)
    finally:
        connection.close()


def _parts(text: str) -> Iterator[str]:
    return (text[start : start + EVENT_LENGTH] for start in range(0, len(text), EVENT_LENGTH))


def _event(**fields: Any) -> bytes:
    return b"data: " + orjson.dumps(fields) + b"\n\n"
