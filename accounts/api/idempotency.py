"""The `Idempotency-Key` header of the routes that create objects."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Model
from django.utils.translation import gettext
from rest_framework.exceptions import ValidationError

from accounts import idempotency
from chatstore.api.schema import KEY_LENGTH
from chatstore.fingerprints import fingerprint

from .base import Request

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Outcome(Generic[Row]):
    """The result of a request that runs once.

    `ids` are the ids of the rows to return. `rows` contains these rows if this request stored them. Otherwise, `rows`
    is empty, and the caller reads the rows by their ids.
    """

    rows: Sequence[Row]
    ids: Sequence[str]

    @property
    def is_new(self) -> bool:
        return bool(self.rows)


def run_idempotent(request: Request, make: Callable[[], tuple[Sequence[Row], bool]]) -> Outcome[Row]:
    """Run `make`, unless the same request with the same `Idempotency-Key` has run before.

    `make` returns the rows and whether it stored them. Raises Conflict if a different request has used the key.
    """
    key = _key(request)
    if key is None:
        rows, is_new = make()
        return Outcome(rows if is_new else (), _ids(rows))
    stored: list[Row] = []

    def work() -> list[str]:
        rows, is_new = make()
        stored.extend(rows if is_new else ())
        return _ids(rows)

    sent = fingerprint([request.method, request.path_info, request.query_params.dict(), request.data])
    ids = idempotency.run_idempotent(user=request.user, key=key, fingerprint=sent, work=work)
    return Outcome(stored, ids)


def _ids(rows: Sequence[Model]) -> list[str]:
    return [str(row.pk) for row in rows]


def _key(request: Request) -> str | None:
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")  # `request.headers` would build a list of all headers
    if key is not None and not 1 <= len(key) <= KEY_LENGTH:
        raise ValidationError({"Idempotency-Key": [gettext("Must have 1 to 255 characters.")]})
    return key
