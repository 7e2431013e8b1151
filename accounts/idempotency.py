"""A request with an Idempotency-Key is carried out once. The key's row comes first, in the transaction of the work: of
two at once the second waits for the first, and then answers what it stored; a failure takes the row back with it."""

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
    """What `work` gives, or gave the first time, JSON-able; Conflict for another request under this key."""
    if _claim(user, key, fingerprint):
        result = work()
        Idempotency.objects.filter(user=user, key=key).update(result=result)
        return result
    # In a statement of its own: the insert's snapshot does not see the row it waited for.
    stored = Idempotency.objects.get(user=user, key=key)
    if bytes(stored.fingerprint) != fingerprint:
        raise Conflict(gettext("This Idempotency-Key was used for another request."), code="idempotency_key_reused")
    return stored.result


def forget() -> int:
    """Keys of more than 24 hours ago."""
    return Idempotency.objects.filter(created_at__lt=Now() - RETENTION)._raw_delete(connection.alias)


def _claim(user: User, key: str, fingerprint: bytes) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [user.pk, key, fingerprint])
        return bool(cursor.rowcount)
