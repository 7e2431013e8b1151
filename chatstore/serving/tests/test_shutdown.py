"""How the web server stops: requests are answered, streams get their last event, nothing else delays the end."""

import os
import signal
import socket
import time
from collections.abc import Iterator

import psutil
import pytest

from chatstore.api.streaming import CLOSING
from testing import scratch
from testing.serving_wsgi import LARGE

from .server import Server, head, read_to_end, serving

QUICKLY = 9  # seconds; less than gunicorn's graceful_timeout


@pytest.fixture(params=[signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def signum(request: pytest.FixtureRequest) -> signal.Signals:
    value: signal.Signals = request.param
    return value


@pytest.fixture(params=["1", "2"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with serving(WEB_WORKERS=request.param, CLIENT_TIMEOUT="15") as server:
        yield server


def stop(server: Server, signum: signal.Signals) -> None:
    """Send the signal to the main process and its workers, as Ctrl-C in a terminal does."""
    for process in [psutil.Process(server.process.pid), *psutil.Process(server.process.pid).children()]:
        os.kill(process.pid, signum)


def read_event(client: socket.socket) -> None:
    received = b""
    while b"\n\n" not in received.partition(b"\r\n\r\n")[2]:
        received += client.recv(1_000)


def test_requests_are_answered_and_streams_closed_when_the_server_stops(server: Server, signum: signal.Signals) -> None:
    stream_head = head("GET /stream?number=100&seconds=10")
    with (
        server.clients(2, stream_head) as streams,
        server.clients(2, head("GET /sleep?seconds=1")) as waiting,
        server.clients(1, head("GET /large"), receive=65_536) as (reader,),
        server.clients(2, b"GET /ec"),
        server.clients(2, head("POST /echo", "Content-Length: 9") + b"ab"),
        server.clients(2, b""),
        server.connection() as idle,
    ):
        idle.request("GET", "/echo")
        assert idle.getresponse().read()
        for stream in streams:
            read_event(stream)
        time.sleep(0.5)  # until all requests have arrived
        started = time.monotonic()
        stop(server, signum)
        for stream in streams:
            assert read_to_end(stream).endswith(b"%x\r\n%s\r\n0\r\n\r\n" % (len(CLOSING), CLOSING))
        assert all(read_to_end(client).endswith(b"slept") for client in waiting)
        assert read_to_end(reader).endswith(LARGE)
        server.process.wait(timeout=scratch.TIMEOUT)
        assert time.monotonic() - started < QUICKLY
