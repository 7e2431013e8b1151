"""Housekeeping purges conversations and forgets messages after TRASH_DAYS in the trash, and not before."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from accounts.models import Idempotency, User
from chatstore.errors import NotFound
from conversations.models import Conversation, Message, Reaction
from conversations.querysets import PURGING
from conversations.services import conversations, messages, reactions, retention
from conversations.services.sync import sync
from testing.cast import active_texts, create_conversation, dialogue, message_with_text

LONG_AGO = timedelta(days=31)


def age(row: Any, by: timedelta = LONG_AGO) -> None:
    type(row).objects.filter(pk=row.pk).update(deleted_at=timezone.now() - by)


def test_a_trashed_conversation_is_purged_after_trash_days_and_not_before(alice: User) -> None:
    old, new = create_conversation(alice, "old", "yes"), create_conversation(alice, "new")
    for row in (old, new):
        conversations.trash(user=alice, conversation_id=row.id)
    age(old)
    assert retention.housekeep()["conversations"] == 1
    assert list(Conversation.objects.all()) == [new]
    assert not Message.objects.filter(conversation_id=old.id).exists()


def test_a_live_conversation_of_any_age_is_kept(alice: User) -> None:
    kept = create_conversation(alice, "kept")
    Conversation.objects.update(created_at=timezone.now() - 10 * LONG_AGO, active_at=timezone.now() - 10 * LONG_AGO)
    assert set(retention.housekeep().values()) == {0}
    assert active_texts(kept) == ["kept"]


def test_a_forgotten_message_has_no_content_and_keeps_its_place_in_the_tree(alice: User) -> None:
    conversation = create_conversation(alice, "question", "secret", "thanks")
    secret = message_with_text(conversation, "secret")
    reactions.react(user=alice, message_id=secret.id, type="like")
    messages.trash(user=alice, message_id=secret.id)
    age(secret)
    assert retention.housekeep()["messages"] == 1
    secret.refresh_from_db()
    assert (secret.content, secret.seq, secret.deleted_at) == ("", 2, PURGING)
    assert not Reaction.objects.exists()
    assert active_texts(conversation) == ["question", "thanks"]


def test_a_forgotten_message_cannot_be_restored_and_is_not_forgotten_again(alice: User) -> None:
    conversation = create_conversation(alice, "question", "secret")
    secret = message_with_text(conversation, "secret")
    messages.trash(user=alice, message_id=secret.id)
    age(secret)
    retention.housekeep()
    with pytest.raises(NotFound):
        messages.restore(user=alice, message_id=secret.id)
    assert retention.housekeep()["messages"] == 0


def test_a_sync_of_the_history_without_a_forgotten_message_stores_no_message(alice: User) -> None:
    conversation = create_conversation(alice, "question", "secret", "thanks")
    secret = message_with_text(conversation, "secret")
    messages.trash(user=alice, message_id=secret.id)
    age(secret)
    retention.housekeep()
    before = Message.objects.count()
    drafts = [dialogue("question")[0], dialogue("thanks")[0]]
    sync(user=alice, conversation_id=conversation.id, drafts=drafts)
    assert Message.objects.count() == before
    assert active_texts(conversation) == ["question", "thanks"]


def test_housekeeping_finishes_an_interrupted_purge(alice: User) -> None:
    conversation = create_conversation(alice, "question", "answer")
    Conversation.objects.update(deleted_at=PURGING)
    assert retention.housekeep()["conversations"] == 1
    assert not Conversation.objects.filter(id=conversation.id).exists()


def test_a_purge_with_trashed_before_keeps_a_conversation_that_was_trashed_later(alice: User) -> None:
    conversation = create_conversation(alice, "question")
    conversations.trash(user=alice, conversation_id=conversation.id)
    with pytest.raises(NotFound):
        conversations.purge(
            user=alice, conversation_id=conversation.id, trashed_before=timezone.now() - timedelta(days=30)
        )
    assert conversations.restore(user=alice, conversation_id=conversation.id).deleted_at is None


def test_an_idempotency_key_is_kept_for_a_day(alice: User) -> None:
    for key, age_of_key in (("new", timedelta(hours=23)), ("old", timedelta(hours=25))):
        Idempotency.objects.create(user=alice, key=key, fingerprint=b"", result=[])
        Idempotency.objects.filter(key=key).update(created_at=timezone.now() - age_of_key)
    assert retention.housekeep()["idempotency_keys"] == 1
    assert [row.key for row in Idempotency.objects.all()] == ["new"]


@pytest.mark.parametrize("options", [{}, {"pending_lists": True}])
def test_housekeeping_merges_the_pending_lists_of_the_text_indexes(options: dict[str, bool], alice: User) -> None:
    create_conversation(alice, "a zebra")
    call_command("housekeeping", **options)
    assert pending_pages() == [0, 0]


def pending_pages() -> list[int]:
    """Return the lengths of the pending lists of the text indexes, and empty them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT gin_clean_pending_list('message_words'), gin_clean_pending_list('message_trigrams')")
        return list(cursor.fetchone())
