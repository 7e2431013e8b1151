from datetime import timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from accounts.models import User
from conversations import stats
from conversations.models import Message
from conversations.services import conversations, messages
from testing.cast import create_conversation, message_with_text

SPAN = {"days": 30, "zone": ZoneInfo("UTC")}


def test_totals_exclude_trashed_conversations(alice: User, bob: User) -> None:
    create_conversation(alice, "one", "two")
    trashed = create_conversation(alice, "three")
    conversations.trash(user=alice, conversation_id=trashed.id)
    create_conversation(bob, "not hers")
    assert stats.totals(alice) == {"conversations": 1, "messages": 2, "prompt_tokens": 0, "completion_tokens": 0}


def test_tokens_of_trashed_messages_are_counted(alice: User) -> None:
    draft = {"role": "assistant", "content": "dear", "model": "m", "prompt_tokens": 7, "completion_tokens": 5}
    conversation, _ = conversations.create(user=alice, fields={}, drafts=[draft])
    messages.trash(user=alice, message_id=message_with_text(conversation, "dear").id)
    spent = {"prompt_tokens": 7, "completion_tokens": 5}
    assert stats.totals(alice) == {"conversations": 1, "messages": 0, **spent}
    assert stats.by_model(alice, **SPAN) == [{"model": "m", "messages": 0, **spent}]


def test_days_begin_at_midnight_in_the_requested_time_zone(alice: User) -> None:
    create_conversation(alice, "late")
    # Yesterday at 23:30 UTC is today at 08:30 in Tokyo.
    late = timezone.now().replace(hour=23, minute=30) - timedelta(days=1)
    Message.objects.update(created_at=late)
    (utc,) = stats.by_day(alice, **SPAN)
    (tokyo,) = stats.by_day(alice, days=30, zone=ZoneInfo("Asia/Tokyo"))
    assert (utc["day"], tokyo["day"]) == (late.date(), late.date() + timedelta(days=1))
    assert utc["messages"] == tokyo["messages"] == 1


def test_the_totals_of_an_empty_account_are_zero(alice: User) -> None:
    assert set(stats.totals(alice).values()) == {0}
    assert stats.by_model(alice, **SPAN) == stats.by_day(alice, **SPAN) == []
