"""Whole histories, random ones, beside a plain conversation that is given the same."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from conversations.services.sync import sync
from testing.cast import Draft, message_draft, stored_rows
from testing.statements import statements
from testing.tree_machine import DRAFTS, TEXTS, TreeMachine, has, is_live
from testing.tree_model import ReferenceMessage

from .contract import CONTRACT, NATIVE, READS


@pytest.mark.django_db
def test_any_sequence_of_histories_and_operations_comes_to_what_a_plain_conversation_comes_to() -> None:
    run_state_machine_as_test(SyncMachine, settings=settings())


CLIENT_IDS = st.sampled_from(["one", "two", "three", "four"])
DOORS = st.sampled_from([NATIVE, CONTRACT])


def known_by(said: ReferenceMessage, how: str) -> Draft:
    return {
        "nothing": {},
        "its id": {"id": said.id},
        "its client's id": {"external_id": said.external_id or said.id},
    }[how]


KNOWN = st.sampled_from(["nothing", "its id", "its client's id"])


class SyncMachine(TreeMachine):
    def history(self, way: list[ReferenceMessage], profile: dict[str, Any], how: str) -> list[Draft]:
        seen = [said for said in way if said.is_live and profile["visible"](said)]
        return [message_draft(said.content, said.role, **known_by(said, how)) for said in seen]

    def send(self, drafts: list[Draft], profile: dict[str, Any]) -> None:
        drafts = without_doubled_ids(drafts)
        sees = profile["visible"]
        if not all(map(sees, map(as_said, drafts))):
            return  # nobody sends what they cannot say
        sync(user=self.user, conversation_id=self.stored.id, drafts=drafts, **profile)
        self.plain.sync(drafts, sees)
        self.they_are_alike()
        self.what_was_sent_is_what_is_read_back(drafts, sees)
        self.sent_again_it_writes_nothing(drafts, profile)

    def what_was_sent_is_what_is_read_back(self, drafts: list[Draft], sees: Callable[[Any], bool]) -> None:
        assert [message_draft(row.content, row.role) for row in self.stored.messages.shown() if sees(row)] == [
            message_draft(draft["content"], draft["role"]) for draft in drafts
        ]

    def sent_again_it_writes_nothing(self, drafts: list[Draft], profile: dict[str, Any]) -> None:
        before = stored_rows(self.stored)
        with statements() as asked:
            sync(user=self.user, conversation_id=self.stored.id, drafts=drafts, **profile)
        assert asked == READS
        assert stored_rows(self.stored) == before

    @rule(profile=DOORS, how=KNOWN)
    def send_what_is_read(self, profile: dict[str, Any], how: str) -> None:
        before = stored_rows(self.stored)
        drafts = self.history(self.plain.path, profile, how)
        sync(user=self.user, conversation_id=self.stored.id, drafts=drafts, **profile)
        assert stored_rows(self.stored) == before

    @rule(profile=DOORS, how=KNOWN, data=st.data())
    def send_less(self, profile: dict[str, Any], how: str, data: st.DataObject) -> None:
        drafts = self.history(self.plain.path, profile, how)
        self.send(drafts[: data.draw(st.integers(0, len(drafts)), "length")], profile)

    @rule(profile=DOORS, how=KNOWN, more=st.lists(DRAFTS, min_size=1, max_size=3))
    def send_more(self, profile: dict[str, Any], how: str, more: list[Draft]) -> None:
        self.send(self.history(self.plain.path, profile, how) + more, profile)

    @rule(profile=DOORS, how=KNOWN, more=st.lists(DRAFTS, min_size=1, max_size=2), data=st.data())
    def send_a_departure(self, profile: dict[str, Any], how: str, more: list[Draft], data: st.DataObject) -> None:
        drafts = self.history(self.plain.path, profile, how)
        at = data.draw(st.integers(0, len(drafts)), "from")
        self.send(drafts[:at] + more + drafts[at + 1 :], profile)

    @precondition(has(is_live))
    @rule(profile=DOORS, how=KNOWN, data=st.data(), text=TEXTS)
    def send_an_edited_one(self, profile: dict[str, Any], how: str, data: st.DataObject, text: str) -> None:
        """With the ids as they were: an edited message, or one that has grown."""
        drafts = self.history(self.plain.path, profile, how)
        for draft in drafts and [data.draw(st.sampled_from(drafts), "which")]:
            draft["content"] = text
        self.send(drafts, profile)

    @precondition(has(is_live))
    @rule(profile=DOORS, how=KNOWN, data=st.data())
    def send_another_branch(self, profile: dict[str, Any], how: str, data: st.DataObject) -> None:
        self.send(self.history(self.pick(data, is_live).way, profile, how), profile)

    @rule(profile=DOORS, how=KNOWN, ids=st.lists(CLIENT_IDS, unique=True), more=st.lists(DRAFTS, max_size=2))
    def send_with_other_ids(self, profile: dict[str, Any], how: str, ids: list[str], more: list[Draft]) -> None:
        drafts = self.history(self.plain.path, profile, how) + more
        for draft, external_id in zip(reversed(drafts), ids, strict=False):
            draft["external_id"] = external_id
        self.send(drafts, profile)


def as_said(draft: Draft) -> ReferenceMessage:
    return ReferenceMessage(seq=1, parent=None, role=draft["role"], content=draft["content"])


def without_doubled_ids(drafts: list[Draft]) -> list[Draft]:
    """The first that carries an id keeps it."""
    seen: set[str] = set()
    kept = []
    for draft in drafts:
        ids = {draft[name] for name in ("external_id", "id") if name in draft}
        kept.append({k: v for k, v in draft.items() if k not in ("external_id", "id")} if ids & seen else draft)
        seen |= ids
    return kept
