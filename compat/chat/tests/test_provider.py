"""Contracts B and E with a model behind them, which answers or does not."""

from typing import Any

import pytest

from accounts.models import User
from conversations.models import Conversation
from testing.callers import Caller
from testing.fake_provider import FAILURES, SECRET, FakeProvider, says

CHAT = "/api/chat"
QUESTION = {"message": "Hello", "conversation_id": "conv-1", "message_id": "msg-1"}


@pytest.fixture(params=["token", "session"])
def caller(request: pytest.FixtureRequest, alice: User) -> Caller:
    return Caller(alice, by=request.param)


def said(caller: Caller) -> list[str]:
    return [message["content"] for message in caller("GET", "/api/conversations/conv-1/messages")]


def test_the_model_answers(caller: Caller, provider: FakeProvider) -> None:
    answer = caller("POST", CHAT, QUESTION | {"model": "groq/other"})
    assert (answer["response"], answer["aiMessage"]["content"], answer["aiMessage"]["model"]) == (
        "Fine.",
        "Fine.",
        "groq/other",
    )
    assert provider.asked[0]["model"] == "other"


def test_an_unknown_model_is_refused_with_those_that_are_there(caller: Caller, provider: FakeProvider) -> None:
    refusal = caller("POST", CHAT, QUESTION | {"model": "gpt"}, status=400)
    expected = "model: There is no model 'gpt'; there are: groq, echo."
    assert refusal == {"error": expected, "detail": expected}
    assert not Conversation.objects.exists()


@pytest.mark.parametrize("failure", FAILURES)
def test_a_provider_that_fails_is_a_502_that_gives_nothing_away_and_the_message_is_kept(
    failure: str, caller: Caller, provider: FakeProvider
) -> None:
    provider.answers = FAILURES[failure]
    refusal = caller("POST", CHAT, QUESTION, status=502)
    assert list(refusal) == ["error", "detail"] and refusal["error"] == refusal["detail"]
    assert "'groq'" in refusal["error"] and "Your message is kept." in refusal["error"]
    assert not any(secret in caller.text for secret in (SECRET, "127.0.0.1", "http", str(provider.server_port)))
    assert said(caller) == ["Hello"]
    provider.answers = says("Now.")
    assert caller("POST", CHAT, QUESTION)["response"] == "Now."
    assert said(caller) == ["Hello", "Now."]


def test_a_provider_that_is_not_there_is_a_502(caller: Caller, settings: Any) -> None:
    settings.MODELS = {"groq": {"kind": "openai", "base_url": "http://127.0.0.1:9/v1", "api_key": "k", "model": "m"}}
    assert "cannot be reached" in caller("POST", CHAT, QUESTION, status=502)["error"]
    assert said(caller) == ["Hello"]


def test_a_model_that_says_nothing_has_said_so(caller: Caller, provider: FakeProvider) -> None:
    provider.answers = says("")
    assert caller("POST", CHAT, QUESTION)["response"] == ""
    assert caller("POST", CHAT, QUESTION)["response"] == "" and len(provider.asked) == 1


def test_an_answer_with_nul_is_stored_without_it(caller: Caller, provider: FakeProvider) -> None:
    provider.answers = says("a\0b")
    assert caller("POST", CHAT, QUESTION)["response"] == "a\N{REPLACEMENT CHARACTER}b" == said(caller)[1]
