from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol


class Answer(NamedTuple):
    text: str
    finish_reason: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    usage: dict[str, Any] | None = None  # as the provider reports it


class Provider(Protocol):
    @property
    def name(self) -> str:
        """By which callers choose it."""

    def complete(self, messages: Sequence[dict[str, str]]) -> Answer:
        """The answer to messages of `role` and `content`, the last of them the question; UpstreamFailed."""
