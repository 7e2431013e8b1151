from collections.abc import Sequence

from .answers import Answer

ECHOED = 1_000  # characters


class Echo:
    """Built in, offline: so that a front end works before any provider is configured."""

    name = "echo"

    def complete(self, messages: Sequence[dict[str, str]]) -> Answer:
        said = messages[-1]["content"][:ECHOED]
        return Answer(f"This is chatstore's built-in echo, not a language model. You said: {said}")
