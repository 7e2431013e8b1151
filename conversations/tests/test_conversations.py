"""Creating, updating, trashing and restoring conversations."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.models import User
from chatstore.errors import Conflict, Invalid, NotFound
from conversations.drafts import ConversationTree
from conversations.models import Conversation
from conversations.services import conversations, messages
from testing.cast import active_texts, create_conversation, dialogue, message_draft, message_with_text, stored_rows
from testing.parallel import run_while_locked
from testing.statements import executed_statements


def create(user: User, *texts: str, **fields: Any) -> tuple[Conversation, bool]:
    return conversations.create(user=user, fields=fields, drafts=dialogue(*texts))


# Creation


def test_a_conversation_is_stored_with_its_messages(alice: User) -> None:
    chat, is_new = create(alice, "Hi\nthere", "Hello", model="m", tags=["a"], metadata={"b": 1}, is_pinned=True)
    assert is_new
    stored = Conversation.objects.get()
    assert (stored.user, stored.title, stored.title_is_auto, stored.preview) == (alice, "Hi", True, "Hello")
    assert (stored.model, stored.tags, stored.metadata, stored.is_pinned) == ("m", ["a"], {"b": 1}, True)
    assert (stored.last_seq, stored.tip_seq, stored.message_count) == (2, 2, 2)
    assert active_texts(chat) == ["Hi\nthere", "Hello"]


def test_the_title_of_an_empty_conversation_is_new_chat_and_the_date(alice: User) -> None:
    chat, _ = create(alice)
    assert chat.title == f"New Chat {datetime.now(UTC):%Y-%m-%d}"
    assert (chat.last_seq, chat.tip_seq, chat.message_count, chat.preview) == (0, None, 0, "")


def test_a_title_given_by_the_client_is_kept(alice: User) -> None:
    chat, _ = create(alice, "Hi", title="Mine")
    assert (chat.title, chat.title_is_auto) == ("Mine", False)


def test_an_empty_message_rolls_back_the_conversation(alice: User) -> None:
    with pytest.raises(Invalid):
        conversations.create(user=alice, fields={}, drafts=[message_draft("Hi"), message_draft(None)])
    assert not Conversation.objects.exists()


@pytest.mark.parametrize("length", [1, 300])
def test_creation_runs_the_same_statements_for_one_message_and_many(alice: User, length: int) -> None:
    with executed_statements() as statements:
        create(alice, *map(str, range(length)))
    assert statements == ["SELECT", "INSERT", "COPY"]


def trees_of(*names: str) -> list[ConversationTree]:
    return [ConversationTree({"external_id": name}, dialogue("Hi", f"I am {name}"), None) for name in names]


@pytest.mark.parametrize("count", [1, 50])
def test_several_conversations_are_stored_by_the_statements_of_one(alice: User, count: int) -> None:
    names = [str(number) for number in range(count)]
    with executed_statements() as statements:
        conversations.create_all(user=alice, trees=trees_of(*names))
    assert statements == ["SELECT", "SELECT", "COPY", "COPY"]
    stored = {chat.external_id: active_texts(chat) for chat in Conversation.objects.owned_by(alice)}
    assert stored == {name: ["Hi", f"I am {name}"] for name in names}


def test_several_conversations_are_stored_all_or_none(alice: User, bob: User) -> None:
    chat, _ = create(alice, "Hi", external_id="x")
    before = stored_rows(chat)
    invalid = ConversationTree({"external_id": "c"}, [message_draft(None)], None)
    for trees, error in (
        (trees_of("a", "x"), Conflict),
        (trees_of("a", str(chat.id)), Conflict),
        ([*trees_of("a"), invalid], Invalid),
        (trees_of("a", "b", "a"), IntegrityError),
    ):
        with pytest.raises(error), transaction.atomic():
            conversations.create_all(user=alice, trees=trees)
        assert Conversation.objects.get() == chat and stored_rows(chat) == before
    conversations.create_all(user=bob, trees=trees_of("x"))


# Retries


def test_a_conversation_sent_twice_is_stored_once(alice: User) -> None:
    first, was_new = create(alice, "Hi", "Hello", external_id="x", tags=["a"])
    second, is_new = create(alice, "Hi", "Hello", tags=["a"], external_id="x")
    assert (first, was_new, is_new) == (second, True, False)
    assert active_texts(first) == ["Hi", "Hello"]


def test_a_retry_is_recognized_after_the_conversation_was_edited(alice: User) -> None:
    chat, _ = create(alice, "Hi", external_id="x", title="Mine")
    conversations.update(user=alice, conversation_id=chat.id, changes={"title": "Changed"})
    messages.append(user=alice, conversation_id=chat.id, drafts=[message_draft("more")])
    stored, is_new = create(alice, "Hi", external_id="x", title="Mine")
    assert (stored.title, is_new) == ("Changed", False)


@pytest.mark.parametrize(("texts", "fields"), [(["Hi"], {"title": "Other"}), (["Ho"], {}), (["Hi", "Hello"], {})])
def test_the_id_of_a_different_conversation_is_a_conflict(
    alice: User, texts: list[str], fields: dict[str, str]
) -> None:
    chat, _ = create(alice, "Hi", external_id="x")
    before = stored_rows(chat)
    with pytest.raises(Conflict) as refused:
        create(alice, *texts, external_id="x", **fields)
    assert refused.value.field == "external_id"
    assert stored_rows(chat) == before
    assert Conversation.objects.count() == 1


def test_two_users_can_use_the_same_external_id(alice: User, bob: User) -> None:
    assert create(alice, "Hi", external_id="x")[0] != create(bob, "Hi", external_id="x")[0]


# Updates


def test_an_update_changes_updated_at_and_not_active_at(alice: User) -> None:
    chat, _ = create(alice, "Hi")
    changed = conversations.update(user=alice, conversation_id=chat.id, changes={"title": "Mine", "tags": ["a"]})
    stored = Conversation.objects.get()
    assert (stored.title, stored.title_is_auto, stored.tags) == ("Mine", False, ["a"])
    assert stored.updated_at == changed.updated_at > chat.updated_at
    assert stored.active_at == chat.active_at


def test_archiving_twice_keeps_the_first_date(alice: User) -> None:
    chat, _ = create(alice)

    def archive(is_archived: bool) -> datetime | None:
        changes = {"is_archived": is_archived}
        return conversations.update(user=alice, conversation_id=chat.id, changes=changes).archived_at

    first = archive(True)
    assert first is not None
    assert (archive(True), archive(False)) == (first, None)
    assert archive(True) != first


# Trash and restore


def test_the_messages_of_a_restored_conversation_are_unchanged(alice: User) -> None:
    chat = create_conversation(alice, "Hi", "Hello")
    before = stored_rows(chat)[1:]
    conversations.trash(user=alice, conversation_id=chat.id)
    assert not Conversation.objects.live().exists()
    restored = conversations.restore(user=alice, conversation_id=chat.id)
    assert restored.deleted_at is None
    assert stored_rows(chat)[1:] == before


def test_a_live_conversation_cannot_be_restored_and_a_trashed_one_cannot_be_trashed(alice: User) -> None:
    chat = create_conversation(alice)
    with pytest.raises(NotFound):
        conversations.restore(user=alice, conversation_id=chat.id)
    conversations.trash(user=alice, conversation_id=chat.id)
    with pytest.raises(NotFound):
        conversations.trash(user=alice, conversation_id=chat.id)


def test_the_external_id_of_a_trashed_conversation_can_be_used_again(alice: User) -> None:
    old = create_conversation(alice, external_id="x")
    conversations.trash(user=alice, conversation_id=old.id)
    new, is_new = create(alice, external_id="x")
    assert is_new
    with pytest.raises(Conflict):
        conversations.restore(user=alice, conversation_id=old.id)
    conversations.trash(user=alice, conversation_id=new.id)
    conversations.restore(user=alice, conversation_id=old.id)


def test_a_restore_is_a_conflict_if_the_external_id_is_the_id_of_a_live_conversation(alice: User) -> None:
    other = create_conversation(alice)
    conversations.trash(user=alice, conversation_id=other.id)
    named_like_other, _ = create(alice, external_id=str(other.id))
    conversations.trash(user=alice, conversation_id=named_like_other.id)
    conversations.restore(user=alice, conversation_id=other.id)
    with pytest.raises(Conflict):
        conversations.restore(user=alice, conversation_id=named_like_other.id)


@pytest.mark.django_db(transaction=True)
def test_a_restore_is_a_conflict_if_a_concurrent_request_takes_the_external_id(alice: User) -> None:
    old = create_conversation(alice, external_id="x")
    conversations.trash(user=alice, conversation_id=old.id)
    with pytest.raises(Conflict):
        run_while_locked(
            lambda: create(alice, external_id="x"),
            lambda: conversations.restore(user=alice, conversation_id=old.id),
        )


def test_messages_of_a_trashed_conversation_are_not_found(alice: User) -> None:
    chat = create_conversation(alice, "Hi")
    conversations.trash(user=alice, conversation_id=chat.id)
    with pytest.raises(NotFound):
        messages.trash(user=alice, message_id=message_with_text(chat, "Hi").id)
