"""JSON that can be stored. Refused, before anything else sees them: NaN, infinities, lone surrogates (these three by
orjson), NUL, integers outside 64 bits, deep nesting. PostgreSQL or the renderer would choke on them later."""

from collections.abc import Iterator
from typing import Any

import orjson
from django.conf import settings

from .errors import Invalid

Path = tuple[str | int, ...]


def loads(text: bytes) -> Any:
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Invalid(f"This is not JSON: {error}.", code="invalid_json") from None
    for path, problem in _problems(data, settings.JSON_DEPTH_LIMIT):
        raise Invalid(problem, code="invalid_json", field=spelled(path) or None)
    return data


def spelled(path: Path) -> str:
    """`messages[3].role`"""
    steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return steps.removeprefix(".")


def _problems(data: Any, depth_limit: int) -> Iterator[tuple[Path, str]]:
    """Without recursion, so for any depth."""
    waiting: list[tuple[Path, Any]] = [((), data)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, str):
            if "\0" in value:
                yield path, "A NUL character cannot be stored."
        elif isinstance(value, dict | list):
            if len(path) >= depth_limit:
                yield path[:1], f"Nested deeper than {depth_limit} levels."
            if isinstance(value, dict) and any("\0" in key for key in value):
                yield path, "A NUL character cannot be stored."
            items = value.items() if isinstance(value, dict) else enumerate(value)
            waiting.extend(((*path, key), item) for key, item in items)
        elif isinstance(value, int | float) and not -(2**63) <= value < 2**63:
            yield path, "A number outside 64 bits cannot be stored."
