"""Streams of OpenAI-compatible providers: good, malformed and broken ones, over real sockets."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, suppress
from threading import Event
from typing import Any

import pytest
from django.utils.translation import override

from replies import providers
from replies.providers import Finish, Reasoning, Refusal, Text, ToolCall, http
from testing.fake_provider import (
    FAILURES,
    JUNK,
    JUNK_BESIDE,
    SECRET,
    USAGE,
    FakeProvider,
    completes_with,
    completion,
    fails,
    sends,
    streams,
    streams_on,
    waits,
)
from testing.provider_streams import QUESTION, Outcome, read_stream

USAGE_CHUNK = b'data: {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}}\n\n'
FINE = [Text("Fi"), Text("ne."), Finish("stop")]


def read(**options: Any) -> Outcome:
    return read_stream(providers.default(), **options)


def event(data: bytes) -> bytes:
    return b"data: " + data + b"\n\n"


# --- Good streams


def test_the_texts_arrive_in_pieces_and_the_end_has_the_usage(provider: FakeProvider) -> None:
    provider.behavior = streams(
        {"role": "assistant", "content": ""}, {"content": "Fi"}, {"content": "ne."}, USAGE_CHUNK
    )
    assert read() == ([Text("Fi"), Text("ne."), Finish("stop", 7, 2, USAGE)], "")
    (body,) = provider.request_bodies
    assert body == {
        "model": "a-model",
        "messages": QUESTION,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert provider.keys == [f"Bearer {SECRET}"]


def test_a_piece_is_read_before_the_next_one_is_sent(provider: FakeProvider) -> None:
    gate = Event()
    provider.behavior = streams({"content": "Fi"}, gate, {"content": "ne."})
    assert read(on_delta=lambda _: gate.set()) == (FINE, "")


def test_the_options_are_passed_on(provider: FakeProvider) -> None:
    provider.behavior = streams({"content": "Fine."})
    tools = [{"type": "function", "function": {"name": "f", "parameters": {}}}]
    options = {
        "temperature": 0,
        "top_p": 0.5,
        "max_tokens": 5,
        "tools": tools,
        "tool_choice": "auto",
        "response_format": {"type": "json_object"},
        "stop": ["."],
    }
    read(**options, system_prompt="Not an option of the provider.", unknown=1, other=None)
    (body,) = provider.request_bodies
    assert {name: body[name] for name in options} == options
    assert not {"system_prompt", "unknown", "other"} & body.keys()


def test_openai_gets_the_new_name_of_max_tokens() -> None:
    openai = providers.build("openai", {"kind": "openai", "base_url": "https://api.openai.com/v1", "model": "m"})
    assert openai._options({"max_tokens": 5}) == {"max_completion_tokens": 5}


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
def test_reasoning_is_told_apart(field: str, provider: FakeProvider) -> None:
    provider.behavior = streams({field: "Hm."}, {field: "Ah.", "content": None}, {"content": "Fine.", field: None})
    assert read().deltas == [Reasoning("Hm."), Reasoning("Ah."), Text("Fine."), Finish("stop")]


def test_a_text_in_both_fields_of_reasoning_is_read_once(provider: FakeProvider) -> None:
    provider.behavior = streams({"reasoning": "Hm.", "reasoning_content": "Hm."})
    assert read().deltas == [Reasoning("Hm."), Finish("stop")]


def test_a_refusal_is_read(provider: FakeProvider) -> None:
    provider.behavior = streams({"refusal": "I will "}, {"refusal": "not."})
    assert read().deltas == [Refusal("I will "), Refusal("not."), Finish("stop")]


def call(index: Any = 0, id: Any = None, name: Any = None, arguments: Any = "") -> dict[str, Any]:
    sent = {"index": index, "id": id, "function": {"name": name, "arguments": arguments}}
    return {"tool_calls": [{key: value for key, value in sent.items() if value is not None}]}


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (
            [call(0, "a", "f"), call(0, arguments='{"x":'), call(0, arguments="1}"), call(1, "b", "g", "{}")],
            [(0, "a", "f", ""), (0, "", "", '{"x":'), (0, "", "", "1}"), (1, "b", "g", "{}")],
        ),
        # Some servers number all calls alike, or not.
        ([call(0, "a", "f", "{}"), call(0, "b", "g", "{}")], [(0, "a", "f", "{}"), (1, "b", "g", "{}")]),
        ([call(None, "a", "f", "{}"), call(None, "b", "g", "{}")], [(0, "a", "f", "{}"), (1, "b", "g", "{}")]),
        # Some repeat the id in each piece, some mix the calls.
        ([call(0, "a", "f", "{"), call(0, "a", None, "}")], [(0, "a", "f", "{"), (0, "a", "", "}")]),
        (
            [call(5, "a", "f"), call(7, "b", "g"), call(5, arguments="{}"), call(7, arguments="[]")],
            [(0, "a", "f", ""), (1, "b", "g", ""), (0, "", "", "{}"), (1, "", "", "[]")],
        ),
        ([call("x", 5, 5, 5)], [(0, "", "", "")]),
        ([{"tool_calls": [5]}, {"tool_calls": 5}, {"tool_calls": [{"function": 5}]}], [(0, "", "", "")]),
    ],
)
def test_the_pieces_of_tool_calls_are_assigned_to_their_calls(
    steps: list[Any], expected: list[Any], provider: FakeProvider
) -> None:
    provider.behavior = streams(*steps)
    assert read().deltas == [*(ToolCall(*fields) for fields in expected), Finish("stop")]


@pytest.mark.parametrize("reason", ["length", "tool_calls", "content_filter", "anything"])
def test_the_finish_reason_is_the_providers(reason: str, provider: FakeProvider) -> None:
    last = event(b'{"choices": [{"delta": {}, "finish_reason": "%s"}]}' % reason.encode())
    provider.behavior = streams({"content": "Fi"}, last, ends=False)
    assert read() == ([Text("Fi"), Finish(reason)], "")


def test_nothing_is_read_after_done(provider: FakeProvider, gate: Event) -> None:
    last = event(b'{"choices": [{"delta": {}, "finish_reason": "stop"}]}')
    provider.behavior = streams(last, event(b"[DONE]"), gate, ends=False)
    assert read() == ([Finish("stop")], "")


def test_a_whole_completion_is_a_stream_of_one_piece(provider: FakeProvider) -> None:
    message = {"content": "Fine.", "reasoning": "Hm.", **call(None, "a", "f", "{}")}
    provider.behavior = sends(completion("", choices=[{"message": message, "finish_reason": "tool_calls"}]))
    expected = [Reasoning("Hm."), Text("Fine."), ToolCall(0, "a", "f", "{}"), Finish("tool_calls", 7, 2, USAGE)]
    assert read() == (expected, "")


@pytest.mark.parametrize("indent", [None, 2])
def test_the_declared_type_of_a_body_does_not_matter(indent: int | None, provider: FakeProvider) -> None:
    body = " \n" * 3 + json.dumps(completion("Fine."), indent=indent)
    provider.behavior = sends(body.encode(), content_type="text/event-stream")
    assert read().text == "Fine."
    stream = b'data: {"choices": [{"delta": {"content": "Fine."}, "finish_reason": "stop"}]}\n\ndata: [DONE]'
    provider.behavior = sends(stream, content_type="application/json")
    assert read() == ([Text("Fine."), Finish("stop")], "")


def test_an_empty_reply_is_complete(provider: FakeProvider) -> None:
    provider.behavior = streams({"content": ""})
    assert read() == ([Finish("stop")], "")
    provider.behavior = completes_with("")
    assert read() == ([Finish("stop", 7, 2, USAGE)], "")


def test_a_server_that_refuses_stream_options_is_asked_without_them(provider: FakeProvider) -> None:
    refuses = sends({"error": {"message": "Unknown parameter: stream_options"}}, 400)

    def behave(handler: Any) -> None:
        (refuses if "stream_options" in handler.request_body else streams({"content": "Fine."}))(handler)

    provider.behavior = behave
    assert read().text == "Fine." and len(provider.request_bodies) == 2


def test_lines_can_end_in_any_place_and_with_a_carriage_return(provider: FakeProvider) -> None:
    lines = [
        b": hello",
        'data: {"choices": [{"delta": {"content": "1ä"}}]}'.encode(),
        'data:{"choices": [{"delta": {"content": "2ä"}}]}'.encode(),
        b"event: x",
        b'data:{"choices": [{"delta": {}, "finish_reason": "stop"}]}',
    ]
    provider.behavior = streams(*(bytes([byte]) for byte in b"\r\n\r\n".join(lines)), ends=False)
    assert read() == ([Text("1ä"), Text("2ä"), Finish("stop")], "")


def test_a_route_without_a_key_sends_no_key_from_the_environment(
    provider: FakeProvider, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "somebody else's")
    settings.MODELS = {"own": provider.route() | {"api_key": ""}}
    assert read().text == "Fine."
    assert "somebody" not in provider.keys[0]


# --- Malformed fields

SKIPPED = {
    "no choices": b'{"id": "x"}',
    "choices null": b'{"choices": null}',
    "choices that are no array": b'{"choices": 5}',
    "a choice that is none": b'{"choices": [5]}',
    "delta null": b'{"choices": [{"delta": null}]}',
    "delta that is none": b'{"choices": [{"delta": 5}]}',
    "content that is no text": b'{"choices": [{"delta": {"content": 5}}]}',
    "no object": b"5",
    "usage that is none": b'{"choices": [], "usage": 5}',
    "error null": b'{"choices": [], "error": null}',
}


@pytest.mark.parametrize("junk", SKIPPED)
def test_chunks_without_a_text_are_skipped(junk: str, provider: FakeProvider) -> None:
    provider.behavior = streams({"content": "Fi"}, event(SKIPPED[junk]), {"content": "ne."})
    assert read() == (FINE, "")


def test_characters_that_cannot_be_stored_are_replaced(provider: FakeProvider) -> None:
    provider.behavior = streams({"content": "a\0b"}, {"content": "\ud83d!"}, {"content": "😀"})
    assert read().text == "a\N{REPLACEMENT CHARACTER}b?!😀"


@pytest.mark.parametrize("junk", JUNK_BESIDE)
def test_metadata_that_cannot_be_stored_is_dropped(junk: str, provider: FakeProvider) -> None:
    provider.behavior = sends(completion("Fine.") | JUNK_BESIDE[junk])
    deltas, error = read()
    assert not error and deltas[0] == Text("Fine.")
    (end,) = deltas[1:]
    assert isinstance(end, Finish) and "\0" not in end.reason and len(end.reason) <= 64
    assert all(count is None or 0 <= count < 2**31 for count in (end.prompt_tokens, end.completion_tokens))


def test_a_usage_report_over_the_limit_is_dropped(provider: FakeProvider, settings: Any) -> None:
    provider.behavior = completes_with("Fine.", usage={**USAGE, "note": "x" * settings.METADATA_LIMIT})
    assert read().deltas[1:] == [Finish("stop", 7, 2, None)]


# --- Failures, and the sentence that the person reads

REASONS = {
    "400": "answered with the status 400: it does not accept the request",
    "401": "answered with the status 401: it does not accept the key that is configured",
    "429": "answered with the status 429: it gets too many requests, or its quota is used up",
    "500": "answered with the status 500: it has an internal error",
    "418": "answered with the status 418",
}


@pytest.mark.parametrize("status", REASONS)
def test_a_status_is_explained_without_the_address_or_the_key(status: str, provider: FakeProvider) -> None:
    provider.behavior = fails(int(status))
    assert read() == ([], f"The model 'groq' {REASONS[status]}.")
    assert len(provider.request_bodies) == 1, "a failed request is not repeated"


def test_an_unreachable_provider_is_reported(settings: Any, provider: FakeProvider) -> None:
    settings.MODELS = {"groq": {"kind": "openai", "base_url": "http://127.0.0.1:9/v1", "api_key": SECRET, "model": "m"}}
    assert read() == ([], "The model 'groq' cannot be reached.")
    settings.MODELS = {"groq": provider.route()}
    provider.behavior = FAILURES["hangs up"]
    assert read() == ([], "The model 'groq' cannot be reached.")


def test_a_response_that_is_not_http_is_reported(provider: FakeProvider) -> None:
    provider.behavior = lambda handler: handler.wfile.write(b"220 mail.example ESMTP\r\n\r\n")
    assert read() == ([], "The model 'groq' answered with something that is not a chat completion.")


@pytest.mark.parametrize("way", JUNK)
def test_a_body_that_is_no_completion_is_reported(way: str, provider: FakeProvider) -> None:
    provider.behavior = JUNK[way]
    assert read() == ([], "The model 'groq' answered with something that is not a chat completion.")


BROKEN = {
    "breaks off": (b"", "did not send a complete answer"),
    "breaks off in a chunk": (b'data: {"choices": [{"del\n', "answered with something that is not a chat completion"),
    "says that it is done, without a reason": (event(b"[DONE]"), "did not send a complete answer"),
    "sends something that is not JSON": (event(b"Fine."), "answered with something that is not a chat completion"),
    "sends JSON of endless depth": (event(b"[" * 100_000), "answered with something that is not a chat completion"),
    "reports an error": (
        event(b'{"error": {"message": "' + SECRET.encode() + b' is no good"}}'),
        "reported an error instead of the rest of its answer",
    ),
}


@pytest.mark.parametrize("way", BROKEN)
def test_a_stream_that_breaks_keeps_its_text(way: str, provider: FakeProvider) -> None:
    body, reason = BROKEN[way]
    provider.behavior = streams({"content": "Fi"}, body, ends=False)
    assert read() == ([Text("Fi")], f"The model 'groq' {reason}.")


def test_a_body_shorter_than_its_length_is_incomplete(provider: FakeProvider) -> None:
    def breaks_off(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(event(b'{"choices": [{"delta": {"content": "Fi"}}]}'))

    provider.behavior = breaks_off
    assert read() == ([Text("Fi")], "The model 'groq' did not send a complete answer.")


@pytest.fixture
def gate() -> Iterator[Event]:
    gate = Event()
    yield gate
    gate.set()


def test_a_provider_that_does_not_answer_times_out(provider: FakeProvider, gate: Event, settings: Any) -> None:
    settings.PROVIDER_TIMEOUT = 0.3
    provider.behavior = waits(gate, streams())
    assert read() == ([], "The model 'groq' did not answer within 0.3 seconds.")
    with override("de"):
        assert read().error == "Das Modell 'groq' hat 0.3 Sekunden lang nicht geantwortet."


def test_a_provider_that_stalls_times_out_and_its_text_is_kept(
    provider: FakeProvider, gate: Event, settings: Any
) -> None:
    settings.PROVIDER_TIMEOUT = 0.3
    provider.behavior = streams({"content": "Fi"}, gate)
    assert read() == ([Text("Fi")], "The model 'groq' sent nothing for 0.3 seconds.")


TOO_LONG = "The model 'groq' sent a longer answer than chatstore stores."


@pytest.mark.parametrize(("field", "kind"), [("content", Text), ("reasoning", Reasoning)])
def test_a_text_that_is_too_long_is_cut_at_the_limit(
    field: str, kind: Any, provider: FakeProvider, settings: Any
) -> None:
    settings.CONTENT_LIMIT = 9
    provider.behavior = streams({field: "12345"}, {field: "äääää"}, {field: "more"})
    assert read() == ([kind("12345"), kind("ää")], TOO_LONG)


def test_a_line_that_does_not_end_is_not_collected_for_ever(provider: FakeProvider, settings: Any) -> None:
    settings.CONTENT_LIMIT = 10
    provider.behavior = streams(b"data: ", *[b"x" * 10_000] * 20, ends=False)
    assert read() == ([], TOO_LONG)
    provider.behavior = sends(b'"' + b"x" * 200_000)
    assert read() == ([], TOO_LONG)


class SmallPieces:
    """A response with one line in pieces of ten bytes."""

    def __init__(self, line: bytes) -> None:
        self.line = line

    async def iter_bytes(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self.line), 10):
            yield self.line[start : start + 10]


def test_a_long_line_in_small_pieces_is_read_in_linear_time() -> None:
    async def read_events() -> list[Any]:
        return [event async for event in http._read_events(SmallPieces(line))]

    line = b'data: {"text": "' + b"x" * 1_900_000 + b'"}\n'
    began = time.process_time()
    (found,) = asyncio.run(read_events())
    assert len(found["text"]) == 1_900_000
    assert time.process_time() - began < 5  # in quadratic time, it takes half a minute


def test_tool_calls_over_the_limits_end_the_reply(provider: FakeProvider, settings: Any) -> None:
    provider.behavior = streams(*(call(n, f"{n}", "f", "{}") for n in range(130)))
    assert read().error == TOO_LONG
    settings.PARTS_LIMIT = 300
    provider.behavior = streams(call(0, "a", "f", "x" * 100), call(0, arguments="x" * 200))
    assert read() == ([ToolCall(0, "a", "f", "x" * 100), ToolCall(0)], TOO_LONG)


def test_the_body_of_an_error_is_not_read_for_ever(provider: FakeProvider) -> None:
    def endless(handler: Any) -> None:
        handler.send_response(500)
        handler.end_headers()
        with suppress(OSError):
            while True:
                handler.wfile.write(b"x" * 100_000)
        provider.left.set()

    provider.behavior = endless
    assert read().error == f"The model 'groq' {REASONS['500']}."
    assert provider.left.wait(5)


def test_a_failure_is_logged_without_the_key_or_the_message(
    provider: FakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    provider.behavior = FAILURES["401"]
    read()
    line = caplog.records[-1].getMessage()
    assert line == f"the model groq at {provider.base_url} answered with the status 401"
    assert SECRET not in caplog.text and "Hello" not in caplog.text


# --- The end of a request


def test_closing_the_stream_ends_the_request(provider: FakeProvider) -> None:
    provider.behavior = streams_on(0.01)

    async def read_one() -> None:
        async with aclosing(providers.default().stream(QUESTION, {})) as stream:
            assert await anext(stream) == Text("more ")
        assert await asyncio.to_thread(provider.left.wait, 5)
        await providers.close()

    asyncio.run(read_one())


@pytest.mark.parametrize("behavior", ["streams", "stalls"])
def test_cancelling_the_reader_ends_the_request(behavior: str, provider: FakeProvider) -> None:
    arrived = Event()
    noisy = streams_on(0.01)

    def behave(handler: Any) -> None:
        arrived.set()
        if behavior == "streams":
            noisy(handler)
        elif not handler.connection.recv(1):  # the client has disconnected
            provider.left.set()

    provider.behavior = behave

    async def cancel() -> None:
        async def read_all() -> None:
            async with aclosing(providers.default().stream(QUESTION, {})) as stream:
                async for _ in stream:
                    pass

        task = asyncio.create_task(read_all())
        assert await asyncio.to_thread(arrived.wait, 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(provider.left.wait, 5)
        await providers.close()

    asyncio.run(cancel())


def test_many_replies_are_read_at_once(provider: FakeProvider) -> None:
    provider.behavior = streams(*({"content": f"{n} "} for n in range(20)))

    async def read_all() -> list[int]:
        async def count() -> int:
            return len([delta async for delta in providers.default().stream(QUESTION, {})])

        try:
            return await asyncio.gather(*(count() for _ in range(20)))
        finally:
            await providers.close()

    assert asyncio.run(read_all()) == [21] * 20
