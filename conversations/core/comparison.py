"""When two values are the same, and when one only goes on where the other ended."""

from typing import Any


def json_equal(one: Any, other: Any) -> bool:
    """Equal as JSON: 1 is 1.0, as jsonb has it, and is not true, as Python has it."""
    if type(one) is str:  # nearly always
        return bool(one == other)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(json_equal(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(json_equal, one, other))
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)


def extends(stored: Any, sent: Any) -> bool:
    """Whether what is sent begins with what is stored: nothing of that is lost."""
    if stored is None or stored == "":
        return True
    if isinstance(stored, str) and isinstance(sent, str):
        return sent.startswith(stored)
    if isinstance(stored, list) and isinstance(sent, list):
        return len(stored) <= len(sent) and all(map(extends, stored, sent))
    if isinstance(stored, dict) and isinstance(sent, dict):
        return stored.keys() <= sent.keys() and all(extends(value, sent[key]) for key, value in stored.items())
    return json_equal(stored, sent)
