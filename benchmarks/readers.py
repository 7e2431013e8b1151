"""Readers of replies: `python -m benchmarks.readers PORT TOKENS TOKEN…` asks one question for each user's token.

Each reader sends a question and follows the stream of its answer to the end. The program prints the line "open" when
all streams have begun, and one line of JSON when all have ended: the latencies, and the numbers of events and tokens
that are missing or came twice. The text of each model's token is the time at which the provider sent it.

A latency counts if all replies were under way when the token was sent. The checks count all tokens.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Iterable

OPENING = 32  # questions that are sent at the same time
TIMEOUT = 180  # seconds for one reply
REQUEST = (
    "POST /api/v1/chat/ HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
    "Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
)
BODY = json.dumps({"content": "Tell me a long story.", "model": "stream", "stream": True})


class Reader:
    def __init__(self, port: int, user_token: str) -> None:
        self.port, self.user_token = port, user_token
        self.has_begun = asyncio.Event()
        self.asked = self.accepted = 0.0  # times
        self.ids: list[int] = []
        self.tokens: list[tuple[float, float]] = []  # when each one was sent and received
        self.status = ""

    async def follow(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.asked = time.monotonic()
        writer.write(REQUEST.format(token=self.user_token, length=len(BODY), body=BODY).encode())
        head = await reader.readuntil(b"\r\n\r\n")
        self.accepted = time.monotonic()
        if b" 200 " not in head.split(b"\r\n", 1)[0]:
            raise SystemExit(f"A question was refused: {head!r} {await reader.read(500)!r}")
        try:
            async for event in _events(reader):
                self._take(event, time.monotonic())
        finally:
            self.has_begun.set()
            writer.close()

    def _take(self, event: bytes, now: float) -> None:
        fields = dict(line.split(b": ", 1) for line in event.split(b"\n") if b": " in line)
        if b"id" not in fields:  # a comment that keeps the connection open
            return
        self.ids.append(int(fields[b"id"]))
        data = json.loads(fields[b"data"])
        if fields[b"event"] == b"text":
            self.tokens += [(float(sent), now) for sent in data["text"].split()]
            self.has_begun.set()
        elif fields[b"event"] == b"end":
            self.status = data["status"]

    def errors(self, tokens: int) -> int:
        """Return how many events and tokens are missing, doubled or not in order."""
        wrong_ids = sum(id != place for place, id in enumerate(self.ids, 1))
        unordered = sum(later[0] < earlier[0] for earlier, later in zip(self.tokens, self.tokens[1:], strict=False))
        return wrong_ids + unordered + abs(tokens - len(self.tokens)) + (self.status != "completed")


async def _events(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    rest = b""
    while data := await reader.read(65_536):
        *events, rest = (rest + data).split(b"\n\n")
        for event in events:
            yield event


async def read_all(port: int, user_tokens: list[str]) -> list[Reader]:
    readers = [Reader(port, user_token) for user_token in user_tokens]
    opening = asyncio.Semaphore(OPENING)
    async with asyncio.TaskGroup() as group:
        for reader in readers:
            await opening.acquire()
            group.create_task(asyncio.wait_for(reader.follow(), TIMEOUT))
            reader_begins = group.create_task(reader.has_begun.wait())
            reader_begins.add_done_callback(lambda _: opening.release())
        for reader in readers:
            await reader.has_begun.wait()
        print("open", flush=True)
    return readers


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
