"""The types of the data that callers pass to the services."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Required, TypedDict

CONTENT_FIELDS = frozenset({"content", "parts", "tool_calls"})  # a message has at least one of them

# A reply gets these fields when it ends. Until then, nobody else changes them.
REPLY_FIELDS = CONTENT_FIELDS | set(
    "reasoning status finish_reason error prompt_tokens completion_tokens usage".split()
)


class MessageDraft(TypedDict, total=False):
    """The fields of a message to store. A field that is left out gets the default of its column."""

    id: Any  # the id of the stored message that the draft repeats; only for `sync`
    external_id: str | None
    role: Required[str]
    item_type: str
    content: str | None
    parts: Any
    reasoning: str
    name: str
    model: str
    tool_calls: Any
    tool_call_id: str
    status: str
    finish_reason: str
    error: str
    prompt_tokens: int | None
    completion_tokens: int | None
    usage: dict[str, Any] | None
    metadata: dict[str, Any]
    created_at: datetime


class TreeShape(NamedTuple):
    """How a list of drafts forms a tree.

    `parents[i]` is the index of the message that draft `i` answers, or None if draft `i` is a root. `tip` is the index
    of the message where the active path ends, or None if no message is active.
    """

    parents: Sequence[int | None]
    tip: int | None

    def path(self) -> set[int]:
        """Return the indexes of the messages on the active path."""
        path, index = set(), self.tip
        while index is not None:
            path.add(index)
            index = self.parents[index]
        return path


class ConversationTree(NamedTuple):
    """A conversation to store: its fields, its messages, and how the messages form a tree.

    `shape` is None if each message answers the previous one.
    """

    fields: dict[str, Any]
    drafts: Sequence[MessageDraft]
    shape: TreeShape | None


class SyncProfile(NamedTuple):
    """The parts of a message that a client knows. Used for clients that send whole histories."""

    # Two messages are the same if these fields are equal.
    compared_fields: frozenset[str] = frozenset("role item_type content parts tool_calls tool_call_id".split())
    # The client displays messages of these roles, if they have content in a field that it knows. None means all.
    visible_roles: frozenset[str] | None = None
    # Turns a stored external_id into the id that the client knows.
    normalize_id: Callable[[str], str] = str

    @property
    def fields_in_order(self) -> list[str]:
        return sorted(self.compared_fields)

    @property
    def content_fields(self) -> list[str]:
        """The client displays a message if one of these fields is not null."""
        return sorted(CONTENT_FIELDS & self.compared_fields)

    def is_visible(self, message: Any) -> bool:
        """Return whether the client can display this message. Reads only its role, its type and CONTENT_FIELDS."""
        if self.visible_roles is None:
            return True
        if message.item_type != "message" or message.role not in self.visible_roles:
            return False
        return any(getattr(message, name) is not None for name in self.content_fields)


class SessionInput(NamedTuple):
    """A conversation as a client of `sync_all` sends it."""

    name: str  # its external_id, or its id
    fields: dict[str, Any]
    drafts: Sequence[MessageDraft]
