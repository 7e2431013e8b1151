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
        """The name by which a request chooses this provider."""

    def complete(self, messages: Sequence[dict[str, str]]) -> Answer:
        """Return the answer to these messages. Raises ProviderError.

        Each message has a `role` and a `content`. The last message is the question.
        """
