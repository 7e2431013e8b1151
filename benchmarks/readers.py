"""Readers of replies: `python -m benchmarks.readers PORT TOKENS TOKEN…` asks one question for each user's token.

Each reader sends a question and follows the stream of its answer to the end. The program prints the line "open" when
all streams have begun, and one line of JSON when all have ended: the latencies, and the numbers of events and tokens
that are missing or came twice. The text of each model's token is the time at which the provider sent it.

A latency counts if all replies were under way when the token was sent. The checks count all tokens.

A reader only keeps what it receives, with the time. It looks into the events when all streams have ended, because the
processes that it measures need the CPU time.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterable, Iterator

OPENING = 32  # questions that are sent at the same time
TIMEOUT = 180  # seconds for one reply
REQUEST = (
    "POST /api/v1/chat/ HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
    "Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
)
BODY = json.dumps({"content": "Tell me a long story.", "model": "stream", "stream": True})


class Connection(asyncio.Protocol):
    """Sends a question, and keeps what it receives."""

    def __init__(self, user_token: str) -> None:
        self.request = REQUEST.format(token=user_token, length=len(BODY), body=BODY).encode()
        self.asked = 0.0  # when the question was sent
        self.pieces: list[tuple[float, bytes]] = []  # with the time at which each one came
        self.has_begun, self.has_ended = asyncio.Event(), asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self.asked = time.monotonic()
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.pieces.append((time.monotonic(), data))
        if not self.has_begun.is_set() and b"event: text\n" in data:
            self.has_begun.set()

    def connection_lost(self, error: Exception | None) -> None:
        self.has_begun.set()
        self.has_ended.set()


class Reader:
    """The data that one connection has received."""

    def __init__(self, connection: Connection) -> None:
        self.asked = connection.asked
        self.accepted = 0.0  # when the headers came
        self.ids: list[int] = []
        self.tokens: list[tuple[float, float]] = []  # when each one was sent and received
        self.status = ""
        for now, event in self._events(connection.pieces):
            self._take(event, now)

    def _events(self, pieces: list[tuple[float, bytes]]) -> Iterator[tuple[float, bytes]]:
        rest = b""
        for now, data in pieces:
            rest += data
            if not self.accepted and b"\r\n\r\n" in rest:
                self.accepted = now
                head, rest = rest.split(b"\r\n\r\n", 1)
                if b" 200 " not in head.split(b"\r\n", 1)[0]:
                    raise SystemExit(f"A question was refused: {head!r} {rest[:500]!r}")
            *events, rest = rest.split(b"\n\n")
            yield from ((now, event) for event in events)

    def _take(self, event: bytes, now: float) -> None:
        fields = dict(line.split(b": ", 1) for line in event.split(b"\n") if b": " in line)
        if b"id" not in fields:  # a comment that keeps the connection open
            return
        self.ids.append(int(fields[b"id"]))
        data = json.loads(fields[b"data"])
        if fields[b"event"] == b"text":
            self.tokens += [(float(sent), now) for sent in data["text"].split()]
        elif fields[b"event"] == b"end":
            self.status = data["status"]

    def errors(self, tokens: int) -> int:
        """Return how many events and tokens are missing, doubled or not in order."""
        wrong_ids = sum(id != place for place, id in enumerate(self.ids, 1))
        unordered = sum(later[0] < earlier[0] for earlier, later in zip(self.tokens, self.tokens[1:], strict=False))
        return wrong_ids + unordered + abs(tokens - len(self.tokens)) + (self.status != "completed")


async def read_all(port: int, user_tokens: list[str]) -> list[Reader]:
    connections = [Connection(user_token) for user_token in user_tokens]
    opening = asyncio.Semaphore(OPENING)
    async with asyncio.TaskGroup() as group:
        for connection in connections:
            await opening.acquire()
            group.create_task(asyncio.wait_for(_follow(port, connection), TIMEOUT))
            begins = group.create_task(connection.has_begun.wait())
            begins.add_done_callback(lambda _: opening.release())
        for connection in connections:
            await connection.has_begun.wait()
        print("open", flush=True)
    return [Reader(connection) for connection in connections]


async def _follow(port: int, connection: Connection) -> None:
    await asyncio.get_running_loop().create_connection(lambda: connection, "127.0.0.1", port)
    await connection.has_ended.wait()


def result(readers: list[Reader], tokens: int) -> dict[str, object]:
    firsts = [reader.tokens[0] for reader in readers if reader.tokens]
    begin = max((received for _, received in firsts), default=0)
    end = min((reader.tokens[-1][0] for reader in readers if reader.tokens), default=0)
    if end < begin:
        raise SystemExit(f"The first reply ended {begin - end:.0f} s before the last one began.")
    all_tokens = (token for reader in readers for token in reader.tokens)
    return {
        "latencies": _percentiles(received - sent for sent, received in all_tokens if begin <= sent <= end),
        "first": _percentiles(received - sent for sent, received in firsts),
        "accepted": _percentiles(reader.accepted - reader.asked for reader in readers),
        "begun": _percentiles(reader.tokens[0][1] - reader.asked for reader in readers if reader.tokens),
        "seconds": end - begin,
        "errors": sum(reader.errors(tokens) for reader in readers),
    }


def _percentiles(seconds: Iterable[float]) -> list[float]:
    """Return p50 and p95 in milliseconds."""
    ordered = sorted(seconds)
    return [ordered[len(ordered) * percent // 100] * 1000 for percent in (50, 95)] if ordered else [0, 0]


def main() -> None:
    port, tokens, *user_tokens = sys.argv[1:]
    readers = asyncio.run(read_all(int(port), user_tokens))
    print(json.dumps(result(readers, int(tokens))))


if __name__ == "__main__":
    main()
