"""What chatstore can store of a reply: its characters, its length, its numbers."""

from typing import Any

import orjson
from django.conf import settings

from chatstore import strict_json
from chatstore.errors import Invalid

from .deltas import Delta, Finish, Reasoning, Refusal, Text, ToolCall

REASON_LENGTH = 64
CALLS_LIMIT = 128  # calls of tools in a reply, the limit of OpenAI
NAME_LENGTH = 255  # characters of the id or name of a call
CALL_BYTES = 100  # the JSON around the arguments of a call


class Bounds:
    """The bytes that a reply can still have. Clients send whole histories back, and more would be refused."""

    def __init__(self) -> None:
        self.used = False
        self.exceeded = False
        self.left = {Text: settings.CONTENT_LIMIT, Reasoning: settings.CONTENT_LIMIT, Refusal: settings.PARTS_LIMIT}
        self.left_for_calls = settings.PARTS_LIMIT

    def cut(self, delta: Delta) -> Delta:
        """Return the delta without the end that exceeds a limit, and with characters that can be stored."""
        self.used = True
        if isinstance(delta, ToolCall):
            return self._cut_call(delta)
        if isinstance(delta, Finish):
            return delta
        text, kind = storable(delta.text), type(delta)
        self.left[kind] -= len(text) if text.isascii() else len(text.encode())
        if self.left[kind] < 0:
            self.exceeded = True
            text = text.encode()[: self.left[kind]].decode(errors="ignore")
        return delta if text is delta.text else kind(text)

    def _cut_call(self, delta: ToolCall) -> ToolCall:
        id, name = storable(delta.id)[:NAME_LENGTH], storable(delta.name)[:NAME_LENGTH]
        call = ToolCall(delta.position, id, name, storable(delta.arguments))
        # The arguments are stored as a text in JSON, which escapes their quotation marks.
        self.left_for_calls -= len(orjson.dumps(call.arguments)) + (CALL_BYTES + 2 * len(id + name) if name else 0)
        if self.left_for_calls < 0 or delta.position >= CALLS_LIMIT:
            self.exceeded = True
            return call._replace(arguments="")
        return call


def storable(text: str) -> str:
    """Replace the characters that PostgreSQL cannot store: NUL and surrogates."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


def text_of(value: Any) -> str:
    return value if isinstance(value, str) else ""


# The functions below keep a reply whose metadata is malformed. They drop the metadata that cannot be stored.


def reason_of(value: Any) -> str:
    return storable(text_of(value))[:REASON_LENGTH]


def count_of(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value < 2**31 else None


def usage_of(value: dict[str, Any]) -> dict[str, Any] | None:
    """Return the usage that a provider reports, or None if there is none or it cannot be stored."""
    try:
        text = orjson.dumps(value)
        strict_json.loads(text)
    except (Invalid, TypeError, ValueError):
        return None
    return value if value and len(text) <= settings.METADATA_LIMIT else None
