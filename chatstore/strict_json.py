"""JSON that can be stored.

`loads` rejects values on which PostgreSQL or the renderer would fail later: NaN, infinities and lone surrogates (orjson
rejects these three), NUL, numbers outside 64 bits, and deep nesting."""

from collections.abc import Iterator
from typing import Any

import orjson
from django.conf import settings
from django.utils.translation import gettext

from .errors import Invalid

Path = tuple[str | int, ...]


def loads(text: bytes, *, deeper: int = 0) -> Any:
    """Return the parsed value. Raise Invalid, with the code `invalid_json` and the path, if it cannot be stored.

    `deeper` is the number of nesting levels that are allowed beyond JSON_DEPTH_LIMIT: some contracts nest the same
    content deeper than the native API."""
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Invalid(gettext("This is not JSON: {error}.").format(error=error), code="invalid_json") from None
    for path, problem in _problems(data, settings.JSON_DEPTH_LIMIT + deeper):
        raise Invalid(problem, code="invalid_json", field=spelled(path) or None)
    return data


def spelled(path: Path) -> str:
    """Return a path as text, such as `messages[3].role`."""
    steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return steps.removeprefix(".")


def _problems(data: Any, depth_limit: int) -> Iterator[tuple[Path, str]]:
    """Yield the path and the message of each value that cannot be stored, in the order of the text.

    A body can have any depth and millions of values, so this function does not recurse, and keeps only the path to the
    current value in memory."""
    steps: list[Any] = []
    levels: list[Iterator[tuple[Any, Any]]] = [iter([(None, data)])]
    while levels:
        for key, value in levels[-1]:
            if isinstance(value, str):
                if "\0" in value:
                    yield (*steps, key)[1:], gettext("A NUL character cannot be stored.")
            elif isinstance(value, dict | list):
                steps.append(key)
                if len(steps) > depth_limit:
                    yield tuple(steps[1:2]), gettext("Nested deeper than {limit} levels.").format(limit=depth_limit)
                if isinstance(value, dict) and "\0" in "".join(value):
                    yield tuple(steps[1:]), gettext("A NUL character cannot be stored.")
                levels.append(iter(value.items() if isinstance(value, dict) else enumerate(value)))
                break
            # orjson parses an integer that is too large as a float.
            elif (isinstance(value, float) and abs(value) >= 2**63) or (isinstance(value, int) and value >= 2**63):
                yield (*steps, key)[1:], gettext("A number outside 64 bits cannot be stored.")
        else:
            levels.pop()
            if steps:
                steps.pop()
