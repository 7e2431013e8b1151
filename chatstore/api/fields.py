"""Serializer fields that take what they say and nothing that merely converts to it."""

from typing import Any

import orjson
from django.conf import settings
from django.utils.translation import gettext, gettext_lazy
from rest_framework import serializers


class StrictSerializer(serializers.Serializer[Any]):
    """Unknown fields are errors that name them; read-only ones, sent back as they were read, are ignored."""

    # Views keep one instance each and call `run_validation` on it, which has no state: building a serializer copies all
    # of its fields, which cost an append a quarter of its CPU.

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (unknown := data.keys() - self.fields.keys()):
            raise serializers.ValidationError(
                {
                    name: [serializers.ErrorDetail(gettext("There is no such field."), "unknown_field")]
                    for name in sorted(unknown)
                }
            )
        return super().to_internal_value(data)


class StrictCharField(serializers.CharField):
    """A string, to the letter: not trimmed, and no number either."""

    default_error_messages = {"bytes": gettext_lazy("Has {size:,} bytes; the limit is {limit:,}.")}

    def __init__(self, *, byte_limit: int = 0, **kwargs: Any) -> None:
        self.byte_limit = byte_limit
        super().__init__(trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        # Four bytes a character at most: only a long text is worth encoding to be counted.
        if self.byte_limit and len(data) * 4 > self.byte_limit and (size := len(data.encode())) > self.byte_limit:
            self.fail("bytes", size=size, limit=self.byte_limit)
        return data


KINDS: dict[Any, Any] = {dict: gettext_lazy("an object"), list: gettext_lazy("an array")}


class StrictJSONField(serializers.JSONField):
    """JSON of one of the given Python types."""

    default_error_messages = {
        "type": gettext_lazy("Must be {expected}."),
        "bytes": gettext_lazy("Has {size:,} bytes as JSON; the limit is {limit:,}."),
    }

    def __init__(self, *types: type, byte_limit: int = 0, **kwargs: Any) -> None:
        self.types, self.byte_limit = types, byte_limit
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, self.types):
            self.fail("type", expected=gettext(" or ").join(str(KINDS[kind]) for kind in self.types))
        if self.byte_limit and (size := len(orjson.dumps(data))) > self.byte_limit:
            self.fail("bytes", size=size, limit=self.byte_limit)
        return data


class StrictBooleanField(serializers.BooleanField):
    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class StrictIntegerField(serializers.IntegerField):
    """A whole number: no string of digits, no 5.0."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return data


class StrictUUIDField(serializers.UUIDField):
    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid", value=data)
        return super().to_internal_value(data)


class LabelListField(serializers.ListField):
    """Tags, notebooks: short strings, each once, in the order given."""

    child = StrictCharField(max_length=100)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=settings.LABELS_LIMIT, **kwargs)

    def to_internal_value(self, data: Any) -> list[str]:
        return list(dict.fromkeys(super().to_internal_value(data)))


class UTCDateTimeField(serializers.DateTimeField):
    """UTC, ISO 8601, microseconds and `Z`: as PostgreSQL writes it in chatstore's own JSON."""

    def to_representation(self, value: Any) -> Any:
        return value and value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
