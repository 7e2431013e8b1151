from collections.abc import Generator, Sequence
from typing import Any, NamedTuple, Protocol


class Answer(NamedTuple):
    text: str
    finish_reason: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    usage: dict[str, Any] | None = None  # as the provider reports it


class Piece(NamedTuple):
    """A piece of a streamed answer. The thinking of a model is not part of its answer."""

    text: str
    is_thinking: bool = False


Pieces = Generator[Piece]


class BlockingProvider(Protocol):
    @property
    def name(self) -> str:
        """The name by which a request chooses this provider."""

    def complete(self, messages: Sequence[dict[str, str]]) -> Answer:
        """Return the answer to these messages. Raises ProviderError.

        Each message has a `role` and a `content`. The last message is the question.
        """

    def stream(self, messages: Sequence[dict[str, str]]) -> Pieces:
        """Yield the answer to these messages in pieces. Raises ProviderError, also after some pieces.

        The request is sent when the first piece is read. `close` ends it.
        """
