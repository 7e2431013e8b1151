"""The deletion of old audit events, after AUDIT_RETENTION_DAYS."""

from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction

from chatstore.database import database_time
from chatstore.ids import first_id
from staff.models import AuditEvent

BATCH = 10_000  # the most events that one run of housekeeping deletes
ALLOW = "SELECT set_config('chatstore.audit_delete_before', %s, true)"  # it ends with the transaction


@transaction.atomic
def delete_old_events() -> int:
    """Delete at most BATCH events that are older than AUDIT_RETENTION_DAYS, oldest first. Return how many.

    Deletes nothing if AUDIT_RETENTION_DAYS is 0. The trigger of migration 0002 allows the deletion only in this
    transaction."""
    if not settings.AUDIT_RETENTION_DAYS:
        return 0
    before = database_time() - timedelta(days=settings.AUDIT_RETENTION_DAYS)
    # Ids rise with time, so this reads only the beginning of the primary key's index.
    old = AuditEvent.objects.filter(id__lt=first_id(before), at__lt=before).order_by("id").values("id")[:BATCH]
    with connection.cursor() as cursor:
        cursor.execute(ALLOW, [before.isoformat()])
    return AuditEvent.objects.filter(id__in=old).delete()[0]
