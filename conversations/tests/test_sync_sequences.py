"""Send random complete histories to a stored conversation and to its reference model, and compare both."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from conversations.drafts import SyncProfile
from conversations.services.sync import sync
from testing.cast import Draft, message_draft, stored_rows
from testing.statements import executed_statements
from testing.sync_profiles import CONTRACT, NATIVE, STATEMENTS_WITHOUT_CHANGES
from testing.tree_machine import DRAFTS, TEXTS, TreeMachine, has, is_live
from testing.tree_model import ReferenceMessage


@pytest.mark.django_db
def test_random_histories_and_operations_agree_with_the_reference_model() -> None:
    run_state_machine_as_test(SyncMachine, settings=settings())


CLIENT_IDS = st.sampled_from(["one", "two", "three", "four"])
PROFILES = st.sampled_from([NATIVE, CONTRACT])


def id_fields(message: ReferenceMessage, kind: str) -> Draft:
    return {
        "no id": {},
        "own id": {"id": message.id},
        "client id": {"external_id": message.external_id or message.id},
    }[kind]


ID_KINDS = st.sampled_from(["no id", "own id", "client id"])


class SyncMachine(TreeMachine):
    def history(self, path: list[ReferenceMessage], profile: SyncProfile, kind: str) -> list[Draft]:
        seen = [message for message in path if message.is_live and profile.is_visible(message)]
        return [message_draft(message.content, message.role, **id_fields(message, kind)) for message in seen]

    def send(self, drafts: list[Draft], profile: SyncProfile) -> None:
        drafts = without_repeated_ids(drafts)
        visible = profile.is_visible
        if not all(map(visible, map(as_message, drafts))):
            return  # a client does not send messages that it cannot see
        sync(user=self.user, conversation_id=self.stored.id, drafts=drafts, profile=profile)
        self.reference.sync(drafts, visible)
        self.assert_equal_to_reference()
        self.assert_read_back(drafts, visible)
        self.assert_repetition_writes_nothing(drafts, profile)

    def assert_read_back(self, drafts: list[Draft], visible: Callable[[Any], bool]) -> None:
        assert [message_draft(row.content, row.role) for row in self.stored.messages.shown() if visible(row)] == [
            message_draft(draft["content"], draft["role"]) for draft in drafts
        ]

    def assert_repetition_writes_nothing(self, drafts: list[Draft], profile: SyncProfile) -> None:
        before = stored_rows(self.stored)
        with executed_statements() as statements:
            sync(user=self.user, conversation_id=self.stored.id, drafts=drafts, profile=profile)
        assert statements == STATEMENTS_WITHOUT_CHANGES
        assert stored_rows(self.stored) == before

    @rule(profile=PROFILES, kind=ID_KINDS)
    def send_the_stored_history(self, profile: SyncProfile, kind: str) -> None:
        before = stored_rows(self.stored)
        drafts = self.history(self.reference.path, profile, kind)
        sync(user=self.user, conversation_id=self.stored.id, drafts=drafts, profile=profile)
        assert stored_rows(self.stored) == before

    @rule(profile=PROFILES, kind=ID_KINDS, data=st.data())
    def send_a_shorter_history(self, profile: SyncProfile, kind: str, data: st.DataObject) -> None:
        drafts = self.history(self.reference.path, profile, kind)
        self.send(drafts[: data.draw(st.integers(0, len(drafts)), "length")], profile)

    @rule(profile=PROFILES, kind=ID_KINDS, more=st.lists(DRAFTS, min_size=1, max_size=3))
    def send_a_longer_history(self, profile: SyncProfile, kind: str, more: list[Draft]) -> None:
        self.send(self.history(self.reference.path, profile, kind) + more, profile)

    @rule(profile=PROFILES, kind=ID_KINDS, more=st.lists(DRAFTS, min_size=1, max_size=2), data=st.data())
    def send_another_continuation(
        self, profile: SyncProfile, kind: str, more: list[Draft], data: st.DataObject
    ) -> None:
        drafts = self.history(self.reference.path, profile, kind)
        at = data.draw(st.integers(0, len(drafts)), "from")
        self.send(drafts[:at] + more + drafts[at + 1 :], profile)

    @precondition(has(is_live))
    @rule(profile=PROFILES, kind=ID_KINDS, data=st.data(), text=TEXTS)
    def send_an_edited_message(self, profile: SyncProfile, kind: str, data: st.DataObject, text: str) -> None:
        """Send one message with its old id and a new text, which can also begin with the old text."""
        drafts = self.history(self.reference.path, profile, kind)
        for draft in drafts and [data.draw(st.sampled_from(drafts), "which")]:
            draft["content"] = text
        self.send(drafts, profile)

    @precondition(has(is_live))
    @rule(profile=PROFILES, kind=ID_KINDS, data=st.data())
    def send_another_branch(self, profile: SyncProfile, kind: str, data: st.DataObject) -> None:
        self.send(self.history(self.pick(data, is_live).path, profile, kind), profile)

    @rule(profile=PROFILES, kind=ID_KINDS, ids=st.lists(CLIENT_IDS, unique=True), more=st.lists(DRAFTS, max_size=2))
    def send_with_other_ids(self, profile: SyncProfile, kind: str, ids: list[str], more: list[Draft]) -> None:
        drafts = self.history(self.reference.path, profile, kind) + more
        for draft, external_id in zip(reversed(drafts), ids, strict=False):
            draft["external_id"] = external_id
        self.send(drafts, profile)


def as_message(draft: Draft) -> ReferenceMessage:
    return ReferenceMessage(seq=1, parent=None, role=draft["role"], content=draft["content"])


def without_repeated_ids(drafts: list[Draft]) -> list[Draft]:
    """Return the drafts, without the ids of each draft that repeats an id of an earlier one."""
    seen: set[str] = set()
    kept = []
    for draft in drafts:
        ids = {draft[name] for name in ("external_id", "id") if name in draft}
        kept.append({k: v for k, v in draft.items() if k not in ("external_id", "id")} if ids & seen else draft)
        seen |= ids
    return kept
