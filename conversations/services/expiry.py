"""RETENTION_DAYS and RETENTION_DAYS_BY_TAG: old conversations go to the trash, and TRASH_DAYS later they are deleted.

Hazard: a conversation that somebody still uses, or that a longer period or a legal hold keeps, goes to the trash.

Principle: the period of a conversation is the longest one of its tags that have a period. Without such a tag it is
RETENTION_DAYS. It begins with the last message or the last other change, so a conversation that is restored from the
trash gets a whole period. The period also applies to pinned and archived conversations, because it is a rule of the
operator. It does not apply to a conversation on hold.

A run reads the next SCANNED conversations in the order of their ids, and stores where it ended in the cache. So the
rule needs no index, and a run is bounded. If the position is lost, the next run begins with the first conversation.

Transactions: one for each run, which locks at most TRASHED conversations in the order of their ids.
"""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import islice

from django.conf import settings
from django.core.cache import cache
from django.db import transaction

from chatstore.database import database_time
from conversations.core.conversations import update_conversation
from conversations.models import Conversation
from conversations.querysets import ConversationQuerySet

SCANNED = 10_000
TRASHED = 500
POSITION = "retention_position"
COLUMNS = ("id", "user_id", "tags", "active_at", "updated_at")


def trash_expired() -> int:
    """Move the next expired conversations to the trash, at most TRASHED. Return how many."""
    if not is_on():
        return 0
    rows = list(after(cache.get(POSITION)))
    due = list(islice(expired(rows, database_time()), TRASHED))
    is_at_end = len(rows) < SCANNED and len(due) < TRASHED
    count = _trash([row.pk for row in due])
    # After the commit: a run that is killed before it is repeated.
    last = due[-1] if len(due) == TRASHED else rows[-1] if rows else None
    cache.set(POSITION, None if is_at_end or last is None else last.pk, timeout=None)
    return count


def is_on() -> bool:
    """Return whether a retention period is set."""
    return bool(settings.RETENTION_DAYS or any(settings.RETENTION_DAYS_BY_TAG.values()))


def after(id: uuid.UUID | None) -> ConversationQuerySet:
    """Return at most SCANNED live conversations after this id, in the order of their ids, with COLUMNS only."""
    live = Conversation.objects.live().order_by("id").only(*COLUMNS)
    return (live.filter(id__gt=id) if id else live)[:SCANNED]


def expires_at(conversation: Conversation) -> datetime | None:
    """Return the end of the conversation's period, or None if it has no end."""
    days = _period(conversation.tags)
    return max(conversation.active_at, conversation.updated_at) + timedelta(days=days) if days else None


def reason(conversation: Conversation) -> str:
    """Return the tag whose period counts for the conversation, or an empty text if it is RETENTION_DAYS."""
    days = settings.RETENTION_DAYS_BY_TAG
    return max((tag for tag in conversation.tags if tag in days), key=days.__getitem__, default="")


def _period(tags: Iterable[str]) -> int:
    """Return the days of the longest period of these tags, or RETENTION_DAYS. Zero days are a period without an end."""
    periods = [settings.RETENTION_DAYS_BY_TAG[tag] for tag in tags if tag in settings.RETENTION_DAYS_BY_TAG]
    return 0 if 0 in periods else max(periods, default=settings.RETENTION_DAYS)


def expired(rows: Iterable[Conversation], now: datetime) -> Iterable[Conversation]:
    """Yield the conversations whose period has ended at this time."""
    return (row for row in rows if (end := expires_at(row)) and end < now)


@transaction.atomic
def _trash(ids: list[uuid.UUID]) -> int:
    """Move those of these conversations to the trash that are still expired and not on hold. Return how many."""
    rows = list(Conversation.objects.live().not_held().filter(id__in=ids).locked())
    due = [row for row in rows if any(expired([row], row.now))]
    for row in due:
        update_conversation(row, {"deleted_at": row.now})
    return len(due)
