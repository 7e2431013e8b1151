"""Conversations: made once, changed, trashed and restored."""

from datetime import UTC, datetime
from typing import Any

import pytest

from accounts.models import User
from chatstore.errors import Conflict, Invalid, NotFound
from conversations.models import Conversation
from conversations.services import conversations, messages
from testing.cast import active_texts, create_conversation, dialogue, message_draft, message_with_text, stored_rows
from testing.parallel import run_while_locked
from testing.statements import statements


def create(user: User, *texts: str, **fields: Any) -> tuple[Conversation, bool]:
    return conversations.create(user=user, fields=fields, drafts=dialogue(*texts))


# Made.


def test_a_conversation_is_stored_with_its_messages(alice: User) -> None:
    chat, is_new = create(alice, "Hi\nthere", "Hello", model="m", tags=["a"], metadata={"b": 1}, is_pinned=True)
    assert is_new
    stored = Conversation.objects.get()
    assert (stored.user, stored.title, stored.title_is_auto, stored.preview) == (alice, "Hi", True, "Hello")
    assert (stored.model, stored.tags, stored.metadata, stored.is_pinned) == ("m", ["a"], {"b": 1}, True)
    assert (stored.last_seq, stored.tip_seq, stored.message_count) == (2, 2, 2)
    assert active_texts(chat) == ["Hi\nthere", "Hello"]


def test_an_empty_conversation_is_a_new_chat(alice: User) -> None:
    chat, _ = create(alice)
    assert chat.title == f"New Chat {datetime.now(UTC):%Y-%m-%d}"
    assert (chat.last_seq, chat.tip_seq, chat.message_count, chat.preview) == (0, None, 0, "")


def test_a_title_that_was_given_stays(alice: User) -> None:
    chat, _ = create(alice, "Hi", title="Mine")
    assert (chat.title, chat.title_is_auto) == ("Mine", False)


def test_a_message_that_says_nothing_takes_the_conversation_back(alice: User) -> None:
    with pytest.raises(Invalid):
        conversations.create(user=alice, fields={}, drafts=[message_draft("Hi"), message_draft(None)])
    assert not Conversation.objects.exists()


@pytest.mark.parametrize("length", [1, 300])
def test_a_conversation_costs_the_same_with_one_message_or_many(alice: User, length: int) -> None:
    with statements() as asked:
        create(alice, *map(str, range(length)))
    assert asked == ["SELECT", "INSERT", "INSERT"]


# The same request again.


def test_a_conversation_sent_twice_is_stored_once(alice: User) -> None:
    first, was_new = create(alice, "Hi", "Hello", external_id="x", tags=["a"])
    second, is_new = create(alice, "Hi", "Hello", tags=["a"], external_id="x")
    assert (first, was_new, is_new) == (second, True, False)
    assert active_texts(first) == ["Hi", "Hello"]


def test_a_retry_after_an_edit_is_still_a_retry(alice: User) -> None:
    chat, _ = create(alice, "Hi", external_id="x", title="Mine")
    conversations.update(user=alice, conversation_id=chat.id, changes={"title": "Changed"})
    messages.append(user=alice, conversation_id=chat.id, drafts=[message_draft("more")])
    again, is_new = create(alice, "Hi", external_id="x", title="Mine")
    assert (again.title, is_new) == ("Changed", False)


@pytest.mark.parametrize(("texts", "fields"), [(["Hi"], {"title": "Other"}), (["Ho"], {}), (["Hi", "Hello"], {})])
def test_the_id_of_another_conversation_is_a_conflict(alice: User, texts: list[str], fields: dict[str, str]) -> None:
    chat, _ = create(alice, "Hi", external_id="x")
    before = stored_rows(chat)
    with pytest.raises(Conflict) as refused:
        create(alice, *texts, external_id="x", **fields)
    assert refused.value.field == "external_id"
    assert stored_rows(chat) == before
    assert Conversation.objects.count() == 1


def test_two_people_may_use_one_id(alice: User, bob: User) -> None:
    assert create(alice, "Hi", external_id="x")[0] != create(bob, "Hi", external_id="x")[0]


# Changed.


def test_a_change_moves_the_time_of_change_and_not_that_of_activity(alice: User) -> None:
    chat, _ = create(alice, "Hi")
    changed = conversations.update(user=alice, conversation_id=chat.id, changes={"title": "Mine", "tags": ["a"]})
    stored = Conversation.objects.get()
    assert (stored.title, stored.title_is_auto, stored.tags) == ("Mine", False, ["a"])
    assert stored.updated_at == changed.updated_at > chat.updated_at
    assert stored.active_at == chat.active_at


def test_the_archive_keeps_the_date_of_the_first_time(alice: User) -> None:
    chat, _ = create(alice)

    def archive(is_archived: bool) -> datetime | None:
        changes = {"is_archived": is_archived}
        return conversations.update(user=alice, conversation_id=chat.id, changes=changes).archived_at

    first = archive(True)
    assert first is not None
    assert (archive(True), archive(False)) == (first, None)
    assert archive(True) != first


# Trashed and restored.


def test_a_conversation_comes_back_from_the_trash_as_it_was(alice: User) -> None:
    chat = create_conversation(alice, "Hi", "Hello")
    before = stored_rows(chat)[1:]
    conversations.trash(user=alice, conversation_id=chat.id)
    assert not Conversation.objects.live().exists()
    restored = conversations.restore(user=alice, conversation_id=chat.id)
    assert restored.deleted_at is None
    assert stored_rows(chat)[1:] == before


def test_what_is_not_in_the_trash_cannot_be_restored_and_what_is_cannot_be_trashed(alice: User) -> None:
    chat = create_conversation(alice)
    with pytest.raises(NotFound):
        conversations.restore(user=alice, conversation_id=chat.id)
    conversations.trash(user=alice, conversation_id=chat.id)
    with pytest.raises(NotFound):
        conversations.trash(user=alice, conversation_id=chat.id)


def test_an_id_is_free_again_when_its_conversation_is_in_the_trash(alice: User) -> None:
    old = create_conversation(alice, external_id="x")
    conversations.trash(user=alice, conversation_id=old.id)
    new, is_new = create(alice, external_id="x")
    assert is_new
    with pytest.raises(Conflict):
        conversations.restore(user=alice, conversation_id=old.id)
    conversations.trash(user=alice, conversation_id=new.id)
    conversations.restore(user=alice, conversation_id=old.id)


@pytest.mark.django_db(transaction=True)
def test_a_restore_that_meets_its_id_being_taken_is_a_conflict(alice: User) -> None:
    old = create_conversation(alice, external_id="x")
    conversations.trash(user=alice, conversation_id=old.id)
    with pytest.raises(Conflict):
        run_while_locked(
            lambda: create(alice, external_id="x"),
            lambda: conversations.restore(user=alice, conversation_id=old.id),
        )


def test_a_message_of_a_trashed_conversation_is_out_of_reach(alice: User) -> None:
    chat = create_conversation(alice, "Hi")
    conversations.trash(user=alice, conversation_id=chat.id)
    with pytest.raises(NotFound):
        messages.trash(user=alice, message_id=message_with_text(chat, "Hi").id)
