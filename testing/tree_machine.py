"""Random operations on a stored conversation and on a plain one, which must be alike after each."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chatstore.errors import Conflict
from chatstore.ids import new_id
from conversations.models import Conversation, Message
from conversations.services import branches, conversations, messages

from .cast import Draft, create_user
from .tree_model import ReferenceConversation, ReferenceMessage

FACTS = ("seq", "role", "content", "external_id", "prompt_tokens", "completion_tokens")
TEXTS = st.sampled_from(["a", "ab", "abc", "b", "", " \n ", "two\n words"])
COUNTS = st.sampled_from([None, 0, 1, 7])
DRAFTS = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "tool", "system"]), "content": TEXTS},
    optional={"prompt_tokens": COUNTS, "completion_tokens": COUNTS},
)


def has(kind: Callable[[ReferenceMessage], bool]) -> Callable[[Any], bool]:
    return lambda machine: any(map(kind, machine.plain.all))


def is_live(said: ReferenceMessage) -> bool:
    return said.is_live


def is_trashed(said: ReferenceMessage) -> bool:
    return not said.is_live


class TreeMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.example = transaction.atomic()
        self.example.__enter__()
        self.user = create_user(str(new_id()))
        self.stored, _ = conversations.create(user=self.user, fields={}, drafts=[])
        self.plain = ReferenceConversation()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.example.__exit__(None, None, None)

    def pick(self, data: st.DataObject, kind: Callable[[ReferenceMessage], bool]) -> ReferenceMessage:
        return data.draw(st.sampled_from([said for said in self.plain.all if kind(said)]), "message")

    @rule(drafts=st.lists(DRAFTS, min_size=1, max_size=4))
    def append(self, drafts: list[Draft]) -> None:
        messages.append(user=self.user, conversation_id=self.stored.id, drafts=drafts)
        for draft in drafts:
            self.plain.append(draft)

    @precondition(has(is_live))
    @rule(data=st.data(), changes=st.one_of(st.just({}), DRAFTS))
    def branch(self, data: st.DataObject, changes: Draft) -> None:
        said = self.pick(data, is_live)
        branches.branch(user=self.user, message_id=said.id, changes=changes)
        self.plain.branch(said, changes)

    @precondition(has(is_live))
    @rule(data=st.data(), changes=st.fixed_dictionaries({}, optional={"content": TEXTS, "completion_tokens": COUNTS}))
    def edit(self, data: st.DataObject, changes: Draft) -> None:
        said = self.pick(data, is_live)
        messages.update(user=self.user, message_id=said.id, changes=dict(changes))
        said.take(changes)

    @precondition(has(is_live))
    @rule(data=st.data())
    def switch(self, data: st.DataObject) -> None:
        said = self.pick(data, is_live)
        branches.switch(user=self.user, conversation_id=self.stored.id, message_id=said.id)
        self.plain.switch(said)

    @precondition(has(is_live))
    @rule(data=st.data())
    def trash(self, data: st.DataObject) -> None:
        said = self.pick(data, is_live)
        messages.trash(user=self.user, message_id=said.id)
        self.plain.trash(said)

    @precondition(has(is_trashed))
    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        said = self.pick(data, is_trashed)
        if self.plain.is_taken(said.external_id or said.id):
            with pytest.raises(Conflict):
                messages.restore(user=self.user, message_id=said.id)
        else:
            messages.restore(user=self.user, message_id=said.id)
            self.plain.restore(said)

    @invariant()
    def they_are_alike(self) -> None:
        self.stored = Conversation.objects.get(id=self.stored.id)
        rows = list(self.stored.messages.order_by("seq"))
        self.compare_rows(rows)
        self.compare_conversation()
        assert_consistent(self.stored, rows)

    def compare_rows(self, rows: list[Message]) -> None:
        assert len(rows) == len(self.plain.all)
        for row, said in zip(rows, self.plain.all, strict=True):
            assert [getattr(row, name) for name in FACTS] == [getattr(said, name) for name in FACTS]
            assert row.parent_seq == (said.parent and said.parent.seq)
            assert (row.deleted_at is None, row.is_active) == (said.is_live, said in self.plain.path), row
            said.id = str(row.id)

    def compare_conversation(self) -> None:
        stored, plain = self.stored, self.plain
        assert list(stored.messages.shown().values_list("seq", flat=True)) == [said.seq for said in plain.shown]
        assert stored.tip_seq == (plain.tip and plain.tip.seq)
        assert stored.last_seq == len(plain.all)
        assert stored.message_count == len(plain.shown)
        assert stored.preview == plain.preview
        assert stored.prompt_tokens == plain.tokens("prompt_tokens")
        assert stored.completion_tokens == plain.tokens("completion_tokens")


def assert_consistent(conversation: Conversation, rows: list[Message]) -> None:
    """What is true of every conversation at all times, whoever wrote it."""
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
