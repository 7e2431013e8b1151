"""Database constraints reject invalid rows from every writer, not only from the services."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F, ProtectedError
from django.utils import timezone

from accounts.models import User
from conversations.models import Conversation, Message, Reaction
from testing.cast import create_conversation


@pytest.fixture
def chat(alice: User) -> Conversation:
    return create_conversation(alice, "Hi", "Hello", "How are you?")


def insert(chat: Conversation, **fields: Any) -> Message:
    """Insert a valid message with these fields changed. After an error, the test's transaction can continue."""
    now = timezone.now()
    usual = {"conversation": chat, "user": chat.user, "seq": 4, "parent_seq": 3, "role": "user", "content": "x"}
    with transaction.atomic():
        return Message.objects.create(**{**usual, "created_at": now, "updated_at": now, **fields})


def change(rows: Any, **fields: Any) -> None:
    with transaction.atomic():
        rows.update(**fields)


def test_a_valid_message_is_accepted(chat: Conversation) -> None:
    insert(chat)


@pytest.mark.parametrize("parent_seq", [4, 5])
def test_the_parent_of_a_message_is_an_earlier_message(chat: Conversation, parent_seq: int) -> None:
    insert(chat, seq=5, parent_seq=3)
    with pytest.raises(IntegrityError, match="message_parent"):
        insert(chat, parent_seq=parent_seq)


def test_an_update_cannot_make_a_cycle(chat: Conversation) -> None:
    with pytest.raises(IntegrityError, match="message_parent_before"):
        change(chat.messages.filter(seq=1), parent_seq=3)


def test_the_parent_of_a_message_is_in_the_same_conversation(chat: Conversation) -> None:
    other = create_conversation(chat.user)
    with pytest.raises(IntegrityError, match="message_parent"):
        insert(other, seq=4, parent_seq=3)
    with pytest.raises(IntegrityError, match="message_parent"):
        change(chat.messages.filter(seq=3), conversation=other)


def test_a_message_has_the_owner_of_its_conversation(chat: Conversation, bob: User) -> None:
    with pytest.raises(IntegrityError, match="message_owner"):
        insert(chat, user=bob)
    with pytest.raises(IntegrityError, match="message_owner"):
        change(chat.messages.filter(seq=3), user=bob)
    with pytest.raises(IntegrityError, match="message_owner"):
        change(Conversation.objects.filter(id=chat.id), user=bob)


@pytest.mark.parametrize("seq", [0, -1])
def test_seq_is_at_least_one(chat: Conversation, seq: int) -> None:
    with pytest.raises(IntegrityError, match="message_seq_positive"):
        insert(chat, seq=seq, parent_seq=None)


def test_two_messages_cannot_have_the_same_seq(chat: Conversation) -> None:
    with pytest.raises(IntegrityError, match="message_seq"):
        insert(chat, seq=3, parent_seq=2)


def test_two_live_messages_cannot_have_the_same_external_id(chat: Conversation) -> None:
    insert(chat, external_id="x")
    with pytest.raises(IntegrityError, match="message_external_id"):
        insert(chat, seq=5, external_id="x")
    change(chat.messages.filter(seq=4), deleted_at=timezone.now())
    insert(chat, seq=5, external_id="x")
    with pytest.raises(IntegrityError, match="message_external_id"):
        change(chat.messages.filter(seq=4), deleted_at=None)


def test_two_live_conversations_of_a_user_cannot_have_the_same_external_id(alice: User, bob: User) -> None:
    first, second = create_conversation(alice, external_id="x"), create_conversation(alice)
    with pytest.raises(IntegrityError, match="conversation_external_id"):
        change(Conversation.objects.filter(id=second.id), external_id="x")
    create_conversation(bob, external_id="x")
    change(Conversation.objects.filter(id=first.id), deleted_at=timezone.now())
    change(Conversation.objects.filter(id=second.id), external_id="x")


def test_a_message_cannot_be_empty(chat: Conversation) -> None:
    with pytest.raises(IntegrityError, match="message_says_something"):
        insert(chat, content=None)
    for seq, fields_of_row in enumerate([{"content": ""}, {"parts": []}, {"tool_calls": []}], start=4):
        insert(chat, seq=seq, **{"content": None, **fields_of_row})


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"message_count": -1}, "conversation_message_count"),
        ({"message_count": F("last_seq") + 1}, "conversation_message_count"),
        ({"tip_seq": F("last_seq") + 1}, "conversation_tip"),
    ],
)
def test_counters_cannot_leave_their_range(chat: Conversation, fields: dict[str, Any], name: str) -> None:
    with pytest.raises(IntegrityError, match=name):
        change(Conversation.objects.filter(id=chat.id), **fields)


def test_a_row_that_others_refer_to_cannot_be_deleted(chat: Conversation) -> None:
    with pytest.raises(ProtectedError):
        chat.delete()
    with pytest.raises(ProtectedError):
        chat.user.delete()
    with pytest.raises(IntegrityError, match="message_parent"), transaction.atomic():
        chat.messages.filter(seq=1).delete()


def test_a_message_has_one_reaction_of_each_type(chat: Conversation) -> None:
    fields_of_row = {"message": chat.messages.get(seq=1), "user": chat.user, "type": "like"}
    Reaction.objects.create(**fields_of_row)
    with pytest.raises(IntegrityError, match="reaction_once"), transaction.atomic():
        Reaction.objects.create(**fields_of_row)
