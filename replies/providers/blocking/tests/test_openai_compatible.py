"""The client of OpenAI-compatible providers: good, malformed and missing responses."""

from threading import Event, Timer
from typing import Any

import pytest
from django.utils.translation import override

from chatstore.errors import ProviderError
from replies import providers
from replies.providers.blocking import Answer, blocking
from testing.fake_provider import (
    CAUSES,
    FAILURES,
    JUNK,
    PATIENCE,
    SECRET,
    USAGE,
    FakeProvider,
    completes_with,
    completion,
    sends,
    trickles,
    waits,
)

QUESTION = [{"role": "user", "content": "Hello"}]


def answer() -> Answer:
    return blocking(providers.default()).complete(QUESTION)


def failure() -> str:
    with pytest.raises(ProviderError) as failed:
        answer()
    assert failed.value.code == "upstream_failed" and failed.value.field is None
    return failed.value.message


def test_the_answer_has_the_text_the_reason_and_the_usage(provider: FakeProvider) -> None:
    assert answer() == Answer("Fine.", "stop", 7, 2, USAGE)
    assert provider.request_bodies == [{"model": "a-model", "messages": QUESTION}]
    assert provider.keys == [f"Bearer {SECRET}"]


def test_a_route_without_a_key_sends_no_key_from_the_environment(
    provider: FakeProvider, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "somebody else's")
    settings.MODELS = {"own": provider.route() | {"api_key": ""}}
    assert answer().text == "Fine."
    assert "somebody" not in provider.keys[0]


@pytest.mark.parametrize(
    ("way", "cause"),
    [
        *CAUSES.items(),
        *((way, "answered with something that is not a chat completion") for way in JUNK),
    ],
)
def test_a_failure_names_its_cause_without_the_address_or_the_key(way: str, cause: str, provider: FakeProvider) -> None:
    provider.behavior = FAILURES[way]
    assert failure() == f"The model 'groq' {cause}."


def test_an_unreachable_provider_is_reported(settings: Any) -> None:
    settings.MODELS = {"groq": {"kind": "openai", "base_url": "http://127.0.0.1:9/v1", "api_key": SECRET, "model": "m"}}
    assert failure() == "The model 'groq' cannot be reached."


def test_a_slow_provider_times_out(provider: FakeProvider, settings: Any) -> None:
    settings.PROVIDER_TIMEOUT = 0.2
    awake = Event()
    provider.behavior = waits(awake, completes_with("Late."))
    assert failure() == "The model 'groq' did not answer within 0.2 seconds."
    with override("de"):
        assert failure() == "Das Modell 'groq' hat 0.2 Sekunden lang nicht geantwortet."
    awake.set()


def test_a_provider_that_sends_a_byte_now_and_then_times_out(provider: FakeProvider, settings: Any) -> None:
    settings.PROVIDER_TIMEOUT = 0.5
    enough = Event()
    provider.behavior = trickles(0.1, enough)
    late = Timer(PATIENCE, enough.set)
    late.start()
    assert failure() == "The model 'groq' did not answer within 0.5 seconds."
    assert not enough.is_set(), "the provider was still sending"
    late.cancel()
    enough.set()


def test_a_failed_call_is_not_retried(provider: FakeProvider) -> None:
    provider.behavior = FAILURES["429"]
    failure()
    assert len(provider.request_bodies) == 1


def test_a_failure_is_logged_without_the_key_or_the_message(
    provider: FakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    provider.behavior = FAILURES["401"]
    failure()
    line = caplog.records[-1].getMessage()
    assert line == f"the model groq at {provider.base_url} answered with the status 401"
    assert SECRET not in caplog.text and "Hello" not in caplog.text


@pytest.mark.parametrize(
    ("sent", "kept"), [("a\0b", "a\N{REPLACEMENT CHARACTER}b"), ("\ud83d!", "?!"), ("", ""), ("😀", "😀")]
)
def test_characters_that_cannot_be_stored_are_replaced(sent: str, kept: str, provider: FakeProvider) -> None:
    provider.behavior = completes_with(sent)
    assert answer().text == kept


def test_unknown_fields_of_a_response_are_accepted(provider: FakeProvider) -> None:
    provider.behavior = sends(completion("Fine.", x_groq={"id": "req_1"}, usage={**USAGE, "queue_time": 0.02}))
    assert answer().usage == {**USAGE, "queue_time": 0.02}
