"""The tree of a conversation: what is shown, and what that makes of the conversation's row.

A message's parent is the message it answers; siblings are alternatives. `is_active` marks the one path from the root
to `tip_seq` that is shown; a trashed message may lie on it, hidden, but is never its tip. Since a parent's seq is below
its child's, seq rises along every path. Every function here runs under the conversation's lock, changes the given
Conversation in memory, and leaves saving it (`save_derived`) to the caller.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from django.db import connection
from django.utils.translation import gettext

from chatstore.errors import Invalid
from conversations.drafts import TreeShape
from conversations.models import Conversation, Message

DERIVED = ("last_seq tip_seq message_count preview prompt_tokens completion_tokens title updated_at active_at").split()
SAVE_DERIVED = f"UPDATE conversation SET {', '.join(f'{name} = %s' for name in DERIVED)} WHERE id = %s"
PREVIEW_LENGTH = 200
BLANK = " \t\n\r\f\v"  # spelled out: what \s covers differs between Python and PostgreSQL
TEXT = f"[^{BLANK}]+"


class Node(NamedTuple):
    seq: int
    parent_seq: int | None
    is_active: bool
    is_live: bool


class Tree:
    """The skeleton of one conversation: no texts."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self.nodes = {node.seq: node for node in nodes}
        self._children: dict[int | None, list[int]] = defaultdict(list)
        for node in self.nodes.values():
            self._children[node.parent_seq].append(node.seq)

    @classmethod
    def of(cls, conversation: Conversation) -> "Tree":
        rows = conversation.messages.order_by("seq").values_list("seq", "parent_seq", "is_active", "deleted_at")
        return cls(Node(seq, parent, active, deleted is None) for seq, parent, active, deleted in rows)

    def path(self, seq: int | None) -> list[int]:
        """From `seq` up to its root."""
        steps = []
        while seq is not None:
            steps.append(seq)
            seq = self.nodes[seq].parent_seq
        return steps

    def live_ancestor(self, seq: int) -> int | None:
        """The nearest one above."""
        return next((step for step in self.path(seq)[1:] if self.nodes[step].is_live), None)

    def leaf_below(self, seq: int) -> int:
        """Where the newest live answers lead; a trashed message in between hides nothing below it."""
        while (below := self._newest_below(seq)) is not None:
            seq = below
        return seq

    def _newest_below(self, seq: int) -> int | None:
        candidates, waiting = [], list(self._children[seq])
        while waiting:
            child = waiting.pop()
            if self.nodes[child].is_live:
                candidates.append(child)
            else:
                waiting.extend(self._children[child])
        return max(candidates, default=None)


def build_messages(conversation: Conversation, drafts: Sequence[dict[str, Any]], *, below: int | None) -> list[Message]:
    """Messages for `drafts`, one under the other, the first under `below`, which is where the shown path ends.
    Nothing is stored yet: the caller inserts them and saves the conversation."""
    messages = []
    for draft in drafts:
        message = _message(conversation, draft, below)
        below = message.seq
        update_counters(conversation, message)
        messages.append(message)
    return messages


def build_tree(conversation: Conversation, drafts: Sequence[dict[str, Any]], shape: TreeShape) -> list[Message]:
    """Build the messages of an empty conversation, with branches, and update the conversation in memory.

    The caller inserts the messages and saves the conversation. A parent must come before its answers.
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


def build_hidden_message(conversation: Conversation, draft: dict[str, Any], *, below: int | None) -> Message:
    """One message on a branch that is not shown: it is spent, and neither counted nor previewed."""
    message = _message(conversation, draft | {"is_active": False}, below)
    conversation.last_seq = message.seq
    add_usage(conversation, message)
    return message


def _message(conversation: Conversation, draft: dict[str, Any], parent_seq: int | None) -> Message:
    now = conversation.now
    times = {"created_at": now, "updated_at": now}
    message = Message(
        **(times | draft),
        conversation=conversation,
        user_id=conversation.user_id,
        seq=conversation.last_seq + 1,
        parent_seq=parent_seq,
    )
    refuse_empty(message)
    return message


def refuse_empty(message: Message) -> None:
    if message.content is None and message.parts is None and message.tool_calls is None:
        raise Invalid(gettext("A message has content, parts or tool calls."), field="content")


def update_counters(conversation: Conversation, message: Message) -> None:
    conversation.last_seq = conversation.tip_seq = message.seq
    conversation.message_count += 1
    conversation.preview = preview_of(message.content) or conversation.preview
    add_usage(conversation, message)


def add_usage(conversation: Conversation, message: Message) -> None:
    conversation.prompt_tokens += message.prompt_tokens or 0
    conversation.completion_tokens += message.completion_tokens or 0
    conversation.active_at = max(conversation.active_at, message.created_at)
    conversation.updated_at = max(conversation.updated_at, conversation.now)


def preview_of(content: str | None) -> str:
    return " ".join(re.findall(TEXT, (content or "").lstrip(BLANK)[: PREVIEW_LENGTH * 10]))[:PREVIEW_LENGTH]


def truncate_active_path(conversation: Conversation, seq: int | None) -> None:
    """The shown path leads to `seq` and ends there."""
    if seq is None or conversation.messages.filter(seq=seq, is_active=True).exists():
        # What is shown beyond it steps down. (From the edited message on would be wrong where that one is not shown.)
        conversation.messages.filter(is_active=True, seq__gt=seq or 0).update(is_active=False)
    else:
        activate_path(conversation, Tree.of(conversation), seq)
    conversation.tip_seq = seq


def activate_path(conversation: Conversation, tree: Tree, seq: int | None) -> None:
    path = set(tree.path(seq))
    shown = {node.seq for node in tree.nodes.values() if node.is_active}
    conversation.messages.filter(seq__in=sorted(shown - path)).update(is_active=False)
    conversation.messages.filter(seq__in=sorted(path - shown)).update(is_active=True)
    conversation.tip_seq = seq


def refresh_counters(conversation: Conversation) -> None:
    """What the shown path amounts to, after something other than an append changed it."""
    shown = conversation.messages.shown()
    conversation.message_count = shown.count()
    texts = shown.reverse().filter(content__regex=TEXT).values_list("content", flat=True)
    conversation.preview = preview_of(texts.first())
    conversation.updated_at = conversation.now


def save_derived(conversation: Conversation) -> None:
    with connection.cursor() as cursor:  # written out; chatstore.raw_sql says why
        cursor.execute(SAVE_DERIVED, [getattr(conversation, name) for name in (*DERIVED, "pk")])
