"""The deletion of old audit events, after AUDIT_RETENTION_DAYS."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet

from chatstore.database import database_time
from chatstore.ids import first_id
from staff.models import AuditEvent

BATCH = 10_000  # the most events that one run of housekeeping deletes
ALLOW = "SELECT set_config('chatstore.audit_delete_before', %s, true)"  # it ends with the transaction


def count_old_events(at: datetime, limit: int) -> int:
    """Return how many events will be older than AUDIT_RETENTION_DAYS at this time. The count stops at `limit`."""
    return _older_than(_end_of_retention(at))[:limit].count() if settings.AUDIT_RETENTION_DAYS else 0


@transaction.atomic
def delete_old_events() -> int:
    """Delete at most BATCH events that are older than AUDIT_RETENTION_DAYS, oldest first. Return how many.

    Deletes nothing if AUDIT_RETENTION_DAYS is 0. The trigger of migration 0002 allows the deletion only in this
    transaction."""
    if not settings.AUDIT_RETENTION_DAYS:
        return 0
    before = _end_of_retention(database_time())
    with connection.cursor() as cursor:
        cursor.execute(ALLOW, [before.isoformat()])
    return AuditEvent.objects.filter(id__in=_older_than(before).values("id")[:BATCH]).delete()[0]


def _end_of_retention(at: datetime) -> datetime:
    return at - timedelta(days=settings.AUDIT_RETENTION_DAYS)


def _older_than(before: datetime) -> QuerySet[AuditEvent]:
    # Ids rise with time, so this reads only the beginning of the primary key's index.
    return AuditEvent.objects.filter(id__lt=first_id(before), at__lt=before).order_by("id")
