"""Bounds on the errors of one request: how many are looked for, and how long each one is."""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from django.utils.translation import gettext
from rest_framework.exceptions import ValidationError

MOST_FINDINGS = 20
LONGEST = 500  # characters of a path or of a message, which may quote the input
Found = tuple[str | None, str, str]  # field, message, code


def validate_each(validate: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    """Return the valid values. Raise ValidationError with the errors by index, and stop once there are too many."""
    values: list[Any] = []
    errors: dict[Any, Any] = {}
    count = 0
    for index, item in enumerate(items):
        try:
            values.append(validate(item))
        except ValidationError as error:
            errors[index] = error.detail
            count += _count(error.detail)
            if count > MOST_FINDINGS:
                break
    if errors:
        raise ValidationError(errors)
    return values


def _count(detail: Any) -> int:
    inner = detail.values() if isinstance(detail, dict) else detail if isinstance(detail, list) else None
    return 1 if inner is None else sum(map(_count, inner))


def bounded(found: Iterable[Found]) -> list[Found]:
    """Return the first MOST_FINDINGS, and if there are more, one with the code `more_errors` that says so."""
    first = [(field and shortened(field), shortened(message), code) for field, message, code in _one_more(found)]
    if len(first) <= MOST_FINDINGS:
        return first
    message = gettext("There are more errors; these are the first {count}.").format(count=MOST_FINDINGS)
    return [*first[:MOST_FINDINGS], (None, message, "more_errors")]


def _one_more(found: Iterable[Found]) -> Iterable[Found]:
    return islice(found, MOST_FINDINGS + 1)


def shortened(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"
