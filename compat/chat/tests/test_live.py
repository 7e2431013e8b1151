"""A slow provider blocks no other request, even with one worker and one database connection."""

import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from django.db import connection

from testing import fast_django
from testing.fake_provider import FakeProvider, answers_when_set, running
from testing.generator import running as generating
from testing.live_server import Live, create_token_of_new_user, gunicorn, json_body
from testing.scratch import wait_until

PATIENCE = 60


class Chat:
    """A new user, who calls a server with one worker and one database connection."""

    def __init__(self, live: Live, provider: FakeProvider, secret: str, threads: ThreadPoolExecutor) -> None:
        self.live, self.provider, self.threads = live, provider, threads
        self.headers = {"Authorization": f"Bearer {secret}"}

    def __call__(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        answer = self.live.call(method, path, body and json.dumps(body).encode(), **self.headers)
        assert answer.status == status, json_body(answer)
        return json_body(answer)

    def ask(self, *texts: str) -> list[Future[Any]]:
        """Send these messages at once, and wait until all have reached the provider. Return the pending responses."""
        before = len(self.provider.request_bodies)
        waiting = [
            self.threads.submit(self, "POST", "/api/chat", {"message": text, "conversation_id": "conv-1"})
            for text in texts
        ]
        wait_until(lambda: len(self.provider.request_bodies) == before + len(texts))
        return waiting

    def messages(self) -> list[str]:
        return [message["content"] for message in self("GET", "/api/conversations/conv-1/messages")]


@pytest.fixture(scope="module")
def server(django_db_setup: None, django_db_blocker: Any) -> Iterator[tuple[Live, FakeProvider]]:
    with running() as provider, django_db_blocker.unblock(), generating():
        knobs = {"MODELS": json.dumps({"groq": provider.route()}), "DB_POOL_SIZE": "1", "WEB_WORKERS": "1"}
        with gunicorn(str(connection.settings_dict["NAME"]), **knobs) as port:
            yield Live(port), provider
            fast_django.delete_rows()


@pytest.fixture
def chat(server: tuple[Live, FakeProvider], django_db_blocker: Any, settings: Any) -> Iterator[Chat]:
    settings.MODELS = {"groq": server[1].route()}
    with ThreadPoolExecutor() as threads:
        with django_db_blocker.unblock():
            secret = create_token_of_new_user()
        yield Chat(*server, secret, threads)


@pytest.fixture
def gates(chat: Chat) -> Iterator[dict[str, Event]]:
    gates = {text: Event() for text in ("One", "Two", "Three")}
    chat.provider.behavior = answers_when_set(gates)
    yield gates
    for gate in gates.values():
        gate.set()


def test_other_requests_are_answered_during_the_call(chat: Chat, gates: dict[str, Event]) -> None:
    (waiting,) = chat.ask("One")
    assert chat.messages() == ["One"]
    assert [row["lastMessage"] for row in chat("GET", "/api/chat/history")["chats"]] == ["One"]
    assert not waiting.done()
    gates["One"].set()
    assert waiting.result(PATIENCE)["response"] == "You said One."


def test_the_conversation_is_not_locked_during_the_call(chat: Chat, gates: dict[str, Event]) -> None:
    (waiting,) = chat.ask("One")
    (thread,) = chat("GET", "/api/v1/conversations/")["results"]
    note = {"role": "user", "content": "By the way"}
    chat("POST", f"/api/v1/conversations/{thread['id']}/messages/", note, status=201)
    chat("PUT", "/api/conversations/conv-1/title", {"title": "New"})
    assert not waiting.done()
    gates["One"].set()
    waiting.result(PATIENCE)
    assert chat.messages() == ["One", "You said One.", "By the way"]  # the answer has its place from the beginning


def test_several_calls_wait_at_once_with_one_database_connection(chat: Chat, gates: dict[str, Event]) -> None:
    waiting = chat.ask(*gates)
    for gate in gates.values():
        gate.set()
    assert sorted(answer.result(PATIENCE)["response"] for answer in waiting) == sorted(
        f"You said {text}." for text in gates
    )
    assert len(chat.messages()) == 6


def test_a_conversation_deleted_during_the_call_stays_deleted(chat: Chat, gates: dict[str, Event]) -> None:
    (waiting,) = chat.ask("One")
    chat("DELETE", "/api/conversations/conv-1")
    gates["One"].set()
    with pytest.raises(AssertionError, match="There is no such conversation"):
        waiting.result(PATIENCE)
    assert chat("GET", "/api/chat/history")["chats"] == []
