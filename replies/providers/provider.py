from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Protocol

from .deltas import Delta


class Provider(Protocol):
    @property
    def name(self) -> str:
        """The name by which a request chooses this provider."""

    @property
    def model(self) -> str:
        """The provider's name for the model."""

    @property
    def input(self) -> str:
        """What the model reads, separated by commas: `text`, `image`, `file`."""

    def stream(self, messages: Sequence[dict[str, Any]], options: Mapping[str, Any]) -> AsyncGenerator[Delta]:
        """Yield the reply to these messages in pieces, and at last a Finish. Raises ProviderError, also after pieces.

        The messages have OpenAI's format for chat completions. The options are `temperature`, `top_p`, `max_tokens`,
        `tools`, `tool_choice`, `response_format` and `stop`, with the meaning that OpenAI gives them. Other options
        are ignored.

        The request is sent when the first piece is read. `aclose` and the cancellation of the reading task end it.
        """
