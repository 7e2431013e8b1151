"""Clients that are slow, or do nothing, do not stop the service for the others."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest
from django.db import connection

from testing import scratch
from testing.live_server import Live, answers, create_token_of_new_user, gunicorn, live

__all__ = ["live"]  # a fixture

CLIENTS = 8  # as many as the server has threads, and more
TIMEOUT = 2


@pytest.fixture(scope="module")
def port(live: Live) -> Iterator[int]:
    name = str(connection.settings_dict["NAME"])
    with gunicorn(name, CLIENT_TIMEOUT=str(TIMEOUT), WEB_WORKERS="1", WEB_THREADS="4") as port:
        yield port


def head(*lines: str) -> bytes:
    return "\r\n".join([*lines, "Host: localhost", ""]).encode()


UNFINISHED = {
    "nothing": b"",
    "a head": head("GET /livez HTTP/1.1"),
    "a body": head("POST /accounts/login/ HTTP/1.1", "Content-Length: 1000") + b"\r\nlogin=x",
    "a chunk": head("POST /accounts/login/ HTTP/1.1", "Transfer-Encoding: chunked") + b"\r\nff\r\nlogin=x",
}


def closed(wire: socket.socket) -> bool:
    """Read all that comes, until the server closes."""
    with suppress(ConnectionError):
        while wire.recv(1_000_000):
            pass
    return True


@pytest.mark.parametrize("sent", UNFINISHED.values(), ids=UNFINISHED)
def test_after_the_timeout_unfinished_requests_give_their_threads_back(sent: bytes, port: int) -> None:
    with ExitStack() as open_sockets:
        wires = [open_sockets.enter_context(dial(port)) for _ in range(CLIENTS)]
        for wire in wires:
            wire.sendall(sent)
        time.sleep(0.5)
        scratch.wait_until(lambda: answers(port))
        assert all(map(closed, wires)), "the server has closed them"


def test_a_client_that_sends_a_byte_now_and_then_has_no_more_time(port: int) -> None:
    with ExitStack() as open_sockets:
        wires = [open_sockets.enter_context(dial(port)) for _ in range(CLIENTS)]
        over = threading.Event()
        thread = threading.Thread(target=trickle, args=(wires, over))
        thread.start()
        try:
            time.sleep(0.5)
            scratch.wait_until(lambda: answers(port))
            assert not over.is_set()
        finally:
            over.set()
            thread.join()


def trickle(wires: list[socket.socket], over: threading.Event) -> None:
    sent = head("GET /livez HTTP/1.1") + b"X: " + b"x" * 1_000
    for at in range(len(sent)):
        for wire in wires:
            with suppress(OSError):
                wire.sendall(sent[at : at + 1])
        if over.wait(0.3):
            return


def test_clients_that_do_not_read_their_answers_are_cut_off(port: int) -> None:
    secret = create_token_of_new_user()
    bearer = {"Authorization": f"Bearer {secret}"}
    message = {"role": "user", "content": "x" * 900_000, "reasoning": "y" * 900_000}
    made = Live(port).call("POST", "/api/v1/conversations/", json.dumps({"messages": [message] * 2}), **bearer)
    id = json.loads(made.body)["id"]  # type: ignore[attr-defined]
    for _ in range(2):
        Live(port).call("POST", f"/api/v1/conversations/{id}/messages/", json.dumps([message] * 2), **bearer)
    ask = head(f"GET /api/v1/conversations/{id}/messages/ HTTP/1.1", f"Authorization: Bearer {secret}") + b"\r\n"
    with ExitStack() as open_sockets:
        for _ in range(CLIENTS):
            open_sockets.enter_context(dial(port, receive=4_096)).sendall(ask)
        time.sleep(1)
        scratch.wait_until(lambda: answers(port))


def test_a_large_body_takes_longer_than_the_timeout_when_it_keeps_coming(port: int) -> None:
    secret = create_token_of_new_user()
    body = json.dumps({"title": "x", "messages": [{"role": "user", "content": "x" * 800_000}]}).encode()
    with dial(port) as wire:
        lines = ("POST /api/v1/conversations/ HTTP/1.1", f"Authorization: Bearer {secret}")
        wire.sendall(head(*lines, "Content-Type: application/json", f"Content-Length: {len(body)}") + b"\r\n")
        pieces = 10
        for start in range(0, len(body), len(body) // pieces + 1):
            wire.sendall(body[start : start + len(body) // pieces + 1])
            time.sleep(1.5 * TIMEOUT / pieces)
        assert b" 201 " in wire.recv(4096).splitlines()[0]


def test_a_connection_that_waits_between_requests_is_kept(port: int) -> None:
    with Live(port).connection() as kept:
        for _ in range(2):
            kept.request("GET", "/livez")
            assert kept.getresponse().read() == b'{"status": "ok"}'
            time.sleep(1.5 * TIMEOUT)


def dial(port: int, receive: int = 0) -> socket.socket:
    wire = socket.socket()
    if receive:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    wire.settimeout(scratch.TIMEOUT)
    wire.connect(("127.0.0.1", port))
    return wire
