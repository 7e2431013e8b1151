"""What the database refuses by itself, whoever writes."""

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
    """With everything in order, but for `fields`. Checked at once, the keys of two columns too."""
    now = timezone.now()
    usual = {"conversation": chat, "user": chat.user, "seq": 4, "parent_seq": 3, "role": "user", "content": "x"}
    with transaction.atomic():
        return Message.objects.create(**{**usual, "created_at": now, "updated_at": now, **fields})


def change(rows: Any, **fields: Any) -> None:
    with transaction.atomic():
        rows.update(**fields)


def test_a_message_in_order_is_accepted(chat: Conversation) -> None:
    insert(chat)


@pytest.mark.parametrize("parent_seq", [4, 5])
def test_a_message_does_not_answer_itself_or_a_later_one(chat: Conversation, parent_seq: int) -> None:
    insert(chat, seq=5, parent_seq=3)
    with pytest.raises(IntegrityError, match="message_parent"):
        insert(chat, parent_seq=parent_seq)


def test_no_change_makes_a_cycle(chat: Conversation) -> None:
    with pytest.raises(IntegrityError, match="message_parent_before"):
        change(chat.messages.filter(seq=1), parent_seq=3)


def test_a_message_answers_one_of_its_own_conversation(chat: Conversation) -> None:
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
def test_seq_begins_with_one(chat: Conversation, seq: int) -> None:
    with pytest.raises(IntegrityError, match="message_seq_positive"):
        insert(chat, seq=seq, parent_seq=None)


def test_no_two_messages_have_one_seq(chat: Conversation) -> None:
    with pytest.raises(IntegrityError, match="message_seq"):
        insert(chat, seq=3, parent_seq=2)


def test_no_two_live_messages_have_one_client_id(chat: Conversation) -> None:
    insert(chat, external_id="x")
    with pytest.raises(IntegrityError, match="message_external_id"):
        insert(chat, seq=5, external_id="x")
    change(chat.messages.filter(seq=4), deleted_at=timezone.now())
    insert(chat, seq=5, external_id="x")
    with pytest.raises(IntegrityError, match="message_external_id"):
        change(chat.messages.filter(seq=4), deleted_at=None)


def test_no_two_live_conversations_of_a_user_have_one_client_id(alice: User, bob: User) -> None:
    first, second = create_conversation(alice, external_id="x"), create_conversation(alice)
    with pytest.raises(IntegrityError, match="conversation_external_id"):
        change(Conversation.objects.filter(id=second.id), external_id="x")
    create_conversation(bob, external_id="x")
    change(Conversation.objects.filter(id=first.id), deleted_at=timezone.now())
    change(Conversation.objects.filter(id=second.id), external_id="x")


def test_a_message_says_something(chat: Conversation) -> None:
    with pytest.raises(IntegrityError, match="message_says_something"):
        insert(chat, content=None)
    for seq, said in enumerate([{"content": ""}, {"parts": []}, {"tool_calls": []}], start=4):
        insert(chat, seq=seq, **{"content": None, **said})


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"message_count": -1}, "conversation_message_count"),
        ({"message_count": F("last_seq") + 1}, "conversation_message_count"),
        ({"tip_seq": F("last_seq") + 1}, "conversation_tip"),
    ],
)
def test_counters_stay_within_what_there_is(chat: Conversation, fields: dict[str, Any], name: str) -> None:
    with pytest.raises(IntegrityError, match=name):
        change(Conversation.objects.filter(id=chat.id), **fields)


def test_nothing_goes_while_something_hangs_on_it(chat: Conversation) -> None:
    with pytest.raises(ProtectedError):
        chat.delete()
    with pytest.raises(ProtectedError):
        chat.user.delete()
    with pytest.raises(IntegrityError, match="message_parent"), transaction.atomic():
        chat.messages.filter(seq=1).delete()


def test_a_reaction_of_one_kind_is_there_once(chat: Conversation) -> None:
    said = {"message": chat.messages.get(seq=1), "user": chat.user, "type": "like"}
    Reaction.objects.create(**said)
    with pytest.raises(IntegrityError, match="reaction_once"), transaction.atomic():
        Reaction.objects.create(**said)
