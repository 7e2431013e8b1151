"""Estimates how many tokens a text has, because each model counts in its own way, and not every provider reports it.

A token has four bytes of UTF-8. A message has four more tokens for its role, an image or file has a thousand.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from replies.events import Content

TOKEN_BYTES = 4
MESSAGE_TOKENS = 4
ATTACHMENT_TOKENS = 1_000
READ_OPTIONS = ("tools", "response_format")  # a model reads them like a text


def of_message(message: Mapping[str, Any]) -> int:
    """Return the tokens of a message in OpenAI's format for chat completions."""
    content, calls = message["content"] or "", message.get("tool_calls")
    texts = [content] if isinstance(content, str) else [part["text"] for part in content if part["type"] == "text"]
    attachments = 0 if isinstance(content, str) else len(content) - len(texts)
    size = _bytes(texts) + (len(orjson.dumps(calls)) if calls else 0)
    return MESSAGE_TOKENS + size // TOKEN_BYTES + attachments * ATTACHMENT_TOKENS


def of_prompt(messages: Iterable[Mapping[str, Any]], options: Mapping[str, Any]) -> int:
    """Return the tokens of everything that a model gets."""
    read = [options[name] for name in READ_OPTIONS if options.get(name)]
    return sum(map(of_message, messages)) + (len(orjson.dumps(read)) // TOKEN_BYTES if read else 0)


def of_answer(content: Content) -> int:
    """Return the tokens of what a model has written."""
    return _bytes(content.texts()) // TOKEN_BYTES


def _bytes(texts: Iterable[str]) -> int:
    return sum(len(text.encode()) for text in texts)
