"""Replies over HTTP: a server, a generator, and clients that cut the connection, come back, and ask twice."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from accounts import services
from accounts.models import User
from chatstore.ids import new_id
from conversations.models import Conversation, Message
from replies.models import UNDER_WAY, Event, Reply
from testing import scripted
from testing.cast import active_texts, create_conversation, create_user
from testing.event_reader import EventReader, reading, text_of
from testing.generator import SCRIPTED, generator, generator_thread
from testing.live_server import Live, json_body, serving
from testing.parallel import repeat, run_concurrently
from testing.scratch import wait_until
from testing.scripted import script

__all__ = ["generator", "generator_thread"]
CHAT = "/api/v1/chat/"


@pytest.fixture(scope="module")
def live(django_db_setup: None, django_db_blocker: Any) -> Iterator[Live]:
    with django_db_blocker.unblock(), serving(**SCRIPTED) as live:
        yield live


class Client:
    """A user with a token."""

    def __init__(self, live: Live, name: str, **token: Any) -> None:
        self.live, self.user = live, create_user(f"{name}-{new_id()}")
        _, secret = services.create_token(user=self.user, name="live", **token)
        self.headers = {"Authorization": f"Bearer {secret}"}

    def __call__(self, method: str, path: str, body: Any = None, status: int = 200, **headers: str) -> Any:
        sent = None if body is None else json.dumps(body).encode()
        answer = self.live.call(method, path, sent, **self.headers, **headers)
        assert answer.status == status, (answer.status, json_body(answer))
        return json_body(answer)

    def read(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        return reading(self.live, method, path, body, **self.headers, **headers)


@pytest.fixture
def as_alice(live: Live, generator: Any, settings: Any) -> Iterator[Client]:
    settings.MODELS = {"scripted": scripted.ROUTE}
    scripted.calls.clear()
    yield Client(live, "Alice")
    wait_until(lambda: not Reply.objects.filter(UNDER_WAY).exists())  # the database is flushed afterwards


@pytest.fixture
def as_bob(live: Live, as_alice: Client) -> Client:
    return Client(live, "Bob")


def question(*steps: Any, **fields: Any) -> dict[str, Any]:
    return {"content": script(*steps), "stream": True, **fields}


def stream_path(start: Any) -> str:
    return f"/api/v1/conversations/{start['conversation_id']}/messages/{start['message_id']}/stream/"


def started(reader: EventReader) -> Any:
    """Return the data of the event `start`."""
    (start,) = reader.until("start")
    return start.data


def test_a_reply_is_streamed_as_numbered_events_and_stored(as_alice: Client) -> None:
    steps = (["reasoning", "A greeting."], "Hel", 0.2, "lo", ["tool_call", 0, "c", "f", "{}"])
    with as_alice.read("POST", CHAT, question(*steps)) as reader:
        assert reader.status == 200
        assert reader.response.headers["Content-Type"] == "text/event-stream"
        events = list(reader)
    assert [received.id for received in events] == list(range(1, len(events) + 1))
    start, end = events[0], events[-1]
    assert (start.event, end.event) == ("start", "end")
    assert (end.data["status"], end.data["error"], end.data["usage"]) == (
        "completed",
        None,
        {"prompt_tokens": 7, "completion_tokens": 2},
    )
    message = as_alice("GET", f"/api/v1/messages/{start.data['message_id']}/")
    assert (message["content"], message["reasoning"], message["status"]) == ("Hello", "A greeting.", "completed")
    assert message["tool_calls"] == [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    assert (text_of(events), message["completion_tokens"]) == ("Hello", 2)


def test_the_first_text_arrives_while_the_model_writes(as_alice: Client) -> None:
    with as_alice.read("POST", CHAT, question("Hel", ["stall"])) as reader:
        start = reader.until("text")[0].data
        assert as_alice("GET", f"/api/v1/messages/{start['message_id']}/")["status"] == "in_progress"
        as_alice("POST", f"/api/v1/conversations/{start['conversation_id']}/stop/", {}, 202)
        assert [received.event for received in reader] == ["end"]


def test_the_accept_header_asks_for_a_stream(as_alice: Client) -> None:
    body = {"content": "Hello"}
    with as_alice.read("POST", CHAT, body, Accept="text/event-stream") as reader:
        assert text_of(reader.until("end")) == "Fine."
    whole = as_alice("POST", CHAT, {**body, "stream": False}, 201, Accept="text/event-stream")
    assert whole["answer"]["content"] == "Fine."


@pytest.mark.parametrize("way", ["after", "Last-Event-ID"])
def test_a_reader_that_lost_the_connection_gets_the_rest_from_the_first_missing_event(
    way: str, as_alice: Client
) -> None:
    with as_alice.read("POST", CHAT, question(*["word ", 0.05] * 20)) as reader:
        seen = [*reader.until("text"), reader.next()]
    path, last = stream_path(seen[0].data), str(seen[-1].id)
    headers = {} if way == "after" else {"Last-Event-ID": last}
    with as_alice.read("GET", f"{path}?after={last}" if way == "after" else path, **headers) as reader:
        rest = list(reader)
    events = [*seen, *rest]
    assert [received.id for received in events] == list(range(1, len(events) + 1))
    assert text_of(events) == "word " * 20 and rest[-1].event == "end"


def test_several_readers_follow_one_reply(as_alice: Client) -> None:
    with as_alice.read("POST", CHAT, question("One ", 0.3, "two ", 0.3, "three")) as first:
        start = first.until("start")
        with as_alice.read("GET", stream_path(start[0].data)) as second:
            assert start + list(first) == list(second)


def test_a_reader_that_comes_after_the_end_gets_the_whole_log(as_alice: Client) -> None:
    with as_alice.read("POST", CHAT, question("Fine.")) as reader:
        events = list(reader)
    path = stream_path(events[0].data)
    with as_alice.read("GET", path) as reader:
        assert list(reader) == events
    for beyond in (events[-1].id, 1_000):
        with as_alice.read("GET", f"{path}?after={beyond}") as reader:
            assert list(reader) == []


def test_a_reader_that_comes_after_the_log_was_deleted_gets_the_whole_message(as_alice: Client) -> None:
    exchange = as_alice("POST", CHAT, {"content": "Hello"}, 201)
    answer = exchange["answer"]
    Event.objects.filter(reply=answer["id"]).delete()
    path = f"/api/v1/conversations/{exchange['conversation_id']}/messages/{answer['id']}/stream/?after=2"
    with as_alice.read("GET", path) as reader:
        assert list(reader) == [(None, "message", answer)]


def test_a_failing_model_ends_the_stream_with_a_reason_and_the_question_can_be_retried(as_alice: Client) -> None:
    conversation = create_conversation(as_alice.user)
    path = f"/api/v1/conversations/{conversation.id}/reply/"
    body = question(["fail", "The model is ill."], external_id="q-1")
    ends = []
    for _ in range(2):
        with as_alice.read("POST", path, body) as reader:
            ends.append(list(reader)[-1].data)
    assert [(end["status"], end["error"]["message"]) for end in ends] == [("failed", "The model is ill.")] * 2
    assert len(scripted.calls) == 2 and Message.objects.filter(role="user").count() == 1


@pytest.mark.parametrize("by", ["external_id", "Idempotency-Key"])
def test_a_question_sent_twenty_times_at_once_is_one_question_one_call_and_one_reply(by: str, as_alice: Client) -> None:
    conversation = create_conversation(as_alice.user, "Hello", "Hi.")
    body = question("Fi", 0.2, "ne.", **({"external_id": "q-1"} if by == "external_id" else {}))
    headers = {"Idempotency-Key": "k"} if by == "Idempotency-Key" else {}

    def ask(_: int) -> list[Any]:
        with as_alice.read("POST", f"/api/v1/conversations/{conversation.id}/reply/", body, **headers) as reader:
            return list(reader)

    streams = run_concurrently(*repeat(20, ask), connect=False)
    assert streams == [streams[0]] * 20
    assert text_of(streams[0]) == "Fine."
    assert len(scripted.calls) == 1 and Reply.objects.count() == 1
    assert active_texts(conversation) == ["Hello", "Hi.", body["content"], "Fine."]


def test_the_same_text_twice_at_once_without_an_id_is_two_questions(as_alice: Client) -> None:
    conversation = create_conversation(as_alice.user)
    path = f"/api/v1/conversations/{conversation.id}/reply/"
    run_concurrently(*repeat(2, lambda _: as_alice("POST", path, {"content": "Hello"}, 201)), connect=False)
    assert sorted(active_texts(conversation)) == ["Fine.", "Fine.", "Hello", "Hello"]  # type: ignore[type-var]


def test_a_stopped_reply_keeps_its_text(as_alice: Client) -> None:
    with as_alice.read("POST", CHAT, question("Half a ", ["stall"])) as reader:
        start = reader.until("text")[0].data
        path = f"/api/v1/conversations/{start['conversation_id']}/stop/"
        stopped = as_alice("POST", path, {"message_id": start["message_id"]}, 202)
        end = reader.until("end")[-1].data
    assert stopped == {"message_ids": [start["message_id"]]}
    assert (end["status"], end["finish_reason"], end["error"]) == ("stopped", "stopped", None)
    message = as_alice("GET", f"/api/v1/messages/{start['message_id']}/")
    assert (message["content"], message["status"], message["finish_reason"]) == ("Half a ", "incomplete", "stopped")
    assert as_alice("POST", path, {}, 202) == {"message_ids": []}


def test_an_answer_is_regenerated_as_an_alternative(as_alice: Client) -> None:
    exchange = as_alice("POST", CHAT, {"content": "Hello"}, 201)
    path = f"/api/v1/conversations/{exchange['conversation_id']}/reply/"
    with as_alice.read("POST", path, {"message_id": exchange["answer"]["id"], "stream": True}) as reader:
        start = started(reader)
        list(reader)
    answer = as_alice("GET", f"/api/v1/messages/{start['message_id']}/")
    assert (answer["content"], answer["parent_seq"]) == ("Fine.", exchange["answer"]["parent_seq"])
    assert start["question_id"] == exchange["question"]["id"]
    assert active_texts(Conversation.objects.get()) == ["Hello", "Fine."]
    assert Message.objects.count() == 3


def test_bob_cannot_read_continue_or_stop_alices_reply(as_alice: Client, as_bob: Client) -> None:
    with as_alice.read("POST", CHAT, question("Hel", ["stall"])) as reader:
        start = reader.until("text")[0].data
        id = start["conversation_id"]
        as_bob("GET", stream_path(start), status=404)
        as_bob("POST", f"/api/v1/conversations/{id}/stop/", {}, 404)
        as_bob("POST", f"/api/v1/conversations/{id}/reply/", {"content": "Hello"}, 404)
        as_bob("POST", f"/api/v1/conversations/{id}/reply/", {"message_id": start["message_id"]}, 404)
        as_bob("POST", CHAT, {"content": "Hello", "conversation_id": id}, 404)
        assert as_alice("POST", f"/api/v1/conversations/{id}/stop/", {}, 202)["message_ids"]


def test_a_stream_names_the_address_of_its_rest(as_alice: Client) -> None:
    with as_alice.read("POST", CHAT, question("Fine.")) as reader:
        start = started(reader)
        assert reader.response.headers["Content-Location"] == stream_path(start)


def test_a_user_without_a_reader_still_gets_the_reply(as_alice: Client, alice: User) -> None:
    with as_alice.read("POST", CHAT, question("On ", 0.3, "and on.")) as reader:
        start = started(reader)
    with as_alice.read("GET", stream_path(start)) as reader:
        assert text_of(list(reader)) == "On and on."
