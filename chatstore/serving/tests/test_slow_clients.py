"""Slow clients, slow services and limits. A healthy client gets its answers promptly all the time."""

import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from testing import scratch
from testing.serving_wsgi import PIECE

from .server import TIMEOUT, Server, head, read_to_end, serving

SMALL_LIMITS = {"CONNECTIONS_LIMIT": "10", "STREAMS_LIMIT": "2", "BODY_LIMIT": "200000",
                "HISTORY_BODY_LIMIT": "1000000", "BODIES_LIMIT": "1000000", "CLIENT_TIMEOUT": "15"}  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture(scope="module")
def limited() -> Iterator[Server]:
    """A server with small limits."""
    with serving(**SMALL_LIMITS) as server:
        yield server


UNFINISHED = {
    "heads": (24, b"GET /echo HTTP/1.1\r\nHost: localhost\r\nX: "),
    "bodies": (50, head("POST /echo", "Content-Length: 900000") + b"x" * 1_000),
    "chunked bodies": (50, head("POST /echo", "Transfer-Encoding: chunked") + b"ffff\r\nxx"),
}


@pytest.mark.parametrize(("number", "sent"), UNFINISHED.values(), ids=UNFINISHED)
def test_unfinished_requests_delay_nobody_and_are_closed(number: int, sent: bytes, server: Server) -> None:
    with server.clients(number, sent) as clients:
        assert server.answers_promptly()
        assert all(read_to_end(client) == b"" for client in clients)


@pytest.mark.parametrize("rest", [b"GET /ec", head("POST /echo", "Content-Length: 9") + b"ab"])
def test_an_unfinished_request_after_a_whole_one_is_closed(rest: bytes, server: Server) -> None:
    with server.clients(1, head("GET /echo") + rest) as (client,):
        started = time.monotonic()
        assert read_to_end(client).count(b"HTTP/1.1 200 OK") == 1
        assert time.monotonic() - started < 5 * TIMEOUT  # an idle connection stays open for longer


@pytest.mark.parametrize("path", ["/large", "/pieces?number=1000", "/file", "/stream?number=100000&size=10000"])
def test_readers_that_do_not_read_delay_nobody_and_are_closed(path: str, server: Server) -> None:
    names = ("pieces closed", "sources closed")
    closed = sum(map(server.state, names))
    with server.clients(50, head(f"GET {path}", "Connection: close"), receive=4_096) as clients:
        assert server.answers_promptly()
        if "pieces" in path or "stream" in path:
            scratch.wait_until(lambda: sum(map(server.state, names)) >= closed + 50)
        else:
            assert len(read_to_end(clients[0])) > 0
    assert server.answers_promptly()


def test_downloads_that_keep_all_threads_busy_delay_nobody(server: Server) -> None:
    """There are 2 threads, and 6 fast readers. Each of their downloads takes at least 6 seconds of a thread."""
    request, closed = head("GET /pieces?number=600&seconds=0.01", "Connection: close"), server.state("pieces closed")
    with server.clients(6, request) as clients, ThreadPoolExecutor(6) as readers:
        downloads = [readers.submit(read_to_end, client) for client in clients]
        server.wait_for("pieces", server.state("pieces") + 10)
        assert server.answers_promptly()
        assert not any(download.done() for download in downloads)
        for client in clients:
            client.shutdown(socket.SHUT_RDWR)
    server.wait_for("pieces closed", closed + 6)


def test_large_responses_that_nobody_reads_share_a_limit_of_memory(server: Server) -> None:
    before = peak_memory(server)
    with server.clients(50, head("GET /large"), receive=4_096):
        assert server.answers_promptly()
    assert peak_memory(server) - before < 200_000_000  # bytes; all 50 responses have 400 MB


def test_downloads_that_bob_does_not_read_do_not_break_off_the_export_of_alice(server: Server) -> None:
    """Alice pauses for as long as Bob, and her download is the oldest one."""
    with server.clients(1, head("GET /pieces?number=200", "Connection: close", "X-Client: alice"), 65_536) as (alice,):
        assert alice.recv(1_000)
        with server.clients(40, head("GET /large", "X-Client: bob"), receive=4_096):
            server.answers_promptly()
            assert read_to_end(alice).endswith(b"0\r\n\r\n")


def test_a_steady_reader_is_not_broken_off_by_downloads_that_the_same_client_does_not_read(server: Server) -> None:
    with ExitStack() as stack:
        (reader,) = stack.enter_context(server.clients(1, head("GET /pieces?number=200", "Connection: close"), 65_536))
        for _ in range(40):
            stack.enter_context(server.clients(1, head("GET /large"), receive=4_096))
            for _ in range(8):
                assert reader.recv(60_000)
        assert read_to_end(reader).endswith(b"0\r\n\r\n")


def peak_memory(server: Server) -> int:
    """Return the peak memory, in bytes, of the worker."""
    (worker,) = psutil.Process(server.process.pid).children()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{worker.pid}/status").read_text())[0]) * 1024


def test_a_slow_reader_gets_the_whole_response_at_the_allowed_pace(server: Server) -> None:
    """The receive buffer is small, so the server waits for the client many times."""
    with server.client(receive=4_096) as client:
        client.sendall(head("GET /pieces?number=10", "Connection: close"))
        received = read_to_end(client)
    assert received.count(PIECE[:1]) >= len(PIECE) * 10


def test_requests_that_wait_for_a_model_delay_nobody(server: Server) -> None:
    """There are 2 threads, and 16 requests wait."""
    with server.clients(16, head("GET /wait", "Connection: close")) as clients:
        server.wait_for("waiting", 16)
        assert server.answers_promptly()
        server.call("GET", "/release")
        assert all(read_to_end(client).endswith(b"waited") for client in clients)
    scratch.wait_until(lambda: server.state("threads") <= 3)  # the main thread and the 2 others


def test_a_connection_above_the_limit_gets_a_503(limited: Server) -> None:
    with limited.clients(10, b""):
        with limited.client() as client:
            client.sendall(head("GET /echo"))
            answer = read_to_end(client)
        assert answer.startswith(b"HTTP/1.1 503 ") and b"Retry-After: 5\r\n" in answer
        assert answer.endswith(b"The server has too many connections. Try again in 5 seconds.\n")
    scratch.wait_until(lambda: limited.call("GET", "/echo").status == 200)


def test_a_stream_above_the_limit_is_a_503_and_its_source_is_closed(limited: Server) -> None:
    closed = limited.state("sources closed")
    with ExitStack() as stack:
        for _ in range(2):
            (client,) = stack.enter_context(limited.clients(1, head("GET /stream?number=9&seconds=9")))
            assert client.recv(100).startswith(b"HTTP/1.1 200 ")
        answer = limited.call("GET", "/stream?number=9&seconds=9")
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert answer.body == b"Too many streams are open. Try again in 5 seconds.\n"  # type: ignore[attr-defined]
        assert limited.state("sources closed") == closed + 1
    limited.wait_for("sources closed", closed + 3)


def test_large_bodies_share_a_limit_and_small_ones_are_not_affected(limited: Server) -> None:
    unfinished = head("POST /echo", "Content-Length: 900000") + b"x" * 600_000
    with limited.clients(1, unfinished):
        assert limited.answers_promptly()  # meanwhile, the unfinished body arrives
        scratch.wait_until(lambda: limited.call("POST", "/echo", b"x" * 600_000).status == 503)
        assert limited.call("POST", "/echo", b"x" * 60_000).status == 200
    scratch.wait_until(lambda: limited.call("POST", "/echo", b"x" * 600_000).status == 200)


def test_a_silent_stream_has_its_head_at_once_and_then_comments(server: Server) -> None:
    """The test application sends a comment every 0.5 seconds."""
    with server.client() as client:
        client.sendall(head("GET /stream?number=1&seconds=1.2"))
        answer = client.recv(1_000)
        assert b"Content-Type: text/event-stream" in answer
        while not answer.endswith(b"0\r\n\r\n"):
            answer += client.recv(1_000)
    assert answer.count(b": keep-alive\n\n") == 2
