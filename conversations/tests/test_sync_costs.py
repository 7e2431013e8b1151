"""The memory and the number of statements of a sync depend on its changes, not on the size of the conversation."""

import tracemalloc
from typing import Any

import pytest

from accounts.models import User
from conversations.core import stored_messages as stored
from conversations.core.merging import HistoryMerger
from conversations.core.stored_messages import StoredMessage
from conversations.drafts import SyncProfile
from conversations.models import Conversation
from conversations.services import branches, conversations
from conversations.services.sync import sync
from testing.cast import active_texts, message_draft
from testing.statements import executed_statements

MEGABYTES_4 = {"role": "user", "content": "x" * 990_000, "reasoning": "y" * 990_000, "parts": ["z" * 990_000]}


def create_from_drafts(user: User, drafts: list[Any]) -> Conversation:
    return conversations.create(user=user, fields={}, drafts=drafts)[0]


def draft_texts(drafts: list[Any]) -> list[str]:
    return [draft["content"] for draft in drafts]


# --- Memory -------------------------------------------------------------------------------------------------


@pytest.fixture
def branched(alice: User) -> Conversation:
    """A conversation with 30 alternatives of 3 MB each: one message and 29 copies of it."""
    conversation = create_from_drafts(alice, [MEGABYTES_4])
    first = conversation.messages.get()
    for _ in range(29):
        branches.branch(user=alice, message_id=first.id, changes={})
    return conversation


def peak_memory(user: User, conversation: Conversation, drafts: list[Any]) -> int:
    tracemalloc.start()
    sync(user=user, conversation_id=conversation.id, drafts=drafts)
    most_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most_bytes


@pytest.mark.parametrize(
    "drafts",
    [
        [],
        [message_draft("Hello")],
        [MEGABYTES_4],
        [MEGABYTES_4 | {"content": "X" * 990_000}],
        [MEGABYTES_4 | {"external_id": "a"}, message_draft("Hello")],
    ],
    ids=["nothing", "another", "the same", "another of the same length", "the same and more"],
)
def test_a_sync_does_not_read_many_large_branches_into_memory(
    drafts: list[Any], alice: User, branched: Conversation
) -> None:
    assert peak_memory(alice, branched, drafts) < 40_000_000
    assert active_texts(branched) == draft_texts(drafts)
    assert branched.messages.count() in (30, 31)


def test_large_messages_are_compared_in_batches(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "BATCH_BYTES", 50_000)
    drafts = [message_draft(f"{number} {'x' * 9_000}") for number in range(40)]
    conversation = create_from_drafts(alice, drafts)
    with executed_statements() as executed:
        sync(user=alice, conversation_id=conversation.id, drafts=drafts)
    assert executed == ["SELECT"] * 10, "the conversation, the messages, and eight batches of five"
    changed = [*drafts[:39], message_draft("Another end"), message_draft("and more")]
    sync(user=alice, conversation_id=conversation.id, drafts=changed)
    assert active_texts(conversation) == draft_texts(changed)


@pytest.mark.parametrize("size", [1, 100_000])
def test_a_longer_reply_of_any_size_updates_the_message_and_its_fields(size: int, alice: User) -> None:
    parts = {"parts": [{"text": "x" * size}], "tool_calls": None}
    first = message_draft("x" * size, external_id="a", metadata={"n": 1}, **parts)
    conversation = create_from_drafts(alice, [first])
    grown = first | {"content": "x" * size + "y", "metadata": {"n": 2}, "prompt_tokens": 7}
    for _ in range(2):
        sync(user=alice, conversation_id=conversation.id, drafts=[grown])
    row = conversation.messages.get()
    assert {name: getattr(row, name) for name in grown} == grown
    conversation.refresh_from_db()
    assert conversation.prompt_tokens == 7


# --- Statements ----------------------------------------------------------------------------------------------


def statement_count(user: User, count: int, **changes: Any) -> int:
    drafts = [message_draft(str(number), external_id=f"old {count} {number}") for number in range(count)]
    conversation = create_from_drafts(user, drafts)
    renamed = [draft | {"external_id": f"new {draft['external_id']}"} | changes for draft in drafts]
    with executed_statements() as executed:
        sync(user=user, conversation_id=conversation.id, drafts=renamed)
    ids = list(conversation.messages.order_by("seq").values_list("external_id", flat=True))
    assert ids == [draft["external_id"] for draft in renamed]
    return len(executed)


@pytest.mark.parametrize("changes", [{}, {"metadata": {"a": 1}, "prompt_tokens": 3}])
def test_new_ids_need_the_same_number_of_statements_for_two_messages_and_for_many(
    changes: dict[str, Any], alice: User
) -> None:
    assert statement_count(alice, 2, **changes) == statement_count(alice, 300, **changes)


def test_an_exchange_of_ids_needs_two_updates_of_messages(alice: User) -> None:
    drafts = [message_draft(text, external_id=id) for text, id in zip("pqr", "abc", strict=True)]
    conversation = create_from_drafts(alice, drafts)
    turned = [draft | {"external_id": id} for draft, id in zip(drafts, "bca", strict=True)]
    with executed_statements() as executed:
        sync(user=alice, conversation_id=conversation.id, drafts=turned)
    assert executed.count("UPDATE") == 3, "clear the ids, set the ids, save the conversation"
    assert list(conversation.messages.order_by("seq").values_list("external_id", flat=True)) == ["b", "c", "a"]


def test_a_message_that_lost_its_id_does_not_get_it_back_when_it_changes(alice: User) -> None:
    conversation = create_from_drafts(alice, [message_draft("p", external_id="a"), message_draft("q", external_id="b")])
    drafts = [message_draft("p", external_id="b"), message_draft("q", metadata={"n": 1})]
    sync(user=alice, conversation_id=conversation.id, drafts=drafts)
    rows = conversation.messages.order_by("seq").values_list("external_id", "metadata")
    assert list(rows) == [("b", {}), (None, {"n": 1})]


def test_a_sync_does_not_search_all_messages_for_each_external_id(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """A linear search for each id made a sync of ten thousand equal messages with new ids take 18 seconds."""
    drafts = [message_draft(str(number), external_id=f"old {number}") for number in range(500)]
    conversation = create_from_drafts(alice, drafts)
    reads = 0
    attribute = StoredMessage.__getattribute__

    def counting(row: StoredMessage, name: str) -> Any:
        nonlocal reads
        reads += name == "external_id"
        return attribute(row, name)

    monkeypatch.setattr(StoredMessage, "__getattribute__", counting)
    merger = HistoryMerger(conversation, SyncProfile(frozenset({"role", "content"})))
    conversation.now = conversation.active_at
    merger.merge([draft | {"external_id": f"new {draft['external_id']}"} for draft in drafts])
    assert 500 < reads < 500 * 20
