"""The server-sent events with which contract A streams an answer.

    data: {"text": "…", "type": "thinking" or "answer"}
    data: [DONE]

The client parses each network chunk by itself, so an event must not be split: each one is sent alone, and is so short
that it fits into one packet. It ignores events of other types and other fields. So an error in the middle of an answer
is an event of the type "answer", whose text the client shows; its field `error` is for other programs. No [DONE]
follows an error.
"""

from collections.abc import Iterator
from typing import Any

import orjson

from chatstore.errors import ProviderError
from replies.services.streams import Stream

EVENT_LENGTH = 200  # characters of text; as JSON at most 1,200 bytes
DONE = b"data: [DONE]\n\n"
# The second header tells nginx to pass on each event at once. `no-transform` tells proxies not to compress the stream.
HEADERS = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}


class Events:
    """The events of a stream. Django closes them when the response ends or the client has disconnected."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream

    def __iter__(self) -> Iterator[bytes]:
        try:
            for piece in self.stream:
                for text in _parts(piece.text):
                    yield _event(text=text, type="thinking" if piece.is_thinking else "answer")
        except ProviderError as error:
            yield _event(text=f"\n\n{error.message}", type="answer", error=error.message)
        else:
            yield DONE

    def close(self) -> None:
        self.stream.close()


def _parts(text: str) -> Iterator[str]:
    return (text[start : start + EVENT_LENGTH] for start in range(0, len(text), EVENT_LENGTH))


def _event(**fields: Any) -> bytes:
    return b"data: " + orjson.dumps(fields) + b"\n\n"
