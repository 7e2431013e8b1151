"""The test application on a real web server, and clients that are slow, break off or send raw bytes."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from testing import scratch
from testing.live_server import Live, json_body, web_server

TIMEOUT = 2  # seconds; CLIENT_TIMEOUT of the servers
PROMPT = 1  # seconds within which a client gets its answer while others are slow


class Server(Live):
    def __init__(self, port: int, process: Any) -> None:
        super().__init__(port)
        self.process = process

    def state(self, name: str) -> int:
        return int(json_body(self.call("GET", "/state")).get(name, 0))

    def wait_for(self, name: str, number: int) -> None:
        """Wait until this has happened so often in the server."""
        scratch.wait_until(lambda: self.state(name) >= number)

    def client(self, receive: int = 0) -> socket.socket:
        """Connect. `receive` is the size of the client's receive buffer, in bytes."""
        client = socket.socket()
        if receive:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        client.settimeout(scratch.TIMEOUT)
        client.connect(("127.0.0.1", self.port))
        return client

    @contextmanager
    def clients(self, number: int, sent: bytes, receive: int = 0) -> Iterator[list[socket.socket]]:
        """Keep connections open, each of which has sent these bytes."""
        with ExitStack() as stack:
            clients = [stack.enter_context(self.client(receive)) for _ in range(number)]
            for client in clients:
                client.sendall(sent)
            yield clients

    def answers_promptly(self) -> bool:
        """Send twenty requests. Return whether each one is answered within PROMPT seconds."""
        times = []
        for _ in range(20):
            started = time.monotonic()
            assert self.call("POST", "/echo", b"hello").status == 200
            times.append(time.monotonic() - started)
        return max(times) < PROMPT


@contextmanager
def serving(**variables: str) -> Iterator[Server]:
    fixed = {"CLIENT_TIMEOUT": str(TIMEOUT), "WEB_WORKERS": "1", "WEB_THREADS": "2"}
    with web_server("testing.serving_wsgi", **(fixed | variables)) as (port, process):
        yield Server(port, process)


def head(line: str, *lines: str) -> bytes:
    """Return the head of an HTTP/1.1 request."""
    return "\r\n".join([f"{line} HTTP/1.1", "Host: localhost", *lines, "", ""]).encode()


def read_to_end(client: socket.socket) -> bytes:
    """Read until the server closes the connection."""
    received = b""
    with suppress(ConnectionError):
        while data := client.recv(1_000_000):
            received += data
    return received


def echoed(answer: bytes) -> dict[str, str]:
    """Return the environ that /echo has answered with."""
    environ: dict[str, str] = json.loads(answer.partition(b"\r\n\r\n")[2])
    return environ
