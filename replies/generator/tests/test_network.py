"""The event loop reads many connections together, and few at once."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from replies.generator import network
from replies.generator.network import MANY, Selector

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pairs() -> Iterator[list[Pair]]:
    with ExitStack() as stack:
        pairs = [socket.socketpair() for _ in range(MANY)]
        for pair in pairs:
            for end in pair:
                stack.enter_context(end)
        yield pairs


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Record how long the selector sleeps."""
    waits: list[float] = []
    monkeypatch.setattr(network.time, "sleep", waits.append)
    return waits


def look(pairs: list[Pair], timeout: float | None = None) -> tuple[Selector, int]:
    selector = Selector()
    for _, reading in pairs:
        selector.register(reading, 1)
    for writing, _ in pairs:
        writing.send(b"x")
    return selector, len(selector.select(timeout))


def test_few_connections_are_read_at_once(pairs: list[Pair], waits: list[float]) -> None:
    selector, ready = look(pairs[1:])
    assert len(selector.select()) == ready == MANY - 1
    assert waits == []


def test_after_many_connections_had_data_the_next_look_waits(pairs: list[Pair], waits: list[float]) -> None:
    selector, ready = look(pairs)
    assert len(selector.select()) == ready == MANY
    assert len(waits) == 1
    assert 0 < waits[0] <= network.READ_EVERY


def test_work_of_the_event_loop_does_not_wait_for_the_next_look(pairs: list[Pair], waits: list[float]) -> None:
    selector, _ = look(pairs)
    assert selector.select(0) == []
    assert waits == [0]


def test_all_that_is_sent_on_many_connections_arrives_in_order() -> None:
    count, pieces = 3 * MANY, 20

    async def write(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number in range(pieces):
            writer.write(b"%d " % number)
            await asyncio.sleep(0.001)
        writer.close()

    async def read(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            return await reader.read()
        finally:
            writer.close()

    async def read_all() -> list[bytes]:
        server = await asyncio.start_server(write, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            return await asyncio.gather(*(read(port) for _ in range(count)))

    with asyncio.Runner(loop_factory=network.new_event_loop) as runner:
        texts = runner.run(read_all())
    assert texts == [b"".join(b"%d " % number for number in range(pieces))] * count
