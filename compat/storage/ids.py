"""Its client takes the time in milliseconds for an id, and so gives a question and the reply to it the same one. In the
store a client's id names one message of a conversation: here the second `5` becomes `5␟2`, and `5` again when it is
read. An id that looks like that already gets a `␟1`."""

import re
from collections import Counter
from collections.abc import Iterable

MARK = "\N{SYMBOL FOR UNIT SEPARATOR}"  # in no id that a client makes up
MARKED = re.compile(rf"{MARK}\d+$")


def told_apart(ids: Iterable[str]) -> list[str]:
    """As they are stored, in their order."""
    times: Counter[str] = Counter()
    stored = []
    for id in ids:
        times[id] += 1
        is_plain = times[id] == 1 and not MARKED.search(id)
        stored.append(id if is_plain else f"{id}{MARK}{times[id]}")
    return stored


def as_sent(stored: str) -> str:
    return MARKED.sub("", stored)
