"""Comparison of JSON values."""

from typing import Any


def json_equal(one: Any, other: Any) -> bool:
    """Return whether two values are equal as JSON: 1 == 1.0 (as in jsonb), but 1 != true (unlike Python)."""
    if type(one) is str:  # the usual case
        return bool(one == other)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(json_equal(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(json_equal, one, other))
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)


def extends(stored: Any, sent: Any) -> bool:
    """Return whether the sent value contains the whole stored value and only adds to its end."""
    if stored is None or stored == "":
        return True
    if isinstance(stored, str) and isinstance(sent, str):
        return sent.startswith(stored)
    if isinstance(stored, list) and isinstance(sent, list):
        return len(stored) <= len(sent) and all(map(extends, stored, sent))
    if isinstance(stored, dict) and isinstance(sent, dict):
        return stored.keys() <= sent.keys() and all(extends(value, sent[key]) for key, value in stored.items())
    return json_equal(stored, sent)
