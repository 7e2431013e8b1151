"""A legal hold on a user or a conversation stops every way to delete what it covers."""

from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts.models import User
from accounts.services import managed_user
from chatstore.errors import NotFound, OnHold
from conversations.core.holds import HELD
from conversations.models import Conversation, Hold, Message, Reaction
from conversations.querysets import PURGING
from conversations.services import conversations, erase, holds, messages, reactions, retention
from testing.api_client import PASSWORD, ApiClient, create_user
from testing.cast import active_texts, create_conversation, message_with_text, stored_rows
from testing.parallel import repeat, run_concurrently, run_while_locked

LONG_AGO = timedelta(days=100)
KINDS = ("user", "conversation")


def hold(chat: Conversation, kind: str = "conversation") -> Hold:
    conversation_id = chat.id if kind == "conversation" else None
    return holds.place(user=chat.user, conversation_id=conversation_id, reason="Case 7", by=chat.user)


def release(placed: Hold) -> None:
    holds.release(hold=placed, reason="The case is closed", by=placed.user)


def age(*rows: Any) -> None:
    for row in rows:
        type(row).objects.filter(pk=row.pk).update(deleted_at=timezone.now() - LONG_AGO)


@pytest.fixture
def chat(alice: User) -> Conversation:
    return create_conversation(alice, "Hi", "Hello")


# --- Over HTTP --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_user_cannot_delete_a_conversation_on_hold_permanently(
    kind: str, chat: Conversation, as_alice: ApiClient
) -> None:
    placed, before = hold(chat, kind), stored_rows(chat)
    body = as_alice("DELETE", f"conversations/{chat.id}/?permanent=true", status=409)
    assert body["error"]["code"] == "on_hold"
    assert "Case" not in as_alice.text, "nothing says why"
    assert stored_rows(chat) == before
    release(placed)
    as_alice("DELETE", f"conversations/{chat.id}/?permanent=true", status=204)
    assert stored_rows(chat) == []


def test_a_conversation_on_hold_can_go_to_the_trash_and_be_restored(chat: Conversation, as_alice: ApiClient) -> None:
    hold(chat)
    as_alice("DELETE", f"conversations/{chat.id}/", status=204)
    as_alice("POST", f"conversations/{chat.id}/restore/")
    assert active_texts(chat) == ["Hi", "Hello"]


def test_a_conversation_on_hold_in_the_trash_cannot_be_deleted_permanently(
    chat: Conversation, as_alice: ApiClient
) -> None:
    hold(chat)
    as_alice("DELETE", f"conversations/{chat.id}/", status=204)
    as_alice("DELETE", f"conversations/{chat.id}/?permanent=true", status=409)
    assert Conversation.objects.trashed().get() == chat


def test_a_hold_on_a_conversation_does_not_stop_the_deletion_of_another_one(
    chat: Conversation, alice: User, as_alice: ApiClient
) -> None:
    hold(chat)
    other = create_conversation(alice, "Other")
    as_alice("DELETE", f"conversations/{other.id}/?permanent=true", status=204)


@pytest.mark.parametrize("kind", KINDS)
def test_a_user_on_hold_cannot_erase_the_account_and_stays_active(
    kind: str, chat: Conversation, as_alice: ApiClient
) -> None:
    placed = hold(chat, kind)
    before = list(User.objects.values())
    body = as_alice("DELETE", "me/", {"password": PASSWORD}, status=409)
    assert body["error"]["code"] == "on_hold"
    assert list(User.objects.values()) == before
    assert active_texts(chat) == ["Hi", "Hello"]
    release(placed)
    assert as_alice("DELETE", "me/", {"password": PASSWORD})["messages"] == 2


def test_the_owner_sees_nothing_of_a_hold_in_the_conversation(chat: Conversation, as_alice: ApiClient) -> None:
    before = as_alice("GET", f"conversations/{chat.id}/")
    hold(chat)
    assert as_alice("GET", f"conversations/{chat.id}/") == before


# --- Erasure ----------------------------------------------------------------------------------------------------------


def test_a_hold_on_a_managed_user_stops_the_erasure_of_its_manager(back_end: User) -> None:
    child, sibling = (managed_user(manager=back_end, external_id=name) for name in ("child", "sibling"))
    placed = hold(create_conversation(child, "Hi"), "user")
    before = list(User.objects.order_by("id").values())
    with pytest.raises(OnHold):
        erase.erase(user=back_end)
    assert list(User.objects.order_by("id").values()) == before
    erase.erase(user=sibling)
    release(placed)
    assert erase.erase(user=back_end)["users"] == 2


@pytest.mark.parametrize("kind", KINDS)
def test_housekeeping_does_not_resume_the_erasure_of_a_user_on_hold(kind: str, chat: Conversation, bob: User) -> None:
    User.objects.update(erasing_at=timezone.now() - LONG_AGO, is_active=False)
    placed = hold(chat, kind)
    assert retention.housekeep()["users"] == 1, "Bob is not on hold"
    assert active_texts(chat) == ["Hi", "Hello"]
    release(placed)
    assert retention.housekeep()["users"] == 1
    assert not User.objects.exists()


# --- Housekeeping -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_housekeeping_keeps_a_conversation_on_hold_in_the_trash(kind: str, chat: Conversation) -> None:
    placed = hold(chat, kind)
    age(chat)
    assert retention.housekeep()["conversations"] == 0
    assert chat.messages.count() == 2
    release(placed)
    assert retention.housekeep()["conversations"] == 1


def test_conversations_on_hold_do_not_keep_housekeeping_from_others(
    chat: Conversation, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "CONVERSATIONS_PER_RUN", 1)
    hold(chat)
    age(chat)
    other = create_conversation(alice, "Other")
    Conversation.objects.filter(pk=other.pk).update(deleted_at=timezone.now() - LONG_AGO / 2)
    assert retention.housekeep()["conversations"] == 1
    assert Conversation.objects.get() == chat


@pytest.mark.parametrize("kind", KINDS)
def test_housekeeping_does_not_forget_a_trashed_message_on_hold(kind: str, chat: Conversation, bob: User) -> None:
    placed = hold(chat, kind)
    other = create_conversation(bob, "Secret")
    for each in (message_with_text(chat, "Hello"), message_with_text(other, "Secret")):
        reactions.react(user=each.user, message_id=each.id, type="like")
        messages.trash(user=each.user, message_id=each.id)
        age(each)
    assert retention.housekeep()["messages"] == 1
    assert message_with_text(chat, "Hello").reactions.count() == 1
    release(placed)
    assert retention.housekeep()["messages"] == 1
    assert not Reaction.objects.exists()


def test_housekeeping_does_not_finish_the_purge_of_a_conversation_that_was_put_on_hold(chat: Conversation) -> None:
    Conversation.objects.update(deleted_at=PURGING)
    hold(chat)
    assert retention.housekeep()["conversations"] == 0
    assert chat.messages.count() == 2


def test_a_conversation_on_hold_that_keep_conversations_trashes_stays_in_the_trash(
    chat: Conversation, settings: Any
) -> None:
    settings.KEEP_CONVERSATIONS = 1
    hold(chat)
    create_conversation(chat.user, "New")
    conversations.keep_latest(user=chat.user)
    assert Conversation.objects.trashed().get() == chat
    age(chat)
    retention.housekeep()
    assert chat.messages.count() == 2


# --- Release ----------------------------------------------------------------------------------------------------------


def test_each_of_two_holds_must_be_released(chat: Conversation) -> None:
    first, second = hold(chat), hold(chat, "user")
    release(first)
    with pytest.raises(OnHold):
        conversations.purge(user=chat.user, conversation_id=chat.id)
    release(second)
    conversations.purge(user=chat.user, conversation_id=chat.id)


def test_a_hold_is_released_once(chat: Conversation) -> None:
    placed = hold(chat)
    release(placed)
    with pytest.raises(NotFound):
        release(placed)


@pytest.mark.parametrize("kind", KINDS)
def test_an_erasure_after_the_release_deletes_the_hold_and_its_reason(kind: str, chat: Conversation) -> None:
    release(hold(chat, kind))
    erase.erase(user=chat.user)
    assert not Hold.objects.exists()


def test_a_hold_cannot_be_placed_on_a_conversation_of_another_user(chat: Conversation, bob: User) -> None:
    with pytest.raises(NotFound):
        holds.place(user=bob, conversation_id=chat.id, reason="Case 7", by=bob)


def test_a_hold_cannot_be_placed_on_a_deleted_user(bob: User) -> None:
    gone = create_user("Gone")
    User.objects.filter(pk=gone.pk).delete()
    gone.pk = gone.id = create_user("Other").pk
    User.objects.filter(pk=gone.pk).delete()
    with pytest.raises(NotFound):
        holds.place(user=gone, reason="Case 7", by=bob)


# --- The database is the last guard -----------------------------------------------------------------------------------


DELETIONS = {
    "a message": "DELETE FROM message",
    "the content of a message": "UPDATE message SET deleted_at = '1970-01-01Z', content = ''",
    "a conversation": "DELETE FROM message WHERE false; DELETE FROM conversation",
    "the mark of a purge": "UPDATE conversation SET deleted_at = '1970-01-01Z'",
    "a user": "DELETE FROM account",
    "the mark of an erasure": "UPDATE account SET erasing_at = now()",
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("what", DELETIONS)
def test_the_database_refuses_to_delete(what: str, kind: str, chat: Conversation) -> None:
    hold(chat, kind)
    with pytest.raises(DatabaseError) as refusal, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(DELETIONS[what])
    assert refusal.value.__cause__.sqlstate == HELD  # type: ignore[union-attr]


# --- Races ------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", KINDS)
def test_a_hold_waits_for_a_deletion_that_has_not_committed(kind: str, chat: Conversation) -> None:
    def delete() -> None:
        Message.objects.filter(conversation=chat, seq=2).delete()

    run_while_locked(delete, partial(hold, chat, kind))
    with pytest.raises(OnHold):
        conversations.purge(user=chat.user, conversation_id=chat.id)
    assert chat.messages.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", KINDS)
def test_a_purge_waits_for_a_hold_that_has_not_committed_and_is_refused(kind: str, chat: Conversation) -> None:
    purge = partial(conversations.purge, user=chat.user, conversation_id=chat.id)
    with pytest.raises(OnHold):
        run_while_locked(partial(hold, chat, kind), purge)
    assert active_texts(chat) == ["Hi", "Hello"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", KINDS)
def test_an_erasure_waits_for_a_hold_that_has_not_committed_and_changes_nothing(kind: str, chat: Conversation) -> None:
    with pytest.raises(OnHold):
        run_while_locked(partial(hold, chat, kind), partial(erase.erase, user=chat.user))
    chat.user.refresh_from_db()
    assert (chat.user.is_active, chat.user.erasing_at) == (True, None)


@pytest.mark.django_db(transaction=True)
def test_a_hold_cannot_be_placed_on_a_conversation_that_is_deleted_meanwhile(chat: Conversation) -> None:
    chat.messages.all().delete()
    with pytest.raises(NotFound):
        run_while_locked(Conversation.objects.filter(pk=chat.pk).delete, partial(hold, chat))


@pytest.mark.django_db(transaction=True)
def test_nothing_is_deleted_after_a_hold_that_was_placed_during_purges(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversations, "PURGE_BATCH", 2)
    chat = create_conversation(alice, *map(str, range(100)))
    left = []

    def purge(number: int) -> None:
        with suppress(OnHold, NotFound):
            conversations.purge(user=alice, conversation_id=chat.id)

    def place() -> None:
        try:
            hold(chat)
        except NotFound:
            return
        left.append(chat.messages.count())

    run_concurrently(*repeat(3, purge), place)
    assert not left or chat.messages.count() == left[0]
