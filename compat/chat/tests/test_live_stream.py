"""The stream of contract A over HTTP, from a server with one worker and one database connection."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse
from threading import Event
from typing import Any

import pytest
from django.db import connection

from testing.fake_provider import FakeProvider, running, streams, streams_on, waits
from testing.generator import running as generating
from testing.live_server import Live, create_token_of_new_user, json_body, serving
from testing.scratch import wait_until

QUESTION = json.dumps({"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": ""}]})
LIMIT = 2  # seconds; PROVIDER_TIMEOUT of the generator
DONE = b"data: [DONE]\n\n"


@pytest.fixture(scope="module")
def server(django_db_setup: None, django_db_blocker: Any) -> Iterator[tuple[Live, FakeProvider]]:
    with running() as provider, django_db_blocker.unblock(), generating():
        models = json.dumps({"groq": provider.route()})
        variables = {"MODELS": models, "PROVIDER_TIMEOUT": str(LIMIT), "DB_POOL_SIZE": "1", "WEB_WORKERS": "1"}
        with serving(**variables) as live:
            yield live, provider


@pytest.fixture
def live(server: tuple[Live, FakeProvider]) -> Live:
    return server[0]


@pytest.fixture
def provider(server: tuple[Live, FakeProvider], settings: Any) -> FakeProvider:
    settings.MODELS, settings.PROVIDER_TIMEOUT = {"groq": server[1].route()}, LIMIT  # of the generator
    server[1].left.clear()
    return server[1]


@pytest.fixture
def headers(live: Live, django_db_blocker: Any) -> dict[str, str]:
    with django_db_blocker.unblock():
        secret = create_token_of_new_user()
    return {"Authorization": f"Bearer {secret}", "Content-Type": "application/json", "Accept": "text/event-stream"}


@pytest.fixture
def stream(live: Live, headers: dict[str, str]) -> Iterator["Stream"]:
    with live.connection() as connection:
        yield Stream(connection, headers)


@pytest.fixture
def gate() -> Iterator[Event]:
    gate = Event()
    yield gate
    gate.set()


class Stream:
    """A client of the stream, which reads the chunks of the response one by one."""

    answer: HTTPResponse

    def __init__(self, connection: HTTPConnection, headers: dict[str, str]) -> None:
        self.connection, self.headers = connection, headers

    def open(self) -> int:
        """Send the question and return the status code. The provider must have sent a piece."""
        self.connection.request("POST", "/api/chat", QUESTION, self.headers)
        self.answer = self.connection.getresponse()
        return self.answer.status

    def chunk(self) -> bytes:
        """Return the next chunk, b"" at the end of the response."""
        size = int(self.answer.fp.readline(), 16)
        data = self.answer.fp.read(size)
        assert self.answer.fp.readline() == b"\r\n"
        return data

    def chunks(self) -> list[bytes]:
        return list(iter(self.chunk, b""))

    def events(self) -> list[Any]:
        return [json.loads(chunk.removeprefix(b"data: ")) for chunk in self.chunks() if chunk != DONE]


def event(text: str, type: str = "answer") -> bytes:
    return f'data: {{"text":"{text}","type":"{type}"}}\n\n'.encode()


def test_each_event_is_one_chunk(stream: Stream, provider: FakeProvider) -> None:
    provider.behavior = streams({"reasoning": "Hm."}, {"content": "H" * 200 + "i" * 200})
    assert stream.open() == 200
    assert stream.answer.headers["Transfer-Encoding"] == "chunked"
    assert stream.chunks() == [event("Hm.", "thinking"), event("H" * 200), event("i" * 200), DONE]


def test_an_event_arrives_when_its_piece_is_sent(stream: Stream, provider: FakeProvider, gate: Event) -> None:
    provider.behavior = streams({"content": "Hel"}, gate, {"content": "lo"})
    stream.open()
    assert stream.chunk() == event("Hel")
    gate.set()
    assert stream.chunks() == [event("lo"), DONE]


def test_an_event_is_read_from_the_network_in_one_piece(
    live: Live, headers: dict[str, str], provider: FakeProvider, gate: Event
) -> None:
    """The client of contract A parses what one read returns."""
    provider.behavior = streams(gate, {"content": "é" * 200})
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    request = f"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(QUESTION)}\r\n{head}\r\n{QUESTION}"
    with socket.create_connection(("localhost", live.port), timeout=10) as client:
        client.sendall(request.encode())
        gate.set()
        reads = [client.recv(65_536)]
        while not reads[-1].endswith(b"0\r\n\r\n"):
            reads.append(client.recv(65_536))
    assert sum(event("é" * 200) in read for read in reads) == 1


def test_other_requests_are_answered_during_a_stream(
    stream: Stream, live: Live, headers: dict[str, str], provider: FakeProvider, gate: Event
) -> None:
    """The only database connection is free."""
    provider.behavior = streams({"content": "Hel"}, gate)
    stream.open()
    stream.chunk()
    answer = live.call("GET", "/api/chat/history", Authorization=headers["Authorization"])
    assert (answer.status, json_body(answer)["chats"]) == (200, [])
    gate.set()
    assert stream.chunks() == [DONE]


def test_several_streams_run_at_once(live: Live, headers: dict[str, str], provider: FakeProvider, gate: Event) -> None:
    provider.behavior = streams({"content": "Hel"}, gate)
    with live.connection() as first, live.connection() as second, live.connection() as third:
        clients = [Stream(client, headers) for client in (first, second, third)]
        for client in clients:
            client.open()
            assert client.chunk() == event("Hel")
        gate.set()
        assert [client.chunks() for client in clients] == [[DONE]] * 3


def test_a_client_that_disconnects_ends_the_request_to_the_provider(stream: Stream, provider: FakeProvider) -> None:
    provider.behavior = streams_on(0.01)
    stream.open()
    stream.chunk()
    stream.answer.close()
    stream.connection.close()
    assert provider.left.wait(LIMIT * 0.75), "only the time limit ends it"


def test_a_provider_that_breaks_off_ends_the_stream_with_an_error(stream: Stream, provider: FakeProvider) -> None:
    provider.behavior = streams({"content": "Hel"}, ends=False)
    stream.open()
    problem = "The model 'groq' did not send a complete answer."
    first, last = stream.chunks()
    assert first == event("Hel")
    assert json.loads(last.removeprefix(b"data: ")) == {"text": f"\n\n{problem}", "type": "answer", "error": problem}


@pytest.mark.parametrize("before", [0, LIMIT * 0.75])
def test_a_provider_that_stalls_ends_the_stream_at_the_limit_of_silence(
    before: float, stream: Stream, provider: FakeProvider, gate: Event
) -> None:
    def answer(handler: Any) -> None:
        time.sleep(before)
        streams({"content": "Hel"}, gate)(handler)

    provider.behavior = answer
    started = time.monotonic()
    stream.open()
    first, last = stream.events()
    assert first["text"] == "Hel" and last["error"].endswith(f"sent nothing for {LIMIT} seconds.")
    assert LIMIT * 0.9 < time.monotonic() - started - before < LIMIT * 5


def test_a_provider_that_does_not_answer_is_a_502(stream: Stream, provider: FakeProvider, gate: Event) -> None:
    provider.behavior = waits(gate, streams())
    assert stream.open() == 502
    body = json.loads(stream.answer.read())
    assert body["error"] == body["detail"] == f"The model 'groq' did not answer within {LIMIT} seconds."


def test_without_credentials_the_answer_is_a_401(stream: Stream, provider: FakeProvider) -> None:
    asked = len(provider.request_bodies)
    del stream.headers["Authorization"]
    assert stream.open() == 401
    assert json.loads(stream.answer.read()) == {"error": "Unauthorized", "detail": "Unauthorized"}
    assert len(provider.request_bodies) == asked


def test_a_stream_leaves_no_rows_and_no_transaction(
    stream: Stream, provider: FakeProvider, django_db_blocker: Any
) -> None:
    provider.behavior = streams({"content": "Fine."})
    stream.open()
    stream.chunks()
    with django_db_blocker.unblock(), closing(connection.cursor()) as cursor:

        def is_quiet() -> bool:
            cursor.execute("SELECT FROM pg_stat_activity WHERE state LIKE 'idle in%'")
            return not cursor.fetchall()

        wait_until(is_quiet)
        cursor.execute("SELECT count(*) FROM message")
        assert cursor.fetchone() == (0,)
