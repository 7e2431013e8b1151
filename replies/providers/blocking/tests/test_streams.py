"""Streamed answers of OpenAI-compatible providers and of the echo."""

import time
from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest

from chatstore.errors import ProviderError
from replies import providers
from replies.providers.blocking import Piece, blocking
from testing.fake_provider import (
    CAUSES,
    FAILURES,
    SECRET,
    FakeProvider,
    completes_with,
    sends,
    streams,
    streams_on,
    waits,
)

QUESTION = [{"role": "user", "content": "Hello"}]


def pieces() -> list[Piece]:
    return list(blocking(providers.default()).stream(QUESTION))


def failure(*before: Piece) -> str:
    """Read a stream that fails after these pieces. Return the message of the error."""
    stream = blocking(providers.default()).stream(QUESTION)
    assert [next(stream) for _ in before] == list(before)
    with pytest.raises(ProviderError) as failed:
        next(stream)
    assert failed.value.code == "upstream_failed"
    return failed.value.message


def test_the_texts_arrive_in_pieces(provider: FakeProvider) -> None:
    provider.behavior = streams({"role": "assistant", "content": ""}, {"content": "Fi"}, {"content": "ne."})
    assert pieces() == [Piece("Fi"), Piece("ne.")]
    assert provider.request_bodies == [{"model": "a-model", "messages": QUESTION, "stream": True}]
    assert provider.keys == [f"Bearer {SECRET}"]


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
def test_reasoning_is_thinking(field: str, provider: FakeProvider) -> None:
    provider.behavior = streams({field: "Hm."}, {field: "Ah.", "content": None}, {"content": "Fine.", field: None})
    assert pieces() == [Piece("Hm.", True), Piece("Ah.", True), Piece("Fine.")]


def test_a_text_in_both_fields_of_reasoning_is_read_once(provider: FakeProvider) -> None:
    provider.behavior = streams({"reasoning": "Hm.", "reasoning_content": "Hm."})
    assert pieces() == [Piece("Hm.", True)]


def test_a_piece_is_read_before_the_next_one_is_sent(provider: FakeProvider) -> None:
    gate = Event()
    provider.behavior = streams({"content": "Fi"}, gate, {"content": "ne."})
    stream = blocking(providers.default()).stream(QUESTION)
    assert next(stream) == Piece("Fi")
    gate.set()
    assert list(stream) == [Piece("ne.")]


JUNK_CHUNKS = {
    "usage": b'data: {"choices": [], "usage": {"prompt_tokens": 1}}\n\n',
    "no choices": b'data: {"id": "x"}\n\n',
    "choices null": b'data: {"choices": null}\n\n',
    "choices that are no array": b'data: {"choices": 5}\n\n',
    "a choice that is none": b'data: {"choices": [5]}\n\n',
    "delta null": b'data: {"choices": [{"delta": null}]}\n\n',
    "content that is no text": b'data: {"choices": [{"delta": {"content": 5}}]}\n\n',
    "a comment": b": still here\n\n",
}


@pytest.mark.parametrize("junk", JUNK_CHUNKS)
def test_chunks_without_a_text_are_skipped(junk: str, provider: FakeProvider) -> None:
    provider.behavior = streams({"content": "Fi"}, JUNK_CHUNKS[junk], {"content": "ne."})
    assert pieces() == [Piece("Fi"), Piece("ne.")]


def test_an_empty_answer_has_no_pieces(provider: FakeProvider) -> None:
    provider.behavior = streams({"content": ""})
    assert pieces() == []


def test_characters_that_cannot_be_stored_are_replaced(provider: FakeProvider) -> None:
    provider.behavior = streams({"content": "a\0b"}, {"content": "\ud83d!"})
    assert pieces() == [Piece("a\N{REPLACEMENT CHARACTER}b"), Piece("?!")]


@pytest.mark.parametrize(
    ("way", "cause"),
    [
        *CAUSES.items(),
        ("HTML", "did not send a complete answer"),
        ("nothing", "did not send a complete answer"),
    ],
)
def test_a_failure_before_the_first_piece(way: str, cause: str, provider: FakeProvider) -> None:
    provider.behavior = FAILURES[way]
    assert failure() == f"The model 'groq' {cause}."


def test_a_whole_completion_is_not_a_stream(provider: FakeProvider) -> None:
    provider.behavior = completes_with("Fine.")
    assert failure() == "The model 'groq' did not send a complete answer."


BROKEN: dict[str, Any] = {
    "breaks off": b"",
    "breaks off in a chunk": b'data: {"choices": [{"del',
    "says that it is done, without a reason": b"data: [DONE]\n\n",
    "sends something that is not JSON": b"data: Fine.\n\n",
    "reports an error": b'data: {"error": {"message": "' + SECRET.encode() + b' is no good"}}\n\n',
}


@pytest.mark.parametrize("way", BROKEN)
def test_an_answer_without_an_end_is_a_failure(way: str, provider: FakeProvider) -> None:
    provider.behavior = streams({"content": "Fi"}, BROKEN[way], ends=False)
    assert failure(Piece("Fi")) == "The model 'groq' did not send a complete answer."


def test_a_body_shorter_than_its_length_is_a_failure(provider: FakeProvider) -> None:
    def breaks_off(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b'data: {"choices": [{"delta": {"content": "Fi"}}]}\n\n')

    provider.behavior = breaks_off
    assert failure(Piece("Fi")) == "The model 'groq' did not send a complete answer."


@pytest.fixture
def gate() -> Iterator[Event]:
    gate = Event()
    yield gate
    gate.set()


@pytest.fixture
def one_second(settings: Any) -> Iterator[None]:
    """Set PROVIDER_TIMEOUT to one second. Assert that the test does not take much longer."""
    settings.PROVIDER_TIMEOUT = 1
    start = time.monotonic()
    yield
    assert 0.9 < time.monotonic() - start < 1.9


UNFINISHED = "The model 'groq' did not finish its answer within 1 seconds."


def test_a_provider_that_does_not_answer_times_out(provider: FakeProvider, gate: Event, one_second: None) -> None:
    provider.behavior = waits(gate, streams())
    assert failure() == "The model 'groq' did not answer within 1 seconds."


def test_a_provider_that_stalls_before_the_first_piece_times_out(
    provider: FakeProvider, gate: Event, one_second: None
) -> None:
    provider.behavior = streams(gate)
    assert failure() == UNFINISHED


def test_the_time_limit_counts_from_the_request(provider: FakeProvider, gate: Event, one_second: None) -> None:
    """The package's own limit would count from the first piece."""

    def late(handler: Any) -> None:
        time.sleep(0.95)
        streams({"content": "Fi"}, gate)(handler)

    provider.behavior = late
    assert failure(Piece("Fi")) == UNFINISHED


def test_a_provider_that_sends_a_piece_now_and_then_times_out(provider: FakeProvider, one_second: None) -> None:
    provider.behavior = streams_on(0.2)
    with pytest.raises(ProviderError, match="did not finish its answer"):
        pieces()


def test_a_closed_stream_ends_the_request(provider: FakeProvider) -> None:
    provider.behavior = streams_on(0.01)
    stream = blocking(providers.default()).stream(QUESTION)
    next(stream)
    stream.close()
    assert provider.left.wait(5)


def test_a_failure_is_logged_without_the_key_or_the_message(
    provider: FakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    provider.behavior = streams({"content": "Fi"}, BROKEN["reports an error"])
    failure(Piece("Fi"))
    line = caplog.records[-1].getMessage()
    assert line == f"the model groq at {provider.base_url} did not send a complete answer"
    assert SECRET not in caplog.text and "Hello" not in caplog.text


def test_a_connection_is_used_again_after_a_stream(provider: FakeProvider) -> None:
    provider.behavior = streams({"content": "Fine."})
    assert pieces() == pieces() == [Piece("Fine.")]
    provider.behavior = sends(b"", 500)
    assert failure() == "The model 'groq' answered with the status 500."


def test_the_echo_streams_its_text_word_by_word(settings: Any) -> None:
    settings.MODELS = {}
    asked = [{"role": "user", "content": " two\n\nwords "}]
    echo = blocking(providers.default())
    streamed = [piece.text for piece in echo.stream(asked)]
    assert "".join(streamed) == echo.complete(asked).text
    assert streamed[-2:] == ["two\n\n", "words "] and len(streamed) == 13
