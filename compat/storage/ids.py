"""Message ids of the storage contract.

The client takes the time in milliseconds as an id, so a question and its reply can have the same id. In the store, an
external_id is unique in its conversation. Therefore the second message with the id `5` is stored as `5␟2`, and is read
as `5` again. An id that already ends like that gets the suffix `␟1`."""

import re
from collections import Counter
from collections.abc import Iterable

MARK = "\N{SYMBOL FOR UNIT SEPARATOR}"  # does not occur in ids that clients make
MARKED = re.compile(rf"{MARK}\d+$")


def unique_ids(ids: Iterable[str]) -> list[str]:
    """Return the ids as they are stored, in the same order."""
    counts: Counter[str] = Counter()
    stored = []
    for id in ids:
        counts[id] += 1
        is_plain = counts[id] == 1 and not MARKED.search(id)
        stored.append(id if is_plain else f"{id}{MARK}{counts[id]}")
    return stored


def as_sent(stored: str) -> str:
    """Return the id as the client sent it."""
    return MARKED.sub("", stored)
