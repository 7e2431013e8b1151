"""Idempotency keys: a request with an Idempotency-Key is carried out once.

One transaction first inserts the row of the key and then does the work. A concurrent request with the same key waits
for this transaction, and then returns the stored result. If the work fails, the rollback also removes the row."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext

from chatstore.errors import Conflict

from .models import Idempotency, User

RETENTION = timedelta(hours=24)
INSERT = """INSERT INTO idempotency (user_id, key, fingerprint, created_at)
    VALUES (%s, %s, %s, now()) ON CONFLICT DO NOTHING"""


@transaction.atomic
def run_idempotent(*, user: User, key: str, fingerprint: bytes, work: Callable[[], Any]) -> Any:
    """Run `work` and return its result, or return the stored result if the key was used before.

    The result must be JSON. Raise Conflict if the key was used for another request."""
    if _claim(user, key, fingerprint):
        result = work()
        Idempotency.objects.filter(user=user, key=key).update(result=result)
        return result
    # This needs a second statement: the snapshot of the insert does not contain the row that the insert waited for.
    stored = Idempotency.objects.get(user=user, key=key)
    if bytes(stored.fingerprint) != fingerprint:
        raise Conflict(gettext("This Idempotency-Key was used for another request."), code="idempotency_key_reused")
    return stored.result


def forget() -> int:
    """Delete keys older than 24 hours, and return their number."""
    return Idempotency.objects.filter(created_at__lt=Now() - RETENTION)._raw_delete(connection.alias)


def _claim(user: User, key: str, fingerprint: bytes) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [user.pk, key, fingerprint])
        return bool(cursor.rowcount)
