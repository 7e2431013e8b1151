"""A fake model provider for the measurements: `python -m benchmarks.provider PORT TOKENS`.

It speaks OpenAI's API for chat completions. Each stream has TOKENS tokens, PER_SECOND a second. The text of a token is
the time at which it is sent, in seconds of the system's monotonic clock, and a space. All processes of a machine share
this clock. The model SLOW sends its only token after SLOW_SECONDS.

One timer serves all streams, and the streams that send at the same moment send the same text, because the processes
that are measured need the CPU time.
"""

import asyncio
import json
import sys
import time

PER_SECOND = 50
SLOW, SLOW_SECONDS = "slow", 15
SLOTS = 20  # the streams do not send at the same moment; each sends in one slot of the period
HEADERS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
CHUNK = b'data: {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "%.4f "}}]}\n\n'
LAST = (
    b'data: {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\n'
    b"data: [DONE]\n\n"
)


class Provider:
    def __init__(self, tokens: int) -> None:
        self.tokens = tokens
        self.left: list[dict[asyncio.WriteTransport, int]] = [{} for _ in range(SLOTS)]  # tokens left, by slot
        self.count = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:  # the connection that waits for the start of this program
            writer.close()
            return
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        body = json.loads(await reader.readexactly(int(length.split(b":")[1])))
        writer.write(HEADERS)
        is_slow = body["model"] == SLOW
        if is_slow:
            await asyncio.sleep(SLOW_SECONDS)
        self.left[self.count % SLOTS][writer.transport] = 1 if is_slow else self.tokens
        self.count += 1

    async def send_all(self) -> None:
        pause = 1 / PER_SECOND / SLOTS
        due = time.monotonic()
        while True:
            for slot in self.left:
                due += pause
                await asyncio.sleep(max(0, due - time.monotonic()))
                self._send(slot)

    def _send(self, slot: dict[asyncio.WriteTransport, int]) -> None:
        chunk = CHUNK % time.monotonic()
        for transport, left in list(slot.items()):
            transport.write(chunk)
            if left > 1 and not transport.is_closing():
                slot[transport] = left - 1
            else:
                del slot[transport]
                transport.write(LAST)
                transport.close()


async def main() -> None:
    port, tokens = map(int, sys.argv[1:])
    provider = Provider(tokens)
    await asyncio.start_server(provider.answer, "127.0.0.1", port, backlog=1_000)
    await provider.send_all()


if __name__ == "__main__":
    asyncio.run(main())
