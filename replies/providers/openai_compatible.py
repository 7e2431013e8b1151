"""Provider for any service with OpenAI's API for chat completions, through OpenAI's own package."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from . import http
from .bounds import count_of, reason_of, text_of, usage_of
from .deltas import Delta, Finish, Reasoning, Refusal, Text, ToolCall

PASSED_ON = ("temperature", "top_p", "tools", "tool_choice", "response_format", "stop")
OPENAI = "api.openai.com"


@dataclass(frozen=True)
class OpenAICompatible:
    name: str
    base_url: str
    model: str  # the provider's name for the model
    api_key: str = ""
    input: str = "text"

    def __post_init__(self) -> None:
        http.check_route(self.name, self.base_url, self.api_key, self.input)

    def stream(self, messages: Sequence[dict[str, Any]], options: Mapping[str, Any]) -> AsyncGenerator[Delta]:
        import openai  # the import takes half a second, so it is not at the top

        request = {"messages": messages, **self._options(options)}
        return http.stream_deltas(self._open(request), Chunks(), http.Server(self.name, self.base_url), openai)

    def _options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        chosen = {name: options[name] for name in PASSED_ON if options.get(name) is not None}
        if (limit := options.get("max_tokens")) is not None:
            # OpenAI's newer models refuse the old name, and other services do not know the new one.
            is_openai = urlsplit(self.base_url).hostname == OPENAI
            chosen["max_completion_tokens" if is_openai else "max_tokens"] = limit
        return chosen

    @asynccontextmanager
    async def _open(self, request: dict[str, Any]) -> AsyncIterator[Any]:
        """Send the request. If the server refuses to report the usage in a stream, send it again without the wish."""
        from openai import APIStatusError

        async with AsyncExitStack() as stack:
            try:
                wish = {"stream_options": {"include_usage": True}}
                response = await stack.enter_async_context(self._create(request | wish))
            except APIStatusError as error:
                if "stream_options" not in error.response.text:
                    raise
                response = await stack.enter_async_context(self._create(request))
            yield response

    def _create(self, request: dict[str, Any]) -> AbstractAsyncContextManager[Any]:
        client = http.client(("openai", self.base_url, self.api_key), self._make_client)
        # Fields in `extra_body` replace the arguments. The package copies arguments with a check of each value, which
        # takes as long as the rest of a short request, and longer for a long conversation.
        opening: AbstractAsyncContextManager[Any] = client.chat.completions.with_streaming_response.create(
            model=self.model, messages=[], stream=True, timeout=settings.PROVIDER_TIMEOUT, extra_body=request
        )
        return opening

    def _make_client(self) -> Any:
        from openai import AsyncOpenAI, DefaultAioHttpClient

        http_client = DefaultAioHttpClient(event_hooks={"response": [http.limit_error]})
        return AsyncOpenAI(base_url=self.base_url, http_client=http_client, **http.client_options(self.api_key))


class Chunks:
    """Reads the chunks of one streamed completion, or a whole completion. Fields that are malformed are skipped."""

    def __init__(self) -> None:
        self.reason: str | None = None
        self.usage: dict[str, Any] = {}
        self.calls: dict[tuple[int | None, str], int] = {}  # the position of each call by its index and id
        self.newest: dict[int | None, int] = {}  # the position of the newest call by its index

    def read(self, chunk: dict[str, Any]) -> Iterable[Delta]:
        if chunk.get("error"):
            raise http.Broken(http.REPORTED)
        if isinstance(usage := chunk.get("usage"), dict):
            self.usage = usage
        choices = chunk.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, dict):
            return []
        if isinstance(message := choice.get("message"), dict):
            return self._read_message(message, choice)
        if reason := choice.get("finish_reason"):
            self.reason = reason_of(reason)
        delta = choice.get("delta")
        return self._read_delta(delta) if isinstance(delta, dict) else []

    def _read_message(self, message: dict[str, Any], choice: dict[str, Any]) -> list[Delta]:
        """Read a whole completion. Some servers answer so although a stream was requested."""
        deltas = list(self._read_delta(message))
        if deltas or message.get("content") == "":
            self.reason = reason_of(choice.get("finish_reason"))
        return deltas

    def _read_delta(self, delta: dict[str, Any]) -> Iterator[Delta]:
        # Some providers send the same reasoning in both fields.
        if text := text_of(delta.get("reasoning_content")) or text_of(delta.get("reasoning")):
            yield Reasoning(text)
        if text := text_of(delta.get("content")):
            yield Text(text)
        if text := text_of(delta.get("refusal")):
            yield Refusal(text)
        if isinstance(calls := delta.get("tool_calls"), list):
            yield from (self._read_call(call) for call in calls if isinstance(call, dict))

    def _read_call(self, call: dict[str, Any]) -> ToolCall:
        function = call.get("function")
        function = function if isinstance(function, dict) else {}
        id, name = text_of(call.get("id")), text_of(function.get("name"))
        return ToolCall(self._position(call.get("index"), id), id, name, text_of(function.get("arguments")))

    def _position(self, index: Any, id: str) -> int:
        """Return the position of a call. A new id begins a new call: some servers give all calls one index, or none."""
        index = index if type(index) is int else None
        if id or index not in self.newest:
            self.newest[index] = self.calls.setdefault((index, id), len(self.calls))
        return self.newest[index]

    def finish(self) -> Finish | None:
        if self.reason is None:
            return None
        prompt, completion = (count_of(self.usage.get(name)) for name in ("prompt_tokens", "completion_tokens"))
        return Finish(self.reason, prompt, completion, usage_of(self.usage))
