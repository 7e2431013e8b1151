"""What views of both apps share: a view parses, makes one call, answers."""

from collections.abc import Sequence
from typing import Any

import orjson
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.serializers import BaseSerializer

from chatstore.errors import NotFound


def valid(serializer: BaseSerializer[Any]) -> Any:
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data


def one(texts: Sequence[str], what: str) -> orjson.Fragment:
    """The one object that there is, as the database wrote it."""
    if not texts:
        raise NotFound(what)
    return orjson.Fragment(texts[0])


def flag(request: Request, name: str) -> bool:
    value = request.query_params.get(name, "false")
    if value not in ("true", "false"):
        raise ValidationError({name: ["Must be true or false."]})
    return value == "true"
