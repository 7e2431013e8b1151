"""Clients that are slow or idle do not block the service for other clients."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest
from django.db import connection

from testing import scratch
from testing.live_server import Live, answers, create_token_of_new_user, gunicorn, json_body, live

__all__ = ["live"]  # a fixture

CLIENTS = 8  # more than the server has threads
TIMEOUT = 2


@pytest.fixture(scope="module")
def port(live: Live) -> Iterator[int]:
    name = str(connection.settings_dict["NAME"])
    with gunicorn(name, CLIENT_TIMEOUT=str(TIMEOUT), WEB_WORKERS="1", WEB_THREADS="4") as port:
        yield port


def request_head(*lines: str) -> bytes:
    return "\r\n".join([*lines, "Host: localhost", ""]).encode()


UNFINISHED = {
    "nothing": b"",
    "a head": request_head("GET /livez HTTP/1.1"),
    "a body": request_head("POST /accounts/login/ HTTP/1.1", "Content-Length: 1000") + b"\r\nlogin=x",
    "a chunk": request_head("POST /accounts/login/ HTTP/1.1", "Transfer-Encoding: chunked") + b"\r\nff\r\nlogin=x",
}


def is_closed(client: socket.socket) -> bool:
    """Read until the server closes the connection, and return True."""
    with suppress(ConnectionError):
        while client.recv(1_000_000):
            pass
    return True


@pytest.mark.parametrize("sent", UNFINISHED.values(), ids=UNFINISHED)
def test_unfinished_requests_release_their_threads_after_the_timeout(sent: bytes, port: int) -> None:
    with ExitStack() as open_sockets:
        clients = [open_sockets.enter_context(connect(port)) for _ in range(CLIENTS)]
        for client in clients:
            client.sendall(sent)
        time.sleep(0.5)
        scratch.wait_until(lambda: answers(port))
        assert all(map(is_closed, clients))


def test_a_client_that_sends_single_bytes_gets_no_extra_time(port: int) -> None:
    with ExitStack() as open_sockets:
        clients = [open_sockets.enter_context(connect(port)) for _ in range(CLIENTS)]
        ended = threading.Event()
        thread = threading.Thread(target=trickle, args=(clients, ended))
        thread.start()
        try:
            time.sleep(0.5)
            scratch.wait_until(lambda: answers(port))
            assert not ended.is_set()
        finally:
            ended.set()
            thread.join()


def trickle(clients: list[socket.socket], ended: threading.Event) -> None:
    sent = request_head("GET /livez HTTP/1.1") + b"X: " + b"x" * 1_000
    for index in range(len(sent)):
        for client in clients:
            with suppress(OSError):
                client.sendall(sent[index : index + 1])
        if ended.wait(0.3):
            return


def test_clients_that_do_not_read_their_responses_do_not_block_others(port: int) -> None:
    secret = create_token_of_new_user()
    bearer = {"Authorization": f"Bearer {secret}"}
    message = {"role": "user", "content": "x" * 900_000, "reasoning": "y" * 900_000}
    response = Live(port).call("POST", "/api/v1/conversations/", json.dumps({"messages": [message] * 2}), **bearer)
    id = json_body(response)["id"]
    for _ in range(2):
        Live(port).call("POST", f"/api/v1/conversations/{id}/messages/", json.dumps([message] * 2), **bearer)
    request = (
        request_head(f"GET /api/v1/conversations/{id}/messages/ HTTP/1.1", f"Authorization: Bearer {secret}") + b"\r\n"
    )
    with ExitStack() as open_sockets:
        for _ in range(CLIENTS):
            open_sockets.enter_context(connect(port, receive=4_096)).sendall(request)
        time.sleep(1)
        scratch.wait_until(lambda: answers(port))


def test_a_large_body_that_arrives_steadily_can_take_longer_than_the_timeout(port: int) -> None:
    secret = create_token_of_new_user()
    body = json.dumps({"title": "x", "messages": [{"role": "user", "content": "x" * 800_000}]}).encode()
    with connect(port) as client:
        lines = ("POST /api/v1/conversations/ HTTP/1.1", f"Authorization: Bearer {secret}")
        client.sendall(request_head(*lines, "Content-Type: application/json", f"Content-Length: {len(body)}") + b"\r\n")
        pieces = 10
        for start in range(0, len(body), len(body) // pieces + 1):
            client.sendall(body[start : start + len(body) // pieces + 1])
            time.sleep(1.5 * TIMEOUT / pieces)
        assert b" 201 " in client.recv(4096).splitlines()[0]


def test_an_idle_connection_between_requests_stays_open(port: int) -> None:
    with Live(port).connection() as kept:
        for _ in range(2):
            kept.request("GET", "/livez")
            assert kept.getresponse().read() == b'{"status": "ok"}'
            time.sleep(1.5 * TIMEOUT)


def connect(port: int, receive: int = 0) -> socket.socket:
    client = socket.socket()
    if receive:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    client.settimeout(scratch.TIMEOUT)
    client.connect(("127.0.0.1", port))
    return client
