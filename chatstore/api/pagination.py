"""Cursor pages: {"results": [...], "next": "<URL>" | null}. A cursor is opaque to clients and checked here: it names
its list and holds the last row's sort key. (DRF's CursorPagination counts offsets among ties, and drifts.)"""

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import orjson
from django.utils.translation import gettext
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

T = TypeVar("T")


def int_param(request: Request, name: str, *, default: int, most: int) -> int:
    raw = request.query_params.get(name, str(default))
    if not raw.isascii() or not raw.isdigit() or len(raw) > 9 or not 1 <= int(raw) <= most:
        raise ValidationError({name: [gettext("Must be a whole number from 1 to {most}.").format(most=most)]})
    return int(raw)


def page_limit(request: Request, *, default: int, most: int) -> int:
    return int_param(request, "limit", default=default, most=most)


def parse_datetime(text: str) -> datetime:
    """A time as this API writes it, and in no other form."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


def encode(kind: str, key: Sequence[Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([kind, *key])).decode().rstrip("=")


def read_cursor(request: Request, kind: str, parse: Callable[..., T]) -> T | None:
    """The position that `?cursor=` names, by `parse(*key)`; None without one; a cursor of another list is a 400."""
    raw = request.query_params.get("cursor")
    if raw is None:
        return None
    try:
        found, *key = orjson.loads(base64.urlsafe_b64decode(raw + "=" * (-len(raw) % 4)))
        if found == kind:
            return parse(*key)
    except (ValueError, TypeError, AttributeError, binascii.Error):
        pass
    raise ValidationError({"cursor": [gettext("This cursor is not of this list.")]})


def page(request: Request, texts: list[str], limit: int, next_key: Callable[[Any], str]) -> dict[str, Any]:
    """`texts` are JSON objects, one more than `limit` where there is a next page; they go out as they are."""
    following = None
    if len(texts) > limit:
        texts = texts[:limit]
        following = next_url(request, next_key(orjson.loads(texts[-1])))
    return {"results": [orjson.Fragment(text) for text in texts], "next": following}


def next_url(request: Request, cursor: str) -> str:
    query = request.query_params.copy()
    query["cursor"] = cursor
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
