"""Provider for Anthropic's API for messages, through Anthropic's own package."""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from . import http
from .anthropic_requests import build_request
from .bounds import count_of, reason_of, text_of, usage_of
from .deltas import Delta, Finish, Reasoning, Text, ToolCall

# Finish reasons as OpenAI names them, so that clients meet one set of names. Others are kept.
REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
PROMPT_COUNTS = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")


@dataclass(frozen=True)
class AnthropicMessages:
    name: str
    model: str  # the provider's name for the model
    api_key: str = ""
    base_url: str = "https://api.anthropic.com"
    max_tokens: str = "8192"  # of a request that has no limit; the API requires one
    input: str = "text, image, file"

    def __post_init__(self) -> None:
        http.check_route(self.name, self.base_url, self.api_key, self.input)
        if not (self.max_tokens.isdecimal() and int(self.max_tokens)):
            raise ImproperlyConfigured(f"The max_tokens of the model {self.name!r} must be a whole number above 0.")

    def stream(self, messages: Sequence[dict[str, Any]], options: Mapping[str, Any]) -> AsyncGenerator[Delta]:
        import anthropic  # the import takes half a second, so it is not at the top

        request = build_request(messages, {"max_tokens": int(self.max_tokens)} | _without_none(options))
        client = http.client(("anthropic", self.base_url, self.api_key), self._make_client)
        # Fields in `extra_body` replace the arguments, which the package would copy with a check of each value.
        opening = client.messages.with_streaming_response.create(
            model=self.model,
            max_tokens=request["max_tokens"],
            messages=[],
            stream=True,
            timeout=settings.PROVIDER_TIMEOUT,
            extra_body=request,
        )
        return http.stream_deltas(opening, MessageEvents(), http.Server(self.name, self.base_url), anthropic)

    def _make_client(self) -> Any:
        from anthropic import AsyncAnthropic, DefaultAioHttpClient

        http_client = DefaultAioHttpClient(event_hooks={"response": [http.limit_error]})
        return AsyncAnthropic(base_url=self.base_url, http_client=http_client, **http.client_options(self.api_key))


def _without_none(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


class MessageEvents:
    """Reads the events of one streamed message. Events and fields that are unknown or malformed are skipped."""

    def __init__(self) -> None:
        self.reason: str | None = None
        self.usage: dict[str, Any] = {}
        self.calls: dict[Any, int] = {}  # the position of each call by the index of its block
        self.without_arguments: set[Any] = set()

    def read(self, event: dict[str, Any]) -> Iterable[Delta]:
        match event:
            case {"type": "error"}:
                raise http.Broken(http.REPORTED)
            case {"type": "message_start", "message": {"usage": dict(usage)}}:
                self.usage |= usage
            case {"type": "content_block_start", "index": int(index), "content_block": dict(block)}:
                return self._begin_block(index, block)
            case {"type": "content_block_delta", "index": int(index), "delta": dict(delta)}:
                return self._read_delta(index, delta)
            case {"type": "content_block_stop", "index": int(index)}:
                return self._end_block(index)
            case {"type": "message_delta", "delta": dict(delta)}:
                self._read_end(delta, event.get("usage"))
        return []

    def _begin_block(self, index: int, block: dict[str, Any]) -> list[Delta]:
        if block.get("type") != "tool_use":
            return self._read_delta(index, block)
        self.calls[index] = len(self.calls)
        self.without_arguments.add(index)
        return [ToolCall(self.calls[index], text_of(block.get("id")), text_of(block.get("name")))]

    def _read_delta(self, index: int, delta: dict[str, Any]) -> list[Delta]:
        if text := text_of(delta.get("text")):
            return [Text(text)]
        if text := text_of(delta.get("thinking")):
            return [Reasoning(text)]
        if (text := text_of(delta.get("partial_json"))) and index in self.calls:
            self.without_arguments.discard(index)
            return [ToolCall(self.calls[index], arguments=text)]
        return []

    def _end_block(self, index: int) -> list[Delta]:
        """Return empty arguments for a call that had none, because arguments are JSON."""
        if index not in self.without_arguments:
            return []
        self.without_arguments.discard(index)
        return [ToolCall(self.calls[index], arguments="{}")]

    def _read_end(self, delta: dict[str, Any], usage: Any) -> None:
        if reason := reason_of(delta.get("stop_reason")):
            self.reason = REASONS.get(reason, reason)
        if isinstance(usage, dict):
            self.usage |= {name: value for name, value in usage.items() if value is not None}

    def finish(self) -> Finish | None:
        if self.reason is None:
            return None
        counts = [count for name in PROMPT_COUNTS if (count := count_of(self.usage.get(name))) is not None]
        prompt = count_of(sum(counts)) if counts else None
        return Finish(self.reason, prompt, count_of(self.usage.get("output_tokens")), usage_of(self.usage))
