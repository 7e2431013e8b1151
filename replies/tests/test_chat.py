"""POST /api/v1/chat/: a question and its answer in the native API."""

from typing import Any

import pytest

from accounts.models import User
from conversations.models import Conversation, Message
from testing.api_client import ApiClient
from testing.cast import active_texts, create_conversation
from testing.fake_provider import FAILURES, SECRET, USAGE, FakeProvider, completes_with, fails

CHAT = "chat/"
HELLO = {"content": "Hello"}


def test_a_question_is_answered_in_a_new_conversation(as_either: ApiClient, provider: FakeProvider) -> None:
    exchange = as_either("POST", CHAT, HELLO, status=201)
    id = exchange["conversation_id"]
    assert list(exchange) == ["conversation_id", "question", "answer"]
    assert as_either("GET", f"conversations/{id}/messages/")["results"] == [exchange["question"], exchange["answer"]]
    assert (exchange["answer"]["content"], exchange["answer"]["model"], exchange["answer"]["usage"]) == (
        "Fine.",
        "groq",
        USAGE,
    )
    conversation = as_either("GET", f"conversations/{id}/")
    assert (conversation["title"], conversation["source"]) == ("Hello", "native")
    assert (conversation["prompt_tokens"], conversation["completion_tokens"]) == (7, 2)


def test_a_question_continues_a_conversation(as_alice: ApiClient, provider: FakeProvider) -> None:
    id = as_alice("POST", CHAT, HELLO, status=201)["conversation_id"]
    as_alice("POST", CHAT, {"content": "More", "conversation_id": id}, status=201)
    assert [message["content"] for message in provider.request_bodies[-1]["messages"]] == ["Hello", "Fine.", "More"]


def test_the_conversation_must_exist_and_belong_to_the_caller(
    as_alice: ApiClient, as_bob: ApiClient, provider: FakeProvider
) -> None:
    id = as_alice("POST", CHAT, HELLO, status=201)["conversation_id"]
    body = HELLO | {"conversation_id": id}
    assert as_bob.refusal("POST", CHAT, body, status=404) == ("not_found", None)
    as_alice("DELETE", f"conversations/{id}/", status=204)
    assert as_alice.refusal("POST", CHAT, body, status=404) == ("not_found", None)
    assert len(provider.request_bodies) == 1 and Message.objects.count() == 2


def test_an_unknown_model_is_refused_before_anything_is_stored(as_alice: ApiClient, provider: FakeProvider) -> None:
    error = as_alice("POST", CHAT, HELLO | {"model": "gpt"}, status=400)["error"]
    assert (error["code"], error["field"]) == ("invalid", "model")
    assert error["message"] == "The model 'gpt' is not configured. Configured models: groq, echo."
    assert not Conversation.objects.exists()


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({}, ("required", "content")),
        ({"content": None}, ("required", "content")),
        ({"content": 5}, ("invalid", "content")),
        ({"content": ""}, ("required", "content")),
        ({"content": "x" * 1_000_001}, ("bytes", "content")),
        (HELLO | {"conversation_id": 5}, ("invalid", "conversation_id")),
        (HELLO | {"conversation_id": "conv-1"}, ("invalid", "conversation_id")),
        (HELLO | {"external_id": "x" * 256}, ("max_length", "external_id")),
        (HELLO | {"external_id": ""}, ("required", "external_id")),
        (HELLO | {"model": 5}, ("invalid", "model")),
        (HELLO | {"model": None}, ("required", "model")),
        (HELLO | {"role": "user"}, ("unknown_field", "role")),
    ],
    ids=lambda value: str(value)[:60],
)
def test_an_invalid_question_is_refused_and_not_stored(
    body: Any, refusal: Any, as_alice: ApiClient, provider: FakeProvider
) -> None:
    assert as_alice.refusal("POST", CHAT, body, status=400) == refusal
    assert not Conversation.objects.exists() and not provider.request_bodies


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failing_provider_is_a_502_without_secrets_and_the_question_is_kept(
    failure: str, as_alice: ApiClient, provider: FakeProvider
) -> None:
    provider.behavior = FAILURES[failure]
    error = as_alice("POST", CHAT, HELLO, status=502)["error"]
    assert error == {
        "code": "upstream_failed",
        "message": error["message"],
        "field": None,
        "details": [{"code": "upstream_failed", "message": error["message"], "field": None}],
    }
    assert "'groq'" in error["message"] and error["message"].endswith("Your message is kept.")
    assert not any(secret in as_alice.text for secret in (SECRET, "127.0.0.1", "http", str(provider.server_port)))
    question, answer = Conversation.objects.get().messages.shown()
    assert (question.content, answer.content, answer.status) == ("Hello", "", "failed")
    assert error["message"] == f"{answer.error} Your message is kept."


def repeatable(alice: User, by: str) -> tuple[ApiClient, dict[str, Any]]:
    """Return a caller and a question that it can repeat, by its external_id or with an Idempotency-Key."""
    caller = ApiClient(alice)
    body = HELLO | {"conversation_id": str(create_conversation(alice).id)}
    if by == "external_id":
        return caller, body | {"external_id": "msg-1"}
    caller.headers = caller.headers | {"Idempotency-Key": "k"}
    return caller, body


both_means = pytest.mark.parametrize("by", ["external_id", "Idempotency-Key"])


@both_means
def test_a_repeated_question_is_stored_and_answered_once(by: str, alice: User, provider: FakeProvider) -> None:
    caller, body = repeatable(alice, by)
    exchange = caller("POST", CHAT, body, status=201)
    assert caller("POST", CHAT, body, status=200) == exchange
    assert len(provider.request_bodies) == 1 and active_texts(Conversation.objects.get()) == ["Hello", "Fine."]


@both_means
def test_a_question_can_be_retried_after_a_failure(by: str, alice: User, provider: FakeProvider) -> None:
    caller, body = repeatable(alice, by)
    for _ in range(2):
        provider.behavior = fails(401)
        caller("POST", CHAT, body, status=502)
    provider.behavior = completes_with("Now.")
    exchange = caller("POST", CHAT, body, status=200)
    assert exchange["answer"]["content"] == "Now."
    assert active_texts(Conversation.objects.get()) == ["Hello", "Now."] and len(provider.request_bodies) == 3


@both_means
def test_another_question_with_the_same_id_or_key_is_a_conflict(by: str, alice: User, provider: FakeProvider) -> None:
    caller, body = repeatable(alice, by)
    caller("POST", CHAT, body, status=201)
    code, _ = caller.refusal("POST", CHAT, body | {"content": "Other"}, status=409)
    assert code == ("conflict" if by == "external_id" else "idempotency_key_reused")
    assert active_texts(Conversation.objects.get()) == ["Hello", "Fine."]


def test_a_retry_with_the_same_idempotency_key_creates_one_conversation(
    as_alice: ApiClient, provider: FakeProvider
) -> None:
    provider.behavior = fails(401)
    as_alice("POST", CHAT, HELLO, status=502, Idempotency_Key="k")
    provider.behavior = completes_with("Now.")
    exchange = as_alice("POST", CHAT, HELLO, status=200, Idempotency_Key="k")
    assert str(Conversation.objects.get().id) == exchange["conversation_id"]


def test_a_read_only_token_cannot_ask(alice: User, provider: FakeProvider) -> None:
    ApiClient(alice, scopes=["read"]).refusal("POST", CHAT, HELLO, status=403)
    assert not provider.request_bodies and not Conversation.objects.exists()


def test_the_models_are_listed_with_the_default(as_alice: ApiClient, provider: FakeProvider) -> None:
    groq, echo = as_alice("GET", "models/")
    assert (groq["name"], groq["kind"], groq["model"], groq["is_default"]) == ("groq", "openai", "a-model", True)
    assert (echo["name"], echo["is_default"]) == ("echo", False)
    assert SECRET not in as_alice.text and "http" not in as_alice.text
    as_alice("PATCH", "preferences/", {"default_model": "echo"})
    assert [model["is_default"] for model in as_alice("GET", "models/")] == [False, True]


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({}, ("required", "content")),
        ({"stream": "yes"}, ("invalid", "stream")),
        (HELLO | {"model_options": {"temperature": "hot"}}, ("invalid", "model_options.temperature")),
        (HELLO | {"model_options": {"temperature": 3}}, ("max_value", "model_options.temperature")),
        (HELLO | {"model_options": {"tools": ["search"]}}, ("type", "model_options.tools[0]")),
        (HELLO | {"model_options": {"seed": 1}}, ("unknown_field", "model_options.seed")),
        (HELLO | {"model_options": {"system_prompt": "x" * 1_000_001}}, ("bytes", "model_options")),
        (HELLO | {"message_id": "x"}, ("invalid", "message_id")),
        (HELLO | {"parts": {}}, ("type", "parts")),
    ],
    ids=lambda value: str(value)[:60],
)
def test_an_invalid_request_for_a_reply_is_refused(
    body: Any, refusal: Any, alice: User, as_alice: ApiClient, provider: FakeProvider
) -> None:
    path = f"conversations/{create_conversation(alice).id}/reply/"
    assert as_alice.refusal("POST", path, body, status=400) == refusal
    assert not Message.objects.exists() and not provider.request_bodies


def test_only_a_new_question_has_an_external_id(alice: User, as_alice: ApiClient, provider: FakeProvider) -> None:
    exchange = as_alice("POST", CHAT, HELLO, status=201)
    path = f"conversations/{exchange['conversation_id']}/reply/"
    body = {"content": "Bye", "message_id": exchange["question"]["id"], "external_id": "m"}
    assert as_alice.refusal("POST", path, body, status=400) == ("invalid", "external_id")


def test_a_repeated_request_to_regenerate_writes_one_alternative(as_alice: ApiClient, provider: FakeProvider) -> None:
    exchange = as_alice("POST", CHAT, HELLO, status=201)
    path, body = f"conversations/{exchange['conversation_id']}/reply/", {"message_id": exchange["answer"]["id"]}
    first = as_alice("POST", path, body, status=201, Idempotency_Key="k")
    assert as_alice("POST", path, body, status=200, Idempotency_Key="k") == first
    assert first["question"] == exchange["question"] and len(provider.request_bodies) == 2


def test_the_options_of_a_conversation_are_stored_and_bounded(as_alice: ApiClient, provider: FakeProvider) -> None:
    options = {"system_prompt": "Be brief.", "temperature": 0.5, "tools": [{"type": "function"}]}
    chat = as_alice("POST", "conversations/", {"model_options": options}, status=201)
    assert chat["model_options"] == options
    path = f"conversations/{chat['id']}/"
    large = {"model_options": {"system_prompt": "x" * 16_000}}
    assert as_alice.refusal("PATCH", path, large, status=400) == ("bytes", "model_options")
    as_alice("POST", f"{path}reply/", HELLO, status=201)
    assert provider.request_bodies[0]["temperature"] == 0.5
    assert as_alice("PUT", path, {})["model_options"] == {}


def test_parts_of_a_question_are_stored(as_alice: ApiClient, provider: FakeProvider) -> None:
    parts = [{"type": "text", "text": "What is this?"}]
    question = as_alice("POST", CHAT, {"parts": parts}, status=201)["question"]
    assert (question["parts"], question["content"]) == (parts, None)
