"""The tree of a conversation, its active path, and the columns of the conversation that follow from it.

The parent of a message is the message directly before it in its branch; siblings are alternatives. `is_active` marks
the active path, which leads from a root to `tip_seq`. Clients display this path. A trashed message can be on it, but is
never its tip. A parent has a lower `seq` than its children, so `seq` rises along every path.

Every function here must run under the conversation's lock, unless the conversation is new. It changes the given
Conversation in memory; the caller saves the Conversation with `save_derived`.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django.utils.translation import gettext

from chatstore import raw_sql
from chatstore.errors import Invalid
from chatstore.fingerprints import fingerprint
from chatstore.ids import new_id
from conversations.drafts import MessageDraft, TreeShape
from conversations.models import Conversation, Message

DERIVED = ("last_seq tip_seq message_count preview prompt_tokens completion_tokens title updated_at active_at").split()
SAVE_DERIVED = f"UPDATE conversation SET {', '.join(f'{name} = %s' for name in DERIVED)} WHERE id = %s"
# In the order of the fields of Message. The mutable ones are replaced in each message.
DEFAULTS = {field.attname: field.get_default() for field in Message._meta.concrete_fields}
CONVERSATION: Any = Message._meta.get_field("conversation")
PREVIEW_LENGTH = 200
BLANK = " \t\n\r\f\v"  # not \s, which matches different characters in Python and in PostgreSQL
TEXT = f"[^{BLANK}]+"


class Node(NamedTuple):
    seq: int
    parent_seq: int | None
    is_active: bool
    is_live: bool


class Tree:
    """The messages of one conversation without their content."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self.nodes = {node.seq: node for node in nodes}
        self._children: dict[int | None, list[int]] = defaultdict(list)
        for node in self.nodes.values():
            self._children[node.parent_seq].append(node.seq)

    @classmethod
    def of(cls, conversation: Conversation) -> "Tree":
        """Read the tree. Runs one statement."""
        rows = conversation.messages.order_by("seq").values_list("seq", "parent_seq", "is_active", "deleted_at")
        return cls(Node(seq, parent, active, deleted is None) for seq, parent, active, deleted in rows)

    def path(self, seq: int | None) -> list[int]:
        """Return the path from `seq` up to its root."""
        path = []
        while seq is not None:
            path.append(seq)
            seq = self.nodes[seq].parent_seq
        return path

    def live_ancestor(self, seq: int) -> int | None:
        """Return the nearest ancestor that is not in the trash."""
        return next((ancestor for ancestor in self.path(seq)[1:] if self.nodes[ancestor].is_live), None)

    def leaf_below(self, seq: int) -> int:
        """Return the leaf at the end of the newest live answers. The answers to a trashed message take its place."""
        while (newest := self._newest_below(seq)) is not None:
            seq = newest
        return seq

    def _newest_below(self, seq: int) -> int | None:
        live, waiting = [], list(self._children[seq])
        while waiting:
            child = waiting.pop()
            if self.nodes[child].is_live:
                live.append(child)
            else:
                waiting.extend(self._children[child])
        return max(live, default=None)


def build_messages(conversation: Conversation, drafts: Sequence[MessageDraft], *, below: int | None) -> list[Message]:
    """Build a chain of active messages. The first one answers the message `below`, where the active path must end.

    The caller inserts them. Raises Invalid for a message without content.
    """
    messages = []
    for draft in drafts:
        message = _build_message(conversation, draft, below, is_active=True)
        below = conversation.last_seq = message.seq
        messages.append(message)
    _count(conversation, messages)
    return messages


def build_tree(conversation: Conversation, drafts: Sequence[MessageDraft], shape: TreeShape) -> list[Message]:
    """Build the messages of an empty conversation, with branches. A parent must come before its answers.

    The caller inserts them. Raises Invalid for a message without content.
    """
    active = shape.path()
    messages: list[Message] = []
    for index, (draft, parent) in enumerate(zip(drafts, shape.parents, strict=True)):
        parent_seq = None if parent is None else messages[parent].seq
        if index in active:
            messages += build_messages(conversation, [draft], below=parent_seq)
        else:
            messages.append(build_hidden_message(conversation, draft, below=parent_seq))
    return messages


def build_hidden_message(conversation: Conversation, draft: MessageDraft, *, below: int | None) -> Message:
    """Build a message that is not on the active path.

    Its tokens are added to the conversation's sums, but the message count and the preview do not change. The caller
    inserts it. Raises Invalid for a message without content.
    """
    message = _build_message(conversation, draft, below, is_active=False)
    conversation.last_seq = message.seq
    add_usage(conversation, message)
    return message


def build_unplaced(draft: Mapping[str, Any]) -> Message:
    """Build a message that has no place in a conversation yet. Raises Invalid for a message without content."""
    return _new_message(draft, times={}, place={})


def place(message: Message, conversation: Conversation, *, below: int | None) -> None:
    """Give a message that `sql.APPEND` has stored the values that it gave the row. `below` is the tip from before."""
    message.conversation, message.user_id = conversation, conversation.user_id
    message.seq, message.parent_seq = conversation.last_seq, below
    message.created_at, message.updated_at = message.created_at or conversation.now, conversation.now
    message._state.adding = False


def _build_message(
    conversation: Conversation, draft: Mapping[str, Any], parent_seq: int | None, *, is_active: bool
) -> Message:
    place = {
        "conversation_id": conversation.id,
        "user_id": conversation.user_id,
        "seq": conversation.last_seq + 1,
        "parent_seq": parent_seq,
        "is_active": is_active,
    }
    message = _new_message(draft, times={"created_at": conversation.now, "updated_at": conversation.now}, place=place)
    CONVERSATION.set_cached_value(message, conversation)
    return message


def _new_message(draft: Mapping[str, Any], *, times: Mapping[str, Any], place: Mapping[str, Any]) -> Message:
    """Build a message with these times, unless the draft has other ones."""
    values: dict[str, Any] = {**DEFAULTS, "id": new_id(), "metadata": {}, **times, **draft, **place}
    # A repeated message is recognized by its external_id, so only messages that have one need a fingerprint.
    values["fingerprint"] = fingerprint(draft) if draft.get("external_id") else None
    arguments: Any = map(values.__getitem__, DEFAULTS)  # keyword arguments would take five times as long
    message = Message(*arguments)
    refuse_empty(message)
    return message


def refuse_empty(message: Any) -> None:
    """Raise Invalid if the message has no content."""
    if message.content is None and message.parts is None and message.tool_calls is None:
        raise Invalid(gettext("A message must have content, parts or tool calls."), field="content")


def _count(conversation: Conversation, messages: Sequence[Message]) -> None:
    """Count new messages at the end of the active path."""
    if messages:
        conversation.tip_seq = messages[-1].seq
    conversation.message_count += len(messages)
    previews = (preview_of(message.content) for message in reversed(messages))
    conversation.preview = next(filter(None, previews), conversation.preview)
    for message in messages:
        add_usage(conversation, message)


def add_usage(conversation: Conversation, message: Message) -> None:
    """Add the tokens of a new message, and move the times of the conversation forward."""
    conversation.prompt_tokens += message.prompt_tokens or 0
    conversation.completion_tokens += message.completion_tokens or 0
    conversation.active_at = max(conversation.active_at, message.created_at)
    conversation.updated_at = max(conversation.updated_at, conversation.now)


def preview_of(content: str | None) -> str:
    """Return the beginning of a text in one line."""
    return " ".join(re.findall(TEXT, (content or "").lstrip(BLANK)[: PREVIEW_LENGTH * 10]))[:PREVIEW_LENGTH]


def truncate_active_path(conversation: Conversation, seq: int | None) -> None:
    """Make the active path end at `seq`. With None, the active path becomes empty."""
    if seq is None or conversation.messages.filter(seq=seq, is_active=True).exists():
        # Hide all active messages after `seq`. Do not start at a message that is replaced: it may be hidden itself.
        conversation.messages.filter(is_active=True, seq__gt=seq or 0).update(is_active=False)
    else:
        activate_path(conversation, Tree.of(conversation), seq)
    conversation.tip_seq = seq


def activate_path(conversation: Conversation, tree: Tree, seq: int | None) -> None:
    """Make the path from a root to `seq` the active path."""
    path = set(tree.path(seq))
    active = {node.seq for node in tree.nodes.values() if node.is_active}
    conversation.messages.filter(seq__in=sorted(active - path)).update(is_active=False)
    conversation.messages.filter(seq__in=sorted(path - active)).update(is_active=True)
    conversation.tip_seq = seq


def refresh_counters(conversation: Conversation) -> None:
    """Compute the message count and the preview again, after a change of the active path other than an append."""
    active = conversation.messages.shown()
    conversation.message_count = active.count()
    texts = active.reverse().filter(content__regex=TEXT).values_list("content", flat=True)
    conversation.preview = preview_of(texts.first())
    conversation.updated_at = conversation.now


def save_derived(conversation: Conversation) -> None:
    """Save the derived columns of the conversation."""
    raw_sql.execute(SAVE_DERIVED, [getattr(conversation, name) for name in (*DERIVED, "pk")])
