"""Requests that no honest client sends, on a real web server."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from django.db import connection

from chatstore.serving.connection import SURPLUS
from testing import scratch
from testing.live_server import Live, answers, gunicorn, live

__all__ = ["live"]  # a fixture
LIMIT = 5  # connections
PROBE = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
REQUEST = b"GET /accounts/login/ HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("http://localhost/livez", 200),
        ("http://localhost/livez?a=http://localhost/", 200),
        ("http://[/livez", 200),
        ("http://[::1/livez", 200),
        ("http://a[b]c/none", 404),
        ("http://localhost", 200),
    ],
)
def test_a_whole_url_is_routed_by_its_path(url: str, status: int, live: Live) -> None:
    answer = live.raw(f"GET {url} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())


def test_a_content_length_of_thousands_of_digits_is_a_400(live: Live) -> None:
    digits = b"9" * 5_000
    answer = live.raw(b"POST /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + digits + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")


@pytest.fixture(scope="module")
def narrow(live: Live) -> Iterator[int]:
    """The port of a server with few connections and one process."""
    name = str(connection.settings_dict["NAME"])
    with gunicorn(name, CONNECTIONS_LIMIT=str(LIMIT), WEB_WORKERS="1") as port:
        yield port


def connect(port: int) -> socket.socket:
    return socket.create_connection(("localhost", port), timeout=scratch.TIMEOUT)


@pytest.mark.parametrize("sent", [REQUEST, REQUEST.replace(b"\r\n\r\n", b"\r\nContent-Length: 9\r\n\r\nshort")])
def test_clients_that_disconnect_before_the_answer_leave_no_connection_behind(sent: bytes, narrow: int) -> None:
    for _ in range(5 * LIMIT):
        with connect(narrow) as client:
            client.sendall(sent)
    scratch.wait_until(lambda: answers(narrow))


@pytest.mark.parametrize("path", ["/livez", "/readyz/"])
def test_a_full_server_answers_probes(path: str, narrow: int) -> None:
    with ExitStack() as stack:
        for _ in range(LIMIT):
            stack.enter_context(connect(narrow))
        assert Live(narrow).call("GET", path).status == 200
        assert Live(narrow).call("GET", "/accounts/login/").status == 503
        assert Live(narrow).raw(PROBE + REQUEST).count(b"HTTP/1.1 ") == 1


def test_strangers_cannot_keep_probes_out(narrow: int) -> None:
    """They open many more connections than the server keeps. It closes the oldest ones and refuses the others."""
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(narrow)) for _ in range(LIMIT + SURPLUS + 50)]
        assert Live(narrow).call("GET", "/livez").status == 200
        first_bytes = [read(client) for client in clients[LIMIT:]]
    assert first_bytes[:50] == [b""] * 50
    assert all(first.startswith(b"HTTP/1.1 503 ") for first in first_bytes[51:])  # the probe closed one more


def read(client: socket.socket) -> bytes:
    try:
        return client.recv(100)
    except ConnectionError:
        return b""
