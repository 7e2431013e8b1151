"""JSON that can be stored. Refused, before anything else sees them: NaN, infinities, lone surrogates (these three by
orjson), NUL, integers outside 64 bits, deep nesting. PostgreSQL or the renderer would choke on them later."""

from collections.abc import Iterator
from typing import Any

import orjson
from django.conf import settings
from django.utils.translation import gettext

from .errors import Invalid

Path = tuple[str | int, ...]


def loads(text: bytes, *, deeper: int = 0) -> Any:
    """`deeper`: levels beyond the limit, of a body that wraps what was sent elsewhere in less."""
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Invalid(gettext("This is not JSON: {error}.").format(error=error), code="invalid_json") from None
    for path, problem in _problems(data, settings.JSON_DEPTH_LIMIT + deeper):
        raise Invalid(problem, code="invalid_json", field=spelled(path) or None)
    return data


def spelled(path: Path) -> str:
    """`messages[3].role`"""
    steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return steps.removeprefix(".")


def _problems(data: Any, depth_limit: int) -> Iterator[tuple[Path, str]]:
    """In the order of the text. Without recursion, so for any depth; and holding no more than the path to where it is:
    a body can have millions of values."""
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
                if isinstance(value, dict) and any("\0" in name for name in value):
                    yield tuple(steps[1:]), gettext("A NUL character cannot be stored.")
                levels.append(iter(value.items() if isinstance(value, dict) else enumerate(value)))
                break
            # orjson makes a float of an integer that is too large.
            elif (isinstance(value, float) and abs(value) >= 2**63) or (isinstance(value, int) and value >= 2**63):
                yield (*steps, key)[1:], gettext("A number outside 64 bits cannot be stored.")
        else:
            levels.pop()
            if steps:
                steps.pop()
