"""Helpers with which views build responses and read query parameters."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from django.db.models import Model
from django.utils.translation import gettext
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from chatstore.errors import NotFound

TIME_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"  # ISO 8601 in UTC with microseconds, as in the JSON that PostgreSQL writes


def row_to_dict(row: Model, fields: Sequence[str], **more: Any) -> dict[str, Any]:
    """Return the fields of a row that was just written. A later read of the row returns equal JSON, made by PostgreSQL.

    `more` replaces or adds fields."""
    values = {name: getattr(row, name) for name in fields} | more
    return {name: format_time(value) if isinstance(value, datetime) else value for name, value in values.items()}


def format_time(value: datetime) -> str:
    """Return a UTC time as every API of chatstore writes it."""
    return value.strftime(TIME_FORMAT)


def get_or_404(texts: Sequence[str], what: str) -> orjson.Fragment:
    """Return the only object in `texts`, a query's result. Raise NotFound(`what`) if the result is empty."""
    if not texts:
        raise NotFound(what)
    return orjson.Fragment(texts[0])


def bool_param(request: Request, name: str) -> bool:
    """Return a query parameter as a bool, False if missing. Raise ValidationError unless it is `true` or `false`."""
    value = request.query_params.get(name, "false")
    if value not in ("true", "false"):
        raise ValidationError({name: [gettext("Must be true or false.")]})
    return value == "true"
