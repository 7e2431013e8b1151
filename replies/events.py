"""The events of a reply: how deltas become rows of the log, and how the content of a message is built from them."""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import orjson
from django.db import connection

from replies.providers.bounds import storable
from replies.providers.deltas import Delta, Finish, Reasoning, Refusal, Text, ToolCall

QUEUED, EVENTS, STOP = "reply_queued", "reply_events", "reply_stop"  # the channels of NOTIFY
IDS = 230  # in one notification; its payload has at most 7,999 bytes
KINDS: dict[str, type[Any]] = {"text": Text, "reasoning": Reasoning, "refusal": Refusal, "tool_call": ToolCall}
NAMES = {kind: name for name, kind in KINDS.items()}


class Logged(NamedTuple):
    """An event of a reply. `data` is JSON. A `message` event, which replaces a deleted log, has the number 0."""

    n: int
    event: str
    data: str


def notify(channel: str, payload: str = "") -> None:
    """Notify the processes that listen to a channel, when the transaction commits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [channel, payload])


def payloads(ids: Sequence[uuid.UUID]) -> list[str]:
    """Return the ids as payloads of notifications."""
    return [",".join(id.hex for id in ids[start : start + IDS]) for start in range(0, len(ids), IDS)]


def to_json(value: Any) -> str:
    return orjson.dumps(value).decode()


def to_event(n: int, delta: Delta) -> Logged:
    return Logged(n, NAMES[type(delta)], to_json(delta._asdict()))


def to_delta(event: str, data: str) -> Delta | None:
    """Return the delta of an event, or None for the events `start` and `end`."""
    delta: Delta | None = KINDS[event](**orjson.loads(data)) if event in KINDS else None
    return delta


def joined(deltas: Iterable[Delta]) -> list[Delta]:
    """Join adjacent deltas of one kind, so that a flush writes few events. Replaces what PostgreSQL cannot store."""
    groups: list[list[Delta]] = []
    for delta in deltas:
        if groups and _continues(groups[-1][0], delta):
            groups[-1].append(delta)
        else:
            groups.append([delta])
    return [_join(group) for group in groups]


def _continues(first: Delta, delta: Delta) -> bool:
    if isinstance(delta, ToolCall):
        is_same = isinstance(first, ToolCall) and first.position == delta.position
        return is_same and not delta.id and not delta.name
    return type(first) is type(delta)


def _join(group: list[Any]) -> Delta:
    first: Any = group[0]
    if isinstance(first, ToolCall):
        arguments = "".join(delta.arguments for delta in group)
        return ToolCall(first.position, storable(first.id), storable(first.name), storable(arguments))
    whole: Delta = type(first)(storable("".join(delta.text for delta in group)))
    return whole


class Content:
    """What a reply says: the joined deltas, as fields of a message."""

    def __init__(self, deltas: Iterable[Delta | None] = ()) -> None:
        self.size = 0  # characters
        self._texts: dict[type[Any], list[str]] = {Text: [], Reasoning: [], Refusal: []}
        self._calls: dict[int, list[ToolCall]] = {}
        for delta in deltas:
            if delta:
                self.add(delta)

    def add(self, delta: Delta) -> None:
        if isinstance(delta, ToolCall):
            self._calls.setdefault(delta.position, []).append(delta)
            self.size += len(delta.arguments)
        elif not isinstance(delta, Finish):
            self._texts[type(delta)].append(delta.text)
            self.size += len(delta.text)

    def is_empty(self) -> bool:
        return not self.size and not self._calls

    def texts(self) -> Iterator[str]:
        """Yield all texts, in pieces and in no order."""
        for pieces in self._texts.values():
            yield from pieces
        for calls in self._calls.values():
            for call in calls:
                yield from (call.name, call.arguments)

    def fields(self) -> dict[str, Any]:
        """Return the fields of the message: content, reasoning, tool_calls and parts. The last two can be None.

        Replaces what PostgreSQL cannot store.
        """
        text, reasoning, refusal = (storable("".join(self._texts[kind])) for kind in (Text, Reasoning, Refusal))
        calls = [_call(pieces) for _, pieces in sorted(self._calls.items())]
        return {
            "content": text or (None if calls else ""),
            "reasoning": reasoning,
            "tool_calls": calls or None,
            "parts": [{"type": "refusal", "refusal": refusal}] if refusal else None,
        }


def _call(pieces: list[ToolCall]) -> dict[str, Any]:
    """Assemble a tool call in OpenAI's format."""
    function = {
        "name": storable(next((piece.name for piece in pieces if piece.name), "")),
        "arguments": storable("".join(piece.arguments for piece in pieces)),
    }
    id = storable(next((piece.id for piece in pieces if piece.id), ""))
    return {"id": id, "type": "function", "function": function}
