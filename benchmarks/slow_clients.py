"""Measure the list of conversations for a healthy client, while other clients are slow on purpose."""

import json
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from . import provider, table
from .fill import TENTH
from .probe import probe
from .system import System, running_system
from .table import Line

AT_MOST = 3  # × idle, p95
SECONDS = 8
PAUSE = 0.5  # seconds between two bytes of a slow client
AUTHORIZATION = f"Host: localhost\r\nAuthorization: Bearer {TENTH}\r\n"
HEADERS = b"GET /api/v1/conversations/ HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
BODY = (
    f"POST /api/v1/conversations/ HTTP/1.1\r\n{AUTHORIZATION}"
    'Content-Type: application/json\r\nContent-Length: 10000\r\n\r\n{"title": "'
).encode()
EXPORT = f"GET /api/v1/me/export/ HTTP/1.1\r\n{AUTHORIZATION}\r\n".encode()
QUESTION = json.dumps({"content": "Think for a long time.", "model": provider.SLOW})


def lines(database_url: str) -> Iterator[Line]:
    with running_system(database_url) as system:
        idle = probe(system.port, SECONDS).p95
        for name, number, start, drips in _troubles(system):
            print(f"{number} {name} …", file=sys.stderr, flush=True)
            with _clients(system.port, start * (number // len(start)), drips=drips):
                p95 = probe(system.port, SECONDS).p95
            yield table.value(f"list, p95 ÷ idle ({idle:.1f} ms), {number} {name}", p95 / idle, "×", at_most=AT_MOST)


def _troubles(system: System) -> Iterator[tuple[str, int, list[bytes], bool]]:
    """Yield a name, the number of clients, what each sends at the start, and whether each sends more bytes slowly."""
    yield "unfinished headers", 24, [HEADERS], True
    yield "slow bodies", 50, [BODY], True
    yield "readers that do not read", 50, [EXPORT], False
    questions = [_question(token) for token in system.add_users("asker", 16)]
    yield f"questions to a model that takes {provider.SLOW_SECONDS} s", 16, questions, False


def _question(token: str) -> bytes:
    head = f"POST /api/v1/chat/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(QUESTION)}\r\n\r\n{QUESTION}".encode()


@contextmanager
def _clients(port: int, starts: list[bytes], *, drips: bool) -> Iterator[None]:
    """Open a connection for each of these beginnings of requests. Close them at the end."""
    done = threading.Event()
    with ExitStack() as stack:
        sockets = [stack.enter_context(_connected(port)) for _ in starts]
        for client, start in zip(sockets, starts, strict=True):
            client.sendall(start)
        dripping = threading.Thread(target=_drip, args=[sockets if drips else [], done])
        dripping.start()
        try:
            yield
        finally:
            done.set()
            dripping.join()


def _connected(port: int) -> socket.socket:
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)  # so that the server cannot send much
    client.connect(("127.0.0.1", port))
    return client


def _drip(sockets: list[socket.socket], done: threading.Event) -> None:
    """Send a byte on each connection every PAUSE seconds. A connection that the server has closed is left alone."""
    while not done.wait(PAUSE):
        for client in list(sockets):
            try:
                client.send(b"x")
            except OSError:
                sockets.remove(client)
