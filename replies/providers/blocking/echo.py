import re
from collections.abc import Sequence

from .answers import Answer, Piece, Pieces

ECHOED_LENGTH = 1_000  # characters


class Echo:
    """Built-in provider that repeats the question offline. With it, a front end works before a model is configured."""

    name = "echo"

    def complete(self, messages: Sequence[dict[str, str]]) -> Answer:
        question = messages[-1]["content"][:ECHOED_LENGTH]
        return Answer(f"This is chatstore's built-in echo, not a language model. You said: {question}")

    def stream(self, messages: Sequence[dict[str, str]]) -> Pieces:
        for word in re.findall(r"\s*\S+\s*", self.complete(messages).text):
            yield Piece(word)
