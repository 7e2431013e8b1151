"""Reads what housekeeping will delete until a given time. Each count and each list is bounded."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import F, TextField, Value
from django.db.models.functions import Cast, Coalesce, NullIf
from django.utils import timezone

from conversations import sql
from conversations.models import Conversation
from conversations.querysets import PURGING, ConversationQuerySet

from . import expiry

COUNT_LIMIT = 10_000  # a larger count is COUNT_LIMIT + 1
SHOWN = 100
# The interrupted erasures, and the messages in the trash with and without a hold.
COUNTS = f"""SELECT (SELECT count(*) FROM (SELECT FROM account WHERE erasing_at IS NOT NULL LIMIT %(limit)s) AS erased),
    count(*) FILTER (WHERE NOT is_held), count(*) FILTER (WHERE is_held)
    FROM (SELECT {sql.HELD.format(user="message.user_id", conversation="message.conversation_id")} AS is_held
        FROM message WHERE deleted_at > %(purging)s AND deleted_at < %(before)s ORDER BY deleted_at LIMIT %(limit)s
    ) AS trashed"""
OWNER = Coalesce(
    NullIf("user__email", Value("")),
    NullIf("user__name", Value("")),
    "user__external_id",
    Cast("user_id", TextField()),
    output_field=TextField(),
)


class Row(NamedTuple):
    """A conversation that is purged at the time `at`, or moved to the trash.

    `tag` is the tag whose retention period ends, or None if the conversation is in the trash already."""

    conversation: Any  # with `owner`, a text
    at: datetime
    tag: str | None


@dataclass
class Preview:
    """What housekeeping deletes until the time `until`.

    `held` and `held_messages` count what a legal hold keeps. The other counts leave this out."""

    until: datetime
    erasures: int  # users whose erasure was interrupted
    purged: int  # conversations in the trash
    messages: int  # single messages in the trash
    held: int  # conversations that would be deleted or moved to the trash without a hold
    held_messages: int
    rows: list[Row] = field(default_factory=list)
    expired: Counter[str] = field(default_factory=Counter)  # conversations that are moved to the trash, by tag
    is_complete: bool = True  # false if only the oldest conversations were compared with the retention periods


def read_preview(*, days: int = 0) -> Preview:
    """Return what housekeeping will delete in the next days, or now."""
    until = timezone.now() + timedelta(days=days)
    before = until - timedelta(days=settings.TRASH_DAYS)
    erasures, messages, held_messages = _counts(before)
    trashed: list[Any] = list(_trashed_before(before))
    scanned: list[Any] = list(_with_details(expiry.after(None))) if expiry.is_on() else []
    due: list[Any] = list(expiry.expired(scanned, until))
    free = [row for row in due if not row.on_hold]
    return Preview(
        until=until,
        erasures=erasures,
        purged=sum(not row.on_hold for row in trashed),
        messages=messages,
        held=sum(row.on_hold for row in (*trashed, *due)),
        held_messages=held_messages,
        rows=[*_rows(trashed), *_expired_rows(free)][:SHOWN],
        expired=Counter(map(expiry.reason, free)),
        is_complete=len(scanned) < expiry.SCANNED,
    )


def _counts(before: datetime) -> tuple[int, int, int]:
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, {"limit": COUNT_LIMIT + 1, "purging": PURGING, "before": before})
        erasures, messages, held_messages = cursor.fetchone()
        return erasures, messages, held_messages


def _trashed_before(before: datetime) -> ConversationQuerySet:
    rows = Conversation.objects.filter(deleted_at__lt=before).order_by("deleted_at").only("user_id", "deleted_at")
    return _with_details(rows[: COUNT_LIMIT + 1])


def _with_details(rows: ConversationQuerySet) -> ConversationQuerySet:
    """Add `on_hold` and `owner`."""
    return rows.with_held().annotate(on_hold=F("is_held"), owner=OWNER)


def _rows(trashed: list[Any]) -> Iterator[Row]:
    kept = timedelta(days=settings.TRASH_DAYS)
    return (Row(row, row.deleted_at + kept, None) for row in trashed if not row.on_hold)


def _expired_rows(free: list[Any]) -> list[Row]:
    ends = ((row, expiry.expires_at(row)) for row in free)
    rows = [Row(row, end, expiry.reason(row)) for row, end in ends if end]
    return sorted(rows, key=lambda row: row.at)
