"""Rate limits.

`Buckets` counts in the memory of each process. It executes no statement, so it can count every request. `take_place`
counts in the cache, which all processes share. It executes a few statements, so it is for rare actions."""

import time
from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock

from django.core.cache import cache
from django.db import connection, transaction

from .errors import RateLimited

CLIENT = "chatstore.client"  # the user or address for which a request counts, in the WSGI environ


class Buckets:
    """A token bucket per key. Each request takes a token, and tokens come back at a constant rate.

    A bucket is stored as the time at which it will be full again. Only the last `keys` keys are kept."""

    def __init__(self, *, seconds: float, keys: int) -> None:
        self._seconds = seconds
        self._keys = keys
        self._full_at: OrderedDict[Hashable, float] = OrderedDict()
        self._lock = Lock()

    def wait(self, key: Hashable, count: int) -> float:
        """Take one of `count` tokens and return 0. If none is left, return the seconds until the next one."""
        now = time.monotonic()
        with self._lock:
            full_at = max(self._full_at.get(key, now), now) + self._seconds / count
            wait = round(full_at - now - self._seconds, 6)  # the sum of many floats is not exact
            if wait > 0:
                return wait
            self._keep(key, full_at)
            return 0.0

    def forget(self) -> None:
        self._full_at.clear()

    def _keep(self, key: Hashable, full_at: float) -> None:
        self._full_at[key] = full_at
        self._full_at.move_to_end(key)
        if len(self._full_at) > self._keys:
            self._full_at.popitem(last=False)


def forget() -> None:
    """Delete the expired rows of the cache table. Django's cache deletes them only when the table is too large."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM cache WHERE expires < now()")


@transaction.atomic
def take_place(name: str, *, count: int, seconds: int, limit: str) -> None:
    """Take one of `count` places and hold it for `seconds`. Raise RateLimited, with the text `limit`, if all are taken.

    A place is a cache key. The function holds an advisory lock on `name` until the transaction ends. Without the lock,
    several requests could take the same place: Django's database cache lets each request that read an expired key
    replace it."""
    _lock(name)
    now = time.time()
    places = [f"{name}:{number}" for number in range(count)]
    taken = cache.get_many(places)
    free = (place for place in places if place not in taken)
    if not any(cache.add(place, now + seconds, seconds) for place in free):
        raise RateLimited(limit, wait=min(taken.values(), default=now + seconds) - now)


def _lock(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"chatstore limit {name}"])
