"""What views of both apps share: a view parses, makes one call, answers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from django.db.models import Model
from django.utils.translation import gettext
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from chatstore.errors import NotFound


def row_to_dict(row: Model, fields: Sequence[str], **more: Any) -> dict[str, Any]:
    """A row that was just written, as PostgreSQL would have made JSON of it."""
    values = {name: getattr(row, name) for name in fields} | more
    return {name: format_time(value) if isinstance(value, datetime) else value for name, value in values.items()}


def format_time(value: datetime) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def get_or_404(texts: Sequence[str], what: str) -> orjson.Fragment:
    """The one object that there is, as the database wrote it."""
    if not texts:
        raise NotFound(what)
    return orjson.Fragment(texts[0])


def bool_param(request: Request, name: str) -> bool:
    value = request.query_params.get(name, "false")
    if value not in ("true", "false"):
        raise ValidationError({name: [gettext("Must be true or false.")]})
    return value == "true"
