"""Limits for the errors of one response: their number, and the length of each path and message."""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from django.utils.translation import gettext
from rest_framework.exceptions import ValidationError

MAX_ERRORS = 20
MAX_TEXT_LENGTH = 500  # characters of a path or of a message, which can quote the input
Found = tuple[str | None, str, str]  # field, message, code


def validate_each(validate: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    """Validate the items and return their values. If one is invalid, raise ValidationError with the errors by index;
    validate no further items once there are more than MAX_ERRORS errors."""
    values: list[Any] = []
    errors: dict[Any, Any] = {}
    count = 0
    for index, item in enumerate(items):
        try:
            values.append(validate(item))
        except ValidationError as error:
            errors[index] = error.detail
            count += _count(error.detail)
            if count > MAX_ERRORS:
                break
    if errors:
        raise ValidationError(errors)
    return values


def _count(detail: Any) -> int:
    inner = detail.values() if isinstance(detail, dict) else detail if isinstance(detail, list) else None
    return 1 if inner is None else sum(map(_count, inner))


def bounded(errors: Iterable[Found]) -> list[Found]:
    """Return the first MAX_ERRORS errors. If there are more, append an error with the code `more_errors`."""
    one_more = islice(errors, MAX_ERRORS + 1)
    first = [(field and shortened(field), shortened(message), code) for field, message, code in one_more]
    if len(first) <= MAX_ERRORS:
        return first
    message = gettext("There are more errors; these are the first {count}.").format(count=MAX_ERRORS)
    return [*first[:MAX_ERRORS], (None, message, "more_errors")]


def shortened(text: str) -> str:
    return text if len(text) <= MAX_TEXT_LENGTH else text[:MAX_TEXT_LENGTH] + "…"
