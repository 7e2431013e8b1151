"""A Hypothesis state machine: random operations on a stored conversation and on its reference model, which must agree
after each operation."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chatstore.errors import Conflict
from chatstore.ids import new_id
from conversations import daily_usage
from conversations.models import Conversation, Message
from conversations.services import branches, conversations, messages

from .cast import Draft, create_user
from .full_count import assert_daily_usage_is_exact
from .tree_model import Predicate, ReferenceConversation, ReferenceMessage

COMPARED_FIELDS = ("seq", "role", "content", "external_id", "prompt_tokens", "completion_tokens")
TEXTS = st.sampled_from(["a", "ab", "abc", "b", "", " \n ", "two\n words"])
TOKEN_COUNTS = st.sampled_from([None, 0, 1, 7])
DRAFTS = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "tool", "system"]), "content": TEXTS},
    optional={"prompt_tokens": TOKEN_COUNTS, "completion_tokens": TOKEN_COUNTS},
)
CHANGES = st.fixed_dictionaries({}, optional={"content": TEXTS, "completion_tokens": TOKEN_COUNTS})


def has(predicate: Predicate) -> Callable[[Any], bool]:
    """Return a precondition: `predicate` is true for at least one message."""
    return lambda machine: any(map(predicate, machine.reference.all))


def is_live(message: ReferenceMessage) -> bool:
    return message.is_live


def is_trashed(message: ReferenceMessage) -> bool:
    return not message.is_live


class TreeMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.example = transaction.atomic()
        self.example.__enter__()
        self.user = create_user(str(new_id()))
        self.stored, _ = conversations.create(user=self.user, fields={}, drafts=[])
        self.reference = ReferenceConversation()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.example.__exit__(None, None, None)

    def pick(self, data: st.DataObject, predicate: Predicate) -> ReferenceMessage:
        return data.draw(st.sampled_from([each for each in self.reference.all if predicate(each)]), "message")

    @rule(drafts=st.lists(DRAFTS, min_size=1, max_size=4))
    def append(self, drafts: list[Draft]) -> None:
        messages.append(user=self.user, conversation_id=self.stored.id, drafts=drafts)
        for draft in drafts:
            self.reference.append(draft)

    @precondition(has(is_live))
    @rule(data=st.data(), changes=st.one_of(st.just({}), DRAFTS))
    def branch(self, data: st.DataObject, changes: Draft) -> None:
        message = self.pick(data, is_live)
        branches.branch(user=self.user, message_id=message.id, changes=changes)
        self.reference.branch(message, changes)

    @precondition(has(is_live))
    @rule(data=st.data(), changes=CHANGES)
    def edit(self, data: st.DataObject, changes: Draft) -> None:
        message = self.pick(data, is_live)
        messages.update(user=self.user, message_id=message.id, changes=dict(changes))
        message.change(changes)

    @precondition(has(is_live))
    @rule(data=st.data())
    def switch(self, data: st.DataObject) -> None:
        message = self.pick(data, is_live)
        branches.switch(user=self.user, conversation_id=self.stored.id, message_id=message.id)
        self.reference.switch(message)

    @precondition(has(is_live))
    @rule(data=st.data())
    def trash(self, data: st.DataObject) -> None:
        message = self.pick(data, is_live)
        messages.trash(user=self.user, message_id=message.id)
        self.reference.trash(message)

    @precondition(has(is_trashed))
    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        message = self.pick(data, is_trashed)
        if self.reference.is_taken(message.external_id or message.id):
            with pytest.raises(Conflict):
                messages.restore(user=self.user, message_id=message.id)
        else:
            messages.restore(user=self.user, message_id=message.id)
            self.reference.restore(message)

    @rule()
    def add_changes_of_daily_usage(self) -> None:
        daily_usage.add_changes()

    @invariant()
    def assert_daily_usage_is_exact(self) -> None:
        assert_daily_usage_is_exact()

    @invariant()
    def assert_equal_to_reference(self) -> None:
        self.stored = Conversation.objects.get(id=self.stored.id)
        rows = list(self.stored.messages.order_by("seq"))
        self.assert_equal_messages(rows)
        self.assert_equal_conversation()
        assert_consistent(self.stored, rows)

    def assert_equal_messages(self, rows: list[Message]) -> None:
        """Compare each message, and give the reference messages the ids of the stored ones."""
        assert len(rows) == len(self.reference.all)
        for row, message in zip(rows, self.reference.all, strict=True):
            assert [getattr(row, name) for name in COMPARED_FIELDS] == [
                getattr(message, name) for name in COMPARED_FIELDS
            ]
            assert row.parent_seq == (message.parent and message.parent.seq)
            assert (row.deleted_at is None, row.is_active) == (message.is_live, message in self.reference.path), row
            message.id = str(row.id)

    def assert_equal_conversation(self) -> None:
        stored, reference = self.stored, self.reference
        assert list(stored.messages.shown().values_list("seq", flat=True)) == [each.seq for each in reference.shown]
        assert stored.tip_seq == (reference.tip and reference.tip.seq)
        assert stored.last_seq == len(reference.all)
        assert stored.message_count == len(reference.shown)
        assert stored.preview == reference.preview
        assert stored.prompt_tokens == reference.tokens("prompt_tokens")
        assert stored.completion_tokens == reference.tokens("completion_tokens")


def assert_consistent(conversation: Conversation, rows: list[Message]) -> None:
    """Assert the invariants of every stored conversation: its path, counters and times fit its messages."""
    by_seq = {row.seq: row for row in rows}
    path, seq = [], conversation.tip_seq
    while seq is not None:
        path.append(seq)
        assert (by_seq[seq].parent_seq or 0) < seq
        seq = by_seq[seq].parent_seq
    assert sorted(row.seq for row in rows if row.is_active) == path[::-1]
    assert not path or by_seq[path[0]].deleted_at is None
    assert sorted(by_seq) == list(range(1, conversation.last_seq + 1))
    assert conversation.message_count == sum(by_seq[seq].deleted_at is None for seq in path)
    assert conversation.prompt_tokens == sum(row.prompt_tokens or 0 for row in rows)
    assert conversation.completion_tokens == sum(row.completion_tokens or 0 for row in rows)
    times = [row.created_at for row in rows]
    assert times == sorted(times)
    assert not rows or conversation.active_at == times[-1]
    assert conversation.updated_at >= conversation.active_at
