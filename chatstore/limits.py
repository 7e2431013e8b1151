"""How often somebody may ask.

Where every request is counted that happens in the memory of each process, and asks nobody. Where the limit has to hold
across processes it is kept in the cache, at a few statements: for what is done rarely."""

import time
from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock

from django.core.cache import cache
from django.db import connection

from .errors import RateLimited


class Buckets:
    """A bucket for each key, which is emptied by what is asked and fills up again evenly. All that is kept is when
    each will be full; of the keys, those that came last."""

    def __init__(self, *, seconds: float, keys: int) -> None:
        self._seconds = seconds
        self._keys = keys
        self._full_at: OrderedDict[Hashable, float] = OrderedDict()
        self._lock = Lock()

    def wait(self, key: Hashable, count: int) -> float:
        """Takes one of the `count` that fit in, and gives 0; or else the seconds until there is one."""
        now = time.monotonic()
        with self._lock:
            full_at = max(self._full_at.get(key, now), now) + self._seconds / count
            wait = round(full_at - now - self._seconds, 6)  # a sum of many parts is never exact
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
    """What is over, of the cache's table: the cache itself waits until there is far too much."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM cache WHERE expires < now()")


def take_place(name: str, *, count: int, seconds: int, limit: str) -> None:
    """One of `count` places, each held for so many seconds, or TooMany. A cache adds a key once, so two requests at the
    same time do not get the same place; to count up a number is safe in some caches only."""
    now = time.time()
    places = [f"{name}:{number}" for number in range(count)]
    taken = cache.get_many(places)
    free = (place for place in places if place not in taken)
    if not any(cache.add(place, now + seconds, seconds) for place in free):
        raise RateLimited(limit, wait=min(taken.values(), default=now + seconds) - now)
