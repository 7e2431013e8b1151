from collections.abc import Iterator
from typing import Any

import orjson
from django.conf import settings
from rest_framework import exceptions, parsers, status

INT64 = range(-(2**63), 2**63)


class TooLarge(exceptions.APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"


class JSONParser(parsers.BaseParser):
    """Refuses, before anything else sees them, what the database or the renderer would choke on later: NaN, infinities,
    lone surrogates (all three by orjson), NUL, integers outside 64 bits, deep nesting, a body over the limit."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        view = (parser_context or {}).get("view")
        return parse_json(_read(stream, getattr(view, "body_limit", settings.BODY_LIMIT)))


def parse_json(text: bytes) -> Any:
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise exceptions.ParseError(f"Not JSON: {error}.", code="invalid_json") from None
    for path, problem in problems(data, settings.JSON_DEPTH_LIMIT):
        raise exceptions.ValidationError(_nested(path, problem), code="invalid_json")
    return data


def _read(stream: Any, limit: int) -> bytes:
    declared = int(stream.META.get("CONTENT_LENGTH") or 0)
    body = b"" if declared > limit else stream.read(limit + 1)
    if max(declared, len(body)) > limit:
        raise TooLarge(f"The body has {max(declared, len(body)):,} bytes; the limit is {limit:,}.")
    return bytes(body)


def problems(data: Any, depth_limit: int) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Where a parsed document holds something that cannot be stored, and what. Without recursion, so of any depth."""
    waiting: list[tuple[tuple[str | int, ...], Any]] = [((), data)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, str):
            if "\0" in value:
                yield path, "A NUL character cannot be stored."
        elif isinstance(value, int | float) and not -(2**63) <= value < 2**63:
            yield path, "A number outside 64 bits cannot be stored."
        elif isinstance(value, dict | list):
            if len(path) >= depth_limit:
                yield path[:1], f"Nested deeper than {depth_limit} levels."
                return
            if isinstance(value, dict) and any("\0" in key for key in value):
                yield path, "A NUL character cannot be stored."
            items = value.items() if isinstance(value, dict) else enumerate(value)
            waiting.extend(((*path, key), item) for key, item in items)


def _nested(path: tuple[str | int, ...], problem: str) -> Any:
    """The problem at its place, in the shape of DRF's own errors, whose path the error handler spells out."""
    if not path:
        return [problem]
    key, *rest = path
    inner = _nested(tuple(rest), problem)
    return {key: inner}
