"""Streams of Anthropic's API: what is sent, good streams and broken ones, over real sockets."""

import asyncio
from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from replies import providers
from replies.providers import Finish, Reasoning, Text, ToolCall, http
from testing import fake_anthropic
from testing.fake_anthropic import PING, end, sends_events, start, text_block, thinking_block, tool_block
from testing.fake_provider import FAILURES, SECRET, FakeProvider, fails, running, sends
from testing.provider_streams import QUESTION, Outcome, read_stream

USAGE = {"input_tokens": 7, "output_tokens": 2}
FINE = sends_events(start(), *text_block(0, "Fi", "ne."), *end())


@pytest.fixture
def provider(settings: Any) -> Iterator[FakeProvider]:
    with running() as provider:
        provider.behavior = FINE
        settings.MODELS = {"claude": fake_anthropic.route(provider)}
        yield provider


@pytest.fixture
def gate() -> Iterator[Event]:
    gate = Event()
    yield gate
    gate.set()


def read(messages: Any = QUESTION, **options: Any) -> Outcome:
    return read_stream(providers.default(), messages, **options)


def sent(provider: FakeProvider, messages: Any = QUESTION, **options: Any) -> Any:
    """Return the body of the request for these messages and options."""
    read(messages, **options)
    return provider.request_bodies[-1]


# --- Good streams


def test_the_texts_arrive_in_pieces_and_the_end_has_the_usage(provider: FakeProvider) -> None:
    assert read() == ([Text("Fi"), Text("ne."), Finish("stop", 7, 2, USAGE)], "")
    (body,) = provider.request_bodies
    content = [{"type": "text", "text": "Hello"}]
    assert body == {
        "model": "a-model",
        "max_tokens": 8192,
        "stream": True,
        "messages": [{"role": "user", "content": content}],
    }
    assert provider.keys == [f"Bearer {SECRET}"] and provider.paths == ["/v1/messages"]


def test_a_piece_is_read_before_the_next_one_is_sent(provider: FakeProvider) -> None:
    gate = Event()
    first, second, third, last = text_block(0, "Fi", "ne.")
    provider.behavior = sends_events(start(), first, second, PING, gate, third, last, *end())
    assert read_stream(providers.default(), on_delta=lambda _: gate.set()).text == "Fine."


def test_the_prompt_counts_what_the_cache_served(provider: FakeProvider) -> None:
    usage = {"cache_read_input_tokens": 100, "cache_creation_input_tokens": 10}
    provider.behavior = sends_events(start(**usage), *text_block(0, "Fine."), *end())
    assert read().deltas[-1] == Finish("stop", 117, 2, USAGE | usage)


def test_thinking_is_reasoning(provider: FakeProvider) -> None:
    provider.behavior = sends_events(start(), *thinking_block(0, "Hm.", "Ah."), *text_block(1, "Fine."), *end())
    assert read().deltas[:-1] == [Reasoning("Hm."), Reasoning("Ah."), Text("Fine.")]


def test_the_pieces_of_tool_calls_are_assigned_to_their_calls(provider: FakeProvider) -> None:
    blocks = [*text_block(0, "Let me see."), *tool_block(1, "a", "f", '{"x":', "1}"), *tool_block(2, "b", "g")]
    provider.behavior = sends_events(start(), *blocks, *end("tool_use"))
    assert read().deltas == [
        Text("Let me see."),
        ToolCall(0, "a", "f"),
        ToolCall(0, arguments='{"x":'),
        ToolCall(0, arguments="1}"),
        ToolCall(1, "b", "g"),
        ToolCall(1, arguments="{}"),  # arguments are JSON, so a call without any has an empty object
        Finish("tool_calls", 7, 2, USAGE),
    ]


@pytest.mark.parametrize(
    ("reason", "kept"),
    [("max_tokens", "length"), ("stop_sequence", "stop"), ("refusal", "content_filter"), ("anything", "anything")],
)
def test_the_finish_reasons_have_openais_names(reason: str, kept: str, provider: FakeProvider) -> None:
    provider.behavior = sends_events(start(), *text_block(0, "Fi"), *end(reason))
    assert read().deltas[-1] == Finish(kept, 7, 2, USAGE)


def test_nothing_is_read_after_the_last_event(provider: FakeProvider, gate: Event) -> None:
    provider.behavior = sends_events(start(), *text_block(0, "Fine."), *end(), gate)
    assert read().text == "Fine."


def test_all_models_of_a_provider_share_their_connections(provider: FakeProvider) -> None:
    """The names of models come from users, so a client for each would fill the memory."""

    async def count() -> int:
        for name in ("claude", "claude/a", "claude/b"):
            chosen = providers.find(name)
            assert chosen is not None and [delta async for delta in chosen.stream(QUESTION, {})]
        clients = len(http._clients)
        await providers.close()
        return clients

    assert asyncio.run(count()) == 1


# --- What is sent


def test_the_system_prompt_has_its_own_field(provider: FakeProvider) -> None:
    system = [{"role": "system", "content": "Be brief."}]
    body = sent(provider, [*system, *QUESTION])
    assert body["system"] == "Be brief." and [turn["role"] for turn in body["messages"]] == ["user"]


def test_the_turns_alternate_and_the_users_comes_first(provider: FakeProvider) -> None:
    roles = ["assistant", "user", "user", "assistant", "assistant", "user"]
    messages = [{"role": role, "content": f"{n}"} for n, role in enumerate(roles)]
    turns = sent(provider, [*messages, {"role": "assistant", "content": " "}, {"role": "user", "content": "6"}])[
        "messages"
    ]
    assert [turn["role"] for turn in turns] == ["user", "assistant", "user"]
    assert [[block["text"] for block in turn["content"]] for turn in turns] == [["1", "2"], ["3", "4"], ["5", "6"]]


def test_calls_and_results_are_converted(provider: FakeProvider) -> None:
    calls = [
        {"id": id, "type": "function", "function": {"name": "f", "arguments": arguments}}
        for id, arguments in [("a", '{"x": 1}'), ("b", ""), ("c", "[1]"), ("d", "{")]
    ]
    results = [{"role": "tool", "content": f"result {id}", "tool_call_id": id} for id in "abcd"]
    messages = [*QUESTION, {"role": "assistant", "content": None, "tool_calls": calls}, *results]
    _, asked, answered = sent(provider, messages)["messages"]
    assert asked["content"][0] == {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}}
    assert [block["input"] for block in asked["content"]] == [{"x": 1}, {}, {}, {}]
    assert answered["role"] == "user"
    assert answered["content"][0] == {"type": "tool_result", "tool_use_id": "a", "content": "result a"}
    assert len(answered["content"]) == 4


@pytest.mark.parametrize(
    ("part", "block"),
    [
        ({"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
         {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}}),
        ({"type": "image_url", "image_url": {"url": "https://x.example/a.png"}},
         {"type": "image", "source": {"type": "url", "url": "https://x.example/a.png"}}),
        ({"type": "file", "file": {"file_data": "data:application/pdf;base64,AA==", "filename": "a.pdf"}},
         {"type": "document", "title": "a.pdf",
          "source": {"type": "base64", "media_type": "application/pdf", "data": "AA=="}}),
        ({"type": "file", "file": {"file_data": "data:text/plain;charset=utf-8;base64,SGk="}},
         {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Hi"}}),
        ({"type": "file", "file": {"file_data": "data:text/plain;base64,A"}},
         {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": ""}}),
        ({"type": "file", "file": {"file_id": "file-1"}},
         {"type": "document", "source": {"type": "file", "file_id": "file-1"}}),
    ],
)  # fmt: skip
def test_images_and_files_are_converted(part: Any, block: Any, provider: FakeProvider) -> None:
    messages = [{"role": "user", "content": [{"type": "text", "text": "Look:"}, part]}]
    (turn,) = sent(provider, messages)["messages"]
    assert turn["content"] == [{"type": "text", "text": "Look:"}, block]


def test_the_options_are_converted(provider: FakeProvider) -> None:
    schema = {"type": "object", "properties": {}}
    function = {"name": "f", "description": "Does it.", "parameters": schema}
    body = sent(
        provider,
        temperature=0.5,
        top_p=0.5,
        max_tokens=5,
        stop=".",
        tools=[
            {"type": "function", "function": function},
            {"type": "function", "function": {"name": "g"}},
            {"type": "x"},
        ],
        tool_choice="required",
        response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": schema}},
        other=None,
    )
    assert {name: value for name, value in body.items() if name not in ("model", "messages", "stream")} == {
        "temperature": 0.5,
        "top_p": 0.5,
        "max_tokens": 5,
        "stop_sequences": ["."],
        "tools": [
            {"name": "f", "description": "Does it.", "input_schema": schema},
            {"name": "g", "input_schema": schema},
        ],
        "tool_choice": {"type": "any"},
        "output_config": {"format": {"type": "json_schema", "schema": schema}},
    }


@pytest.mark.parametrize(
    ("choice", "converted"),
    [
        ("auto", {"type": "auto"}),
        ("none", {"type": "none"}),
        ({"type": "function", "function": {"name": "f"}}, {"type": "tool", "name": "f"}),
        ("other", None),
        (None, None),
    ],
)
def test_the_choice_of_a_tool_is_converted(choice: Any, converted: Any, provider: FakeProvider) -> None:
    tools = [{"type": "function", "function": {"name": "f"}}]
    assert sent(provider, tools=tools, tool_choice=choice).get("tool_choice") == converted


def test_a_route_can_have_another_limit_of_tokens(provider: FakeProvider, settings: Any) -> None:
    settings.MODELS = {"claude": fake_anthropic.route(provider, max_tokens="100")}
    assert sent(provider)["max_tokens"] == 100
    with pytest.raises(ImproperlyConfigured, match="max_tokens of the model 'claude' must be a whole number"):
        providers.build("claude", fake_anthropic.route(provider, max_tokens="0"))


def test_a_route_without_a_key_sends_no_key_from_the_environment(
    provider: FakeProvider, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "somebody else's")
    settings.MODELS = {"claude": fake_anthropic.route(provider, api_key="")}
    assert read().text == "Fine."
    assert provider.keys == ["Bearer none"]


# --- Failures, and the sentence that the person reads


@pytest.mark.parametrize(
    ("status", "reason"),
    [(401, "it does not accept the key that is configured"), (529, "it is overloaded"),
     (429, "it gets too many requests, or its quota is used up"), (500, "it has an internal error")],
)  # fmt: skip
def test_a_status_is_explained_without_the_key(status: int, reason: str, provider: FakeProvider) -> None:
    provider.behavior = fails(status)
    assert read() == ([], f"The model 'claude' answered with the status {status}: {reason}.")
    assert len(provider.request_bodies) == 1, "a failed request is not repeated"


FIRST = [start(), *text_block(0, "Fi")[:2]]
BROKEN = {
    "breaks off": ([], "did not send a complete answer"),
    "breaks off in an event": ([b'data: {"type": "con'], "answered with something that is not a chat completion"),
    "sends no JSON": ([b"data: Fine.\n\n"], "answered with something that is not a chat completion"),
    "reports an error": (
        [fake_anthropic.failure("overloaded_error")],
        "reported an error instead of the rest of its answer",
    ),
}


@pytest.mark.parametrize("way", BROKEN)
def test_a_stream_that_breaks_keeps_its_text(way: str, provider: FakeProvider) -> None:
    steps, reason = BROKEN[way]
    provider.behavior = sends_events(*FIRST, *steps)
    assert read() == ([Text("Fi")], f"The model 'claude' {reason}.")


def test_a_provider_that_stalls_times_out_and_its_text_is_kept(
    provider: FakeProvider, gate: Event, settings: Any
) -> None:
    settings.PROVIDER_TIMEOUT = 0.3
    provider.behavior = sends_events(*FIRST, gate)
    assert read() == ([Text("Fi")], "The model 'claude' sent nothing for 0.3 seconds.")


@pytest.mark.parametrize("behavior", [sends(b"<html>", content_type="text/html"), sends({"type": "message"})])
def test_a_body_that_is_no_stream_is_reported(behavior: Any, provider: FakeProvider) -> None:
    provider.behavior = behavior
    assert read() == ([], "The model 'claude' answered with something that is not a chat completion.")


def test_a_provider_that_hangs_up_is_reported(provider: FakeProvider) -> None:
    provider.behavior = FAILURES["hangs up"]
    assert read() == ([], "The model 'claude' cannot be reached.")


@pytest.mark.parametrize(
    "junk",
    [
        {"type": "unknown"},
        {"type": "content_block_delta", "index": 0, "delta": 5},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": 5}},
        {"type": "content_block_delta", "index": 9, "delta": {"type": "input_json_delta", "partial_json": "{}"}},
        {"type": "content_block_stop", "index": 9},
        {"type": "content_block_start", "index": "x", "content_block": {}},
        {"type": "message_delta", "delta": {}, "usage": 5},
        {"type": "message_start", "message": 5},
    ],
)
def test_events_that_are_unknown_or_malformed_are_skipped(junk: Any, provider: FakeProvider) -> None:
    provider.behavior = sends_events(start(), junk, *text_block(0, "Fine."), *end())
    assert read() == ([Text("Fine."), Finish("stop", 7, 2, USAGE)], "")
