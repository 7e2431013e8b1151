"""RETENTION_DAYS: conversations without activity go to the trash after a period that their tags can change."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from accounts.models import User
from conversations.models import Conversation
from conversations.services import conversations, expiry, holds, messages, retention
from testing.cast import active_texts, create_conversation, message_draft
from testing.parallel import repeat, run_concurrently


@pytest.fixture(autouse=True)
def thirty_days(settings: Any, db: None) -> None:
    settings.RETENTION_DAYS, settings.RETENTION_DAYS_BY_TAG = 30, {"support": 365, "draft": 7, "for ever": 0}
    cache.delete(expiry.POSITION)


def create(user: User, days: int, *tags: str, **fields: Any) -> Conversation:
    """Create a conversation whose last activity was some days ago."""
    chat = create_conversation(user, "Hi", tags=list(tags), **fields)
    then = timezone.now() - timedelta(days=days)
    Conversation.objects.filter(pk=chat.pk).update(active_at=then, updated_at=then)
    return chat


def trashed() -> set[Conversation]:
    return set(Conversation.objects.trashed())


def test_a_conversation_goes_to_the_trash_after_the_period_and_not_before(alice: User) -> None:
    old, _ = create(alice, 31), create(alice, 29)
    assert expiry.trash_expired() == 1
    assert trashed() == {old}


def test_an_expired_conversation_is_deleted_after_trash_days(alice: User) -> None:
    old = create(alice, 31)
    retention.housekeep()
    retention.housekeep()
    assert trashed() == {old}, "it can be restored"
    Conversation.objects.update(deleted_at=timezone.now() - timedelta(days=31))
    retention.housekeep()
    assert not Conversation.objects.exists()


def test_without_a_setting_nothing_expires(alice: User, settings: Any, django_assert_num_queries: Any) -> None:
    settings.RETENTION_DAYS, settings.RETENTION_DAYS_BY_TAG = 0, {}
    create(alice, 10_000, "draft")
    with django_assert_num_queries(0):
        assert expiry.trash_expired() == 0


@pytest.mark.parametrize(
    ("tags", "days", "goes"),
    [
        (["draft"], 8, True),
        (["draft"], 6, False),
        (["support"], 364, False),
        (["support"], 366, True),
        (["draft", "support"], 364, False),
        (["draft", "support"], 366, True),
        (["for ever"], 10_000, False),
        (["draft", "for ever"], 10_000, False),
        (["other"], 31, True),
        (["other", "draft"], 8, True),
    ],
)
def test_the_longest_period_of_its_tags_counts(tags: list[str], days: int, goes: bool, alice: User) -> None:
    create(alice, days, *tags)
    assert expiry.trash_expired() == goes


def test_a_period_by_tag_also_counts_without_a_period_for_all(alice: User, settings: Any) -> None:
    settings.RETENTION_DAYS = 0
    draft, _ = create(alice, 8, "draft"), create(alice, 10_000)
    expiry.trash_expired()
    assert trashed() == {draft}


def test_pinned_and_archived_conversations_expire_too(alice: User) -> None:
    expected = {create(alice, 31, is_pinned=True), create(alice, 31)}
    conversations.update(user=alice, conversation_id=create_conversation(alice, "x").id, changes={"is_archived": True})
    archived = Conversation.objects.get(archived_at__isnull=False)
    Conversation.objects.filter(pk=archived.pk).update(
        active_at=timezone.now() - timedelta(days=31), updated_at=timezone.now() - timedelta(days=31)
    )
    expiry.trash_expired()
    assert trashed() == expected | {archived}


def test_a_restored_conversation_gets_a_whole_period(alice: User) -> None:
    old = create(alice, 31)
    expiry.trash_expired()
    conversations.restore(user=alice, conversation_id=old.id)
    assert expiry.trash_expired() == 0
    assert active_texts(old) == ["Hi"]


def test_a_new_message_begins_the_period_again(alice: User) -> None:
    old = create(alice, 31)
    messages.append(user=alice, conversation_id=old.id, drafts=[message_draft("More")])
    assert expiry.trash_expired() == 0


@pytest.mark.parametrize("kind", ["user", "conversation"])
def test_a_conversation_on_hold_stays_and_goes_after_the_release(kind: str, alice: User, bob: User) -> None:
    held, other = create(alice, 31), create(bob, 31)
    hold = holds.place(user=alice, conversation_id=held.id if kind == "conversation" else None, reason="7", by=bob)
    assert expiry.trash_expired() == 1
    assert trashed() == {other}
    holds.release(hold=hold, reason="Closed", by=bob)
    assert expiry.trash_expired() == 1


def test_each_run_continues_where_the_last_one_ended(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiry, "SCANNED", 3)
    monkeypatch.setattr(expiry, "TRASHED", 2)
    expected = {create(alice, days) for days in (31, 31, 31, 1, 1, 1, 31, 31)} - set(
        Conversation.objects.filter(active_at__gt=timezone.now() - timedelta(days=30))
    )
    found = [expiry.trash_expired() for _ in range(5)]
    assert max(found) == 2 and trashed() == expected
    create(alice, 31)
    assert sum(expiry.trash_expired() for _ in range(4)) == 1, "after the end, a run begins again"


def test_a_run_reads_a_bounded_number_of_rows_with_few_statements(
    alice: User, django_assert_max_num_queries: Any
) -> None:
    for _ in range(5):
        create(alice, 1)
    with django_assert_max_num_queries(12):
        assert expiry.trash_expired() == 0


@pytest.mark.django_db(transaction=True)
def test_concurrent_runs_trash_each_conversation_once(alice: User) -> None:
    for _ in range(20):
        create(alice, 31)
    assert sum(run_concurrently(*repeat(3, lambda number: expiry.trash_expired()))) == 20
