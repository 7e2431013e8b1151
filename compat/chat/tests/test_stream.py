"""The stream of contract A: requests, events and errors."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as configured

from accounts.models import User
from chatstore.errors import ProviderError
from chatstore.ids import new_id
from compat.chat.events import EVENT_LENGTH, wait_for_first
from conversations.models import Conversation
from replies.services import exchanges
from testing.api_client import ApiClient
from testing.fake_provider import FAILURES, SECRET, FakeProvider, streams
from testing.replies import ask

CHAT = "/api/chat"
ASKED = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
NEXT = {"role": "assistant", "content": ""}  # the client's message for the reply
BODY = {"messages": [*ASKED, NEXT], "model": "qwen-max"}
DONE = "[DONE]"


def events(caller: ApiClient, body: Any = BODY, **headers: str) -> list[Any]:
    """Send a request and return the events of the stream."""
    caller("POST", CHAT, body, **headers)
    return list(parsed(caller.text))


def parsed(text: str) -> Iterator[Any]:
    *blocks, rest = text.split("\n\n")
    assert rest == "" and all(block.startswith("data: ") for block in blocks), text
    for data in (block.removeprefix("data: ") for block in blocks):
        yield data if data == DONE else json.loads(data)


def event(text: str, type: str = "answer") -> Any:
    return {"text": text, "type": type}


def stored() -> int:
    return Conversation.objects.count()


@pytest.fixture(params=["token", "session"])
def caller(request: pytest.FixtureRequest, alice: User) -> ApiClient:
    return ApiClient(alice, by=request.param)


def test_the_echo_streams_without_a_configured_model(as_alice: ApiClient) -> None:
    *said, last = events(as_alice)
    assert "".join(event["text"] for event in said).endswith("You said: Hi")
    assert {event["type"] for event in said} == {"answer"} and len(said) > 5 and last == DONE


def test_thinking_and_the_answer_are_events_of_their_own(caller: ApiClient, provider: FakeProvider) -> None:
    provider.behavior = streams({"reasoning_content": "A greeting."}, {"content": "Hello"}, {"content": "!"})
    assert events(caller) == [event("A greeting.", "thinking"), event("Hello"), event("!"), DONE]
    assert stored() == 0


def test_the_response_is_an_event_stream_that_no_proxy_keeps_back(caller: ApiClient) -> None:
    events(caller, Accept="text/event-stream")
    headers = caller.answer.headers
    assert headers["Content-Type"] == "text/event-stream"
    assert (headers["Cache-Control"], headers["X-Accel-Buffering"]) == ("no-cache, no-transform", "no")
    assert "Content-Length" not in headers


@pytest.mark.parametrize("accept", ["text/event-stream", "application/json", "image/png", "*/*"])
def test_every_accept_header_gets_an_answer(accept: str, caller: ApiClient) -> None:
    assert events(caller, Accept=accept)[-1] == DONE
    assert caller("POST", CHAT, {"message": "Hello"}, Accept=accept)["success"] is True
    assert list(caller("POST", CHAT, {}, status=400, Accept=accept)) == ["error", "detail"]


def test_the_model_gets_the_whole_history_without_empty_messages(caller: ApiClient, provider: FakeProvider) -> None:
    provider.behavior = streams({"content": "Fine."})
    long = [{"role": role, "content": f"{index}"} for index in range(12) for role in ("user", "assistant")]
    aborted = {"role": "assistant", "content": "", "thinkingContent": "Hm."}
    sent = [ASKED[0], *long, {"role": "user", "content": "Hi"}, aborted, {"role": "user", "content": "Still there?"}]
    events(caller, {"messages": [*sent, NEXT], "model": "groq"})
    assert provider.request_bodies[0]["messages"] == [message for message in sent if message["content"]]


@pytest.mark.parametrize("model", [{"model": "qwen-max"}, {"model": None}, {"model": ""}, {}], ids=str)
def test_the_default_model_answers_for_an_unknown_one(model: Any, caller: ApiClient, provider: FakeProvider) -> None:
    provider.behavior = streams({"content": "Fine."})
    assert events(caller, {"messages": ASKED, **model}) == [event("Fine."), DONE]
    assert provider.request_bodies[0]["model"] == "a-model"


def test_a_configured_model_is_chosen_by_its_name(caller: ApiClient, provider: FakeProvider) -> None:
    provider.behavior = streams({"content": "Fine."})
    events(caller, BODY | {"model": "groq/other"})
    assert provider.request_bodies[0]["model"] == "other"


def test_a_long_piece_becomes_several_short_events(caller: ApiClient, provider: FakeProvider) -> None:
    text = "\N{GRINNING FACE}\n\n\1" * 200
    provider.behavior = streams({"content": text})
    *said, last = events(caller)
    assert "".join(event["text"] for event in said) == text and last == DONE
    assert len(said) == len(text) / EVENT_LENGTH
    assert max(map(len, caller.content.split(b"\n\n"))) < 1_300


def test_an_answer_ends_at_the_limit_of_a_stored_text(caller: ApiClient, provider: FakeProvider, settings: Any) -> None:
    settings.CONTENT_LIMIT = 10
    provider.behavior = streams({"content": "éé"}, {"content": "éé"}, {"content": "éé"})
    assert events(caller) == [event("éé"), event("éé"), event("é"), DONE]


def test_an_empty_answer_is_only_done(caller: ApiClient, provider: FakeProvider) -> None:
    provider.behavior = streams()
    assert events(caller) == [DONE]


@pytest.mark.parametrize("way", FAILURES)
def test_a_failure_before_the_first_event_is_a_502(way: str, caller: ApiClient, provider: FakeProvider) -> None:
    provider.behavior = FAILURES[way]
    refusal = caller("POST", CHAT, BODY, status=502, Accept="text/event-stream")
    assert list(refusal) == ["error", "detail"] and refusal["error"].startswith("The model 'groq' ")
    assert "kept" not in refusal["error"]  # nothing is stored
    assert not any(secret in caller.text for secret in (SECRET, "127.0.0.1", str(provider.server_port)))


def test_a_failure_after_an_event_is_an_event_that_the_client_shows(caller: ApiClient, provider: FakeProvider) -> None:
    provider.behavior = streams({"content": "Hel"}, ends=False)
    problem = "The model 'groq' did not send a complete answer."
    assert events(caller) == [event("Hel"), {**event(f"\n\n{problem}"), "error": problem}]


def test_a_failure_after_an_event_is_told_in_the_language_of_the_browser(
    caller: ApiClient, provider: FakeProvider
) -> None:
    provider.behavior = streams({"content": "Hal"}, ends=False)
    problem = "Das Modell 'groq' hat keine vollständige Antwort gesendet."
    assert events(caller, Accept_Language="de")[-1]["error"] == problem


@pytest.mark.django_db(transaction=True)
def test_the_wait_for_the_first_event_ends_if_there_is_none(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.REPLY_TIMEOUT = 0
    monkeypatch.setattr(exchanges, "PATIENCE", 0.1)
    for reply_id in (new_id(), ask("Hello", model="none").id):  # deleted, and never answered
        with pytest.raises(ProviderError, match="complete answer"):
            wait_for_first(reply_id)


def refused(caller: ApiClient, body: Any, status: int = 400, **headers: str) -> str:
    refusal = caller("POST", CHAT, body, status=status, **headers)
    assert list(refusal) == ["error", "detail"] and refusal["error"] == refusal["detail"]
    return str(refusal["error"])


@pytest.mark.parametrize("messages", [None, "Hi", 5, {"role": "user"}, False], ids=str)
def test_messages_that_are_no_array_are_refused(messages: Any, as_alice: ApiClient) -> None:
    assert refused(as_alice, {"messages": messages}) == "Messages are required and must be an array"


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([], "There is no message with a text."),
        ([NEXT, NEXT], "There is no message with a text."),
        ([*ASKED, 5], "messages[2]: Must be an object."),
        ([{"role": "user"}], "messages[0].content: This field is required."),
        ([{"role": "user", "content": None}], "messages[0].content: Must be a string."),
        ([{"role": "tool", "content": "x"}], "messages[0].role: Must be one of 'user', 'assistant', 'system'."),
        ([{"role": "user", "content": "x" * 1_000_001}], "messages[0].content: Has 1,000,001 bytes"),
        ([NEXT] * (configured.HISTORY_LIMIT + 1), "messages: Must have at most 10,000 entries."),
    ],
    ids=lambda value: str(value)[:60],
)
def test_invalid_messages_are_refused_by_name(messages: Any, words: str, caller: ApiClient) -> None:
    assert refused(caller, {"messages": messages}).startswith(words)


def test_an_invalid_model_is_refused(caller: ApiClient) -> None:
    assert refused(caller, BODY | {"model": 5}) == "model: Must be a string."


def test_a_history_as_large_as_a_stored_one_is_answered(caller: ApiClient, settings: Any) -> None:
    settings.BODY_LIMIT = 1_000  # of requests without a history
    large = [{"role": "user", "content": "x" * 900_000}] * 5
    assert events(caller, {"messages": large})[-1] == DONE
    assert "the limit is 32,000,000" in refused(caller, {"messages": large * 8}, 413)


def test_without_credentials_nothing_is_asked(db: None, provider: FakeProvider) -> None:
    assert refused(ApiClient(), BODY, 401, Accept="text/event-stream") == "Unauthorized"
    assert provider.request_bodies == []


def test_another_site_cannot_ask(alice: User, provider: FakeProvider) -> None:
    browser = ApiClient(alice, by="session")
    browser.headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    assert "cross-site" in refused(browser, BODY, 403)
    assert provider.request_bodies == []
