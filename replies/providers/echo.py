import asyncio
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

from .deltas import Delta, Finish, Text

ECHOED_LENGTH = 1_000  # characters
PAUSE = 0.02  # seconds between two words, so that a front end shows how a reply grows


class Echo:
    """Built-in provider that repeats the question offline. With it, a front end works before a model is configured."""

    name = "echo"
    model = "echo"
    input = "text"

    async def stream(self, messages: Sequence[dict[str, Any]], options: Mapping[str, Any]) -> AsyncGenerator[Delta]:
        for word in re.findall(r"\s*\S+\s*", _answer_to(messages)):
            yield Text(word)
            await asyncio.sleep(PAUSE)
        yield Finish("stop")


def _answer_to(messages: Sequence[dict[str, Any]]) -> str:
    said = _text_of(messages[-1]["content"]) if messages else ""
    return f"This is chatstore's built-in echo, not a language model. You said: {said[:ECHOED_LENGTH]}"


def _text_of(content: Any) -> str:
    if isinstance(content, list):
        return " ".join(part["text"] for part in content if part["type"] == "text")
    return content or ""
