"""The chat route of the contracts B and E with a configured provider, which answers or fails."""

from typing import Any

import pytest

from accounts.models import User
from conversations.models import Conversation
from testing.api_client import ApiClient
from testing.fake_provider import FAILURES, SECRET, FakeProvider, completes_with

CHAT = "/api/chat"
QUESTION = {"message": "Hello", "conversation_id": "conv-1", "message_id": "msg-1"}


@pytest.fixture(params=["token", "session"])
def caller(request: pytest.FixtureRequest, alice: User) -> ApiClient:
    return ApiClient(alice, by=request.param)


def messages(caller: ApiClient) -> list[str]:
    return [message["content"] for message in caller("GET", "/api/conversations/conv-1/messages")]


def test_a_message_gets_the_answer_of_the_model(caller: ApiClient, provider: FakeProvider) -> None:
    answer = caller("POST", CHAT, QUESTION | {"model": "groq/other"})
    assert (answer["response"], answer["aiMessage"]["content"], answer["aiMessage"]["model"]) == (
        "Fine.",
        "Fine.",
        "groq/other",
    )
    assert provider.request_bodies[0]["model"] == "other"


@pytest.mark.parametrize("model", ["gpt", "gpt/groq", "rag"])
def test_the_default_model_answers_for_an_unknown_one(model: str, caller: ApiClient, provider: FakeProvider) -> None:
    answer = caller("POST", CHAT, QUESTION | {"model": model})
    assert (answer["modelUsed"], answer["messages"][1]["model"], answer["response"]) == ("groq", "groq", "Fine.")
    assert provider.request_bodies[0]["model"] == "a-model"


def test_the_default_model_of_the_user_answers_for_an_unknown_one(caller: ApiClient, provider: FakeProvider) -> None:
    caller("PATCH", "preferences/", {"default_model": "echo"})
    assert caller("POST", CHAT, QUESTION | {"model": "gpt"})["modelUsed"] == "echo"


def test_an_unknown_model_is_refused_by_the_native_api(caller: ApiClient, provider: FakeProvider) -> None:
    assert caller.refusal("POST", "chat/", {"content": "Hello", "model": "gpt"}, status=400) == ("invalid", "model")
    assert not Conversation.objects.exists()


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failing_provider_is_a_502_without_secrets_and_the_message_is_kept(
    failure: str, caller: ApiClient, provider: FakeProvider
) -> None:
    provider.behavior = FAILURES[failure]
    refusal = caller("POST", CHAT, QUESTION, status=502)
    assert list(refusal) == ["error", "detail"] and refusal["error"] == refusal["detail"]
    assert "'groq'" in refusal["error"] and "Your message is kept." in refusal["error"]
    assert not any(secret in caller.text for secret in (SECRET, "127.0.0.1", "http", str(provider.server_port)))
    assert messages(caller) == ["Hello"]
    provider.behavior = completes_with("Now.")
    assert caller("POST", CHAT, QUESTION)["response"] == "Now."
    assert messages(caller) == ["Hello", "Now."]


def test_an_unreachable_provider_is_a_502(caller: ApiClient, settings: Any) -> None:
    settings.MODELS = {"groq": {"kind": "openai", "base_url": "http://127.0.0.1:9/v1", "api_key": "k", "model": "m"}}
    assert "cannot be reached" in caller("POST", CHAT, QUESTION, status=502)["error"]
    assert messages(caller) == ["Hello"]


def test_an_empty_answer_is_stored_as_an_answer(caller: ApiClient, provider: FakeProvider) -> None:
    provider.behavior = completes_with("")
    assert caller("POST", CHAT, QUESTION)["response"] == ""
    assert caller("POST", CHAT, QUESTION)["response"] == "" and len(provider.request_bodies) == 1


def test_a_nul_in_an_answer_is_replaced(caller: ApiClient, provider: FakeProvider) -> None:
    provider.behavior = completes_with("a\0b")
    assert caller("POST", CHAT, QUESTION)["response"] == "a\N{REPLACEMENT CHARACTER}b" == messages(caller)[1]
