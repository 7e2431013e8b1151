"""The counts for each day are exact at any moment, whatever is written, deleted or moved at the same time."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from conversations import daily_usage
from conversations.models import Conversation, DailyUsage, DailyUsageChange, Message, Reaction
from conversations.services import branches, conversations, erase, messages, reactions, sync
from testing.cast import create_conversation, dialogue, message_draft, message_with_text
from testing.full_count import FAR_AHEAD, LONG_AGO, assert_daily_usage_is_exact
from testing.parallel import repeat, run_concurrently

EVERYTHING = {"first": LONG_AGO, "last": FAR_AHEAD}


def answer(**fields: Any) -> dict[str, Any]:
    return message_draft("An answer", "assistant", model="m", **fields)


def test_conversations_messages_tokens_failures_and_dislikes_are_counted(alice: User) -> None:
    tokens = {"prompt_tokens": 7, "completion_tokens": 5}
    chat, _ = conversations.create(user=alice, fields={}, drafts=[message_draft("A question"), answer(**tokens)])
    messages.append(user=alice, conversation_id=chat.id, drafts=[answer(status="failed", error="No answer")])
    reactions.react(user=alice, message_id=chat.messages.get(seq=2).id, type="thumbs_down")
    reactions.react(user=alice, message_id=chat.messages.get(seq=2).id, type="heart")
    (day,) = daily_usage.by_day(**EVERYTHING)
    counts = {"conversations": 1, "messages": 3, **tokens, "failed": 1, "dislikes": 1}
    assert day == {"day": chat.created_at.date(), **counts, "users": 1}
    (model,) = daily_usage.by_model(**EVERYTHING, limit=10)
    assert (model["model"], model["messages"], model["failed"]) == ("m", 2, 1)
    (user,) = daily_usage.by_user(**EVERYTHING, limit=10)
    assert user == {"user_id": alice.id, **counts}
    assert_daily_usage_is_exact()


def test_days_before_and_after_the_period_are_left_out(alice: User) -> None:
    drafts = [message_draft(day, created_at=f"2026-03-{day}T23:59:59Z") for day in ("01", "02", "03")]
    create_conversation(alice)
    chat = create_conversation(alice)
    for draft in drafts:
        messages.append(user=alice, conversation_id=chat.id, drafts=[draft])
    days = daily_usage.by_day(date(2026, 3, 2), date(2026, 3, 2))
    assert [(row["day"].day, row["messages"]) for row in days] == [(2, 1)]


def test_waiting_changes_and_added_changes_give_the_same_counts(alice: User, bob: User) -> None:
    for user in (alice, bob):
        create_conversation(user, "one", "two")
    before = daily_usage.by_day(**EVERYTHING)
    daily_usage.add_changes()
    assert not DailyUsageChange.objects.exists()
    assert daily_usage.by_day(**EVERYTHING) == before
    create_conversation(alice, "three")
    daily_usage.add_changes()
    assert daily_usage.by_user(**EVERYTHING, limit=1)[0]["messages"] == 3
    assert_daily_usage_is_exact()


def test_edits_branches_and_saved_histories_are_counted(alice: User) -> None:
    chat = create_conversation(alice, "one", "two", "three")
    messages.update(user=alice, message_id=message_with_text(chat, "two").id, changes={"completion_tokens": 3})
    branches.branch(user=alice, message_id=message_with_text(chat, "two").id, changes={})
    sync.sync(user=alice, conversation_id=chat.id, drafts=dialogue("one", "two", "another", "four"))
    assert_daily_usage_is_exact()


def test_rows_that_move_to_another_day_are_counted_there(alice: User) -> None:
    chat = create_conversation(alice, "one")
    reactions.react(user=alice, message_id=chat.messages.get().id, type="dislike")
    daily_usage.add_changes()
    before = timezone.now() - timedelta(days=3)
    for model in (Conversation, Message, Reaction):
        model.objects.update(created_at=before)
    (day,) = [row for row in daily_usage.by_day(**EVERYTHING) if row["messages"]]
    assert (day["day"], day["conversations"], day["messages"], day["dislikes"]) == (before.date(), 1, 1, 1)
    assert_daily_usage_is_exact()


def test_an_edit_that_changes_no_count_adds_no_row(alice: User) -> None:
    chat = create_conversation(alice, "one")
    daily_usage.add_changes()
    messages.update(user=alice, message_id=message_with_text(chat, "one").id, changes={"content": "two"})
    messages.trash(user=alice, message_id=message_with_text(chat, "two").id)
    assert not DailyUsageChange.objects.exists()


def test_a_purge_takes_its_rows_from_the_counts(alice: User) -> None:
    chat, other = create_conversation(alice, "one", "two"), create_conversation(alice, "three")
    reactions.react(user=alice, message_id=message_with_text(chat, "two").id, type="dislike")
    daily_usage.add_changes()
    conversations.purge(user=alice, conversation_id=chat.id)
    assert_daily_usage_is_exact()
    conversations.purge(user=alice, conversation_id=other.id)
    daily_usage.add_changes()
    assert not DailyUsage.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_erasure_leaves_no_counts_of_the_user(alice: User, bob: User) -> None:
    for user in (alice, bob):
        create_conversation(user, "one", "two")
    daily_usage.add_changes()
    erase.erase(user=alice)
    for model in (DailyUsage, DailyUsageChange):
        assert not model.objects.filter(user=alice.id).exists()
    assert_daily_usage_is_exact()


@pytest.mark.django_db(transaction=True)
def test_changes_are_added_once_while_others_write_and_add(alice: User) -> None:
    chat = create_conversation(alice, "one")

    def write(number: int) -> None:
        for _ in range(10):
            messages.append(user=alice, conversation_id=chat.id, drafts=[message_draft(str(number))])
            daily_usage.add_changes()

    run_concurrently(*repeat(4, write))
    daily_usage.add_changes()
    (day,) = daily_usage.by_day(**EVERYTHING)
    assert day["messages"] == 41
    assert_daily_usage_is_exact()


def test_each_report_is_one_statement(alice: User) -> None:
    create_conversation(alice, "one")
    with CaptureQueriesContext(connection) as statements:
        daily_usage.by_day(**EVERYTHING)
        daily_usage.by_model(**EVERYTHING, limit=10)
        daily_usage.by_user(**EVERYTHING, limit=10)
    assert len(statements) == 3


def test_an_erasure_locks_changes_before_counts_as_their_addition_does(alice: User) -> None:
    create_conversation(alice, "one")
    with CaptureQueriesContext(connection) as executed:
        erase.erase(user=alice)
    deletions = [query["sql"] for query in executed if query["sql"].startswith('DELETE FROM "daily_usage')]
    assert deletions[0].startswith('DELETE FROM "daily_usage_change"')
    assert any(statement.startswith('DELETE FROM "daily_usage" ') for statement in deletions)
