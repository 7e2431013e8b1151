"""What a provider streams: one class for each kind of a delta. A delta is a piece of a reply."""

from typing import Any, NamedTuple


class Text(NamedTuple):
    text: str


class Reasoning(NamedTuple):
    """The thinking of a model. It is not part of its answer."""

    text: str


class Refusal(NamedTuple):
    text: str


class ToolCall(NamedTuple):
    """A piece of a call of a tool. The first piece of the call at `position` (0, 1, …) has its id and name.

    The arguments of all pieces, joined, are JSON.
    """

    position: int
    id: str = ""
    name: str = ""
    arguments: str = ""


class Finish(NamedTuple):
    """The end of a complete reply. A stream without it is incomplete."""

    reason: str
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    usage: dict[str, Any] | None = None  # as the provider reports it


Delta = Text | Reasoning | Refusal | ToolCall | Finish
