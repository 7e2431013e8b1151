"""Cursor pagination: {"results": [...], "next": "<URL>" | null}.

A cursor is opaque to clients. It contains the name of its list and the sort key of the last row. `read_cursor` checks
it. (DRF's CursorPagination counts an offset within rows of equal keys, so new rows shift its pages.)"""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urlencode

import orjson
from django.utils.translation import gettext
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from .responses import TIME_FORMAT

T = TypeVar("T")


@dataclass(frozen=True)
class IntParam:
    """A query parameter that is a whole number from `least` to `most`: how it is read and how OpenAPI describes it."""

    name: str
    default: int
    most: int
    description: str
    least: int = 1

    @property
    def parameter(self) -> OpenApiParameter:
        schema = {"type": "integer", "minimum": self.least, "maximum": self.most, "default": self.default}
        return OpenApiParameter(self.name, schema, description=self.description)

    def read(self, request: Request) -> int:
        """Return the value in the request, or the default. Raise ValidationError if it is out of bounds."""
        return int_param(request, self.name, default=self.default, least=self.least, most=self.most)


def page_size(*, default: int, most: int, description: str = "The maximum number of results.") -> IntParam:
    """Return the query parameter `limit` of one route."""
    return IntParam("limit", default, most, description)


def int_param(request: Request, name: str, *, default: int, least: int = 1, most: int) -> int:
    """Return a query parameter as an int, or the default. Raise ValidationError unless it is from `least` to `most`."""
    raw = request.query_params.get(name, str(default))
    if not raw.isascii() or not raw.isdigit() or len(raw) > 9 or not least <= int(raw) <= most:
        message = gettext("Must be a whole number from {least} to {most}.")
        raise ValidationError({name: [message.format(least=least, most=most)]})
    return int(raw)


def parse_datetime(text: str) -> datetime:
    """Return the time that `format_time` wrote. Raise ValueError for any other text."""
    return datetime.strptime(text, TIME_FORMAT).replace(tzinfo=UTC)


def encode(kind: str, key: Sequence[Any]) -> str:
    """Return the cursor for a position in the list `kind`. `key` is the sort key of the last row, as JSON values."""
    return base64.urlsafe_b64encode(orjson.dumps([kind, *key])).decode().rstrip("=")


def read_cursor(request: Request, kind: str, parse: Callable[..., T]) -> T | None:
    """Return `parse(*key)` for the cursor in the request, or None if there is none.

    `kind` is the name of the list. Raise ValidationError if the cursor belongs to another list or is malformed."""
    raw = request.query_params.get("cursor")
    if raw is None:
        return None
    try:
        cursor_kind, *key = orjson.loads(base64.urlsafe_b64decode(raw + "=" * (-len(raw) % 4)))
        if cursor_kind == kind:
            return parse(*key)
    except (ValueError, TypeError, AttributeError, binascii.Error):
        pass
    raise ValidationError({"cursor": [gettext("This cursor does not belong to this list.")]})


def page(request: Request, texts: list[str], limit: int, next_key: Callable[[Any], str]) -> dict[str, Any]:
    """Return the body of one page.

    `texts` are JSON objects, which the response includes unparsed. There is a next page if there are more than `limit`
    texts, or if the last text is empty. `next_key` gets the last object of the page and returns its cursor."""
    texts, has_more = cut(texts, limit)
    next_page = next_url(request, next_key(orjson.loads(texts[-1]))) if has_more else None
    return {"results": [orjson.Fragment(text) for text in texts], "next": next_page}


def cut(texts: list[str], limit: int) -> tuple[list[str], bool]:
    """Return the texts of a page, and whether more follow: more than `limit`, or an empty text at the end."""
    if len(texts) > limit or "" in texts[-1:]:
        return texts[: min(limit, len(texts) - 1)], True
    return texts, False


def next_url(request: Request, cursor: str) -> str:
    """Return the URL of another page: the URL of this request with this cursor, and without the parameter `at`."""
    query = {**dict(request.query_params.lists()), "cursor": [cursor]}
    query.pop("at", None)
    return request.build_absolute_uri(f"{request.path}?{urlencode(query, doseq=True)}")
