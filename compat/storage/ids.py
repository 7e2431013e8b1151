"""Converts message ids of the storage contract to unique external_ids, and back.

The client takes the time in milliseconds as an id, so a question and its reply can have the same id. In the store, an
external_id is unique in its conversation. Therefore chatstore stores the second message with the id `5` as `5␟2`, and
returns its id as `5`. If a client's own id ends with ␟ and digits, its first occurrence also gets a suffix, `␟1`."""

import re
from collections import Counter
from collections.abc import Iterable

MARK = "\N{SYMBOL FOR UNIT SEPARATOR}"  # unlikely in a client's id, but `unique_ids` handles it
MARKED = re.compile(rf"{MARK}[0-9]+\Z")


def unique_ids(ids: Iterable[str]) -> list[str]:
    """Return a unique id to store for each of the client's ids, in the same order."""
    ids = list(ids)
    if len(set(ids)) == len(ids) and MARK not in "".join(ids):  # the usual case
        return ids
    counts: Counter[str] = Counter()
    stored = []
    for id in ids:
        counts[id] += 1
        is_plain = counts[id] == 1 and not MARKED.search(id)
        stored.append(id if is_plain else f"{id}{MARK}{counts[id]}")
    return stored


def as_sent(stored: str) -> str:
    """Return the client's id for an id that `unique_ids` returned."""
    return MARKED.sub("", stored)


def as_sent_sql(column: str) -> str:
    """Return the SQL expression of `as_sent`."""
    # Most ids have no mark. To search for it is much faster than the regular expression.
    unmarked = f"regexp_replace({column}, '{MARK}[0-9]+$', '')"
    return f"CASE WHEN strpos({column}, '{MARK}') > 0 THEN {unmarked} ELSE {column} END"
