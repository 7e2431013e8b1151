"""Idempotency-Key, for every POST that creates."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from django.db.models import Model
from django.utils.translation import gettext
from rest_framework.exceptions import ValidationError

from accounts import idempotency
from chatstore.fingerprints import fingerprint

from .requests import Request

Row = TypeVar("Row", bound=Model)


def once(request: Request, make: Callable[[], tuple[Sequence[Row], bool]]) -> tuple[Sequence[Row], list[str]]:
    """What `make` made now; or else the ids of what was made when the same was asked before, to be read again."""
    key = _key(request)
    if key is None:
        rows, is_new = make()
        return (rows, []) if is_new else ([], _ids(rows))
    made: list[Row] = []

    def work() -> list[str]:
        rows, is_new = make()
        made.extend(rows if is_new else ())
        return _ids(rows)

    asked = fingerprint([request.method, request.path_info, request.query_params.dict(), request.data])
    ids = idempotency.once(user=request.user, key=key, fingerprint=asked, work=work)
    return (made, []) if made else ([], ids)


def _ids(rows: Sequence[Model]) -> list[str]:
    return [str(row.pk) for row in rows]


def _key(request: Request) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not 1 <= len(key) <= 255:
        raise ValidationError({"Idempotency-Key": [gettext("Must have 1 to 255 characters.")]})
    return key
