"""Strict serializer fields. They accept values of the right JSON type only and convert nothing."""

from heapq import nsmallest
from typing import Any, NoReturn

import orjson
from django.conf import settings
from django.utils.translation import gettext, gettext_lazy
from rest_framework import serializers

from chatstore.text import size_above

from .findings import MAX_ERRORS, validate_each
from .responses import format_time


class StrictSerializer(serializers.Serializer[Any]):
    """Unknown fields are errors (`unknown_field`). Read-only fields are ignored, so a client can send back an object
    that it has read."""

    # Views keep one instance of each serializer and call its stateless `run_validation`. Building a serializer copies
    # all its fields, which took a quarter of the CPU time of an append.

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (unknown := data.keys() - self.fields.keys()):
            raise serializers.ValidationError(
                {
                    name: [serializers.ErrorDetail(gettext("There is no such field."), "unknown_field")]
                    for name in nsmallest(MAX_ERRORS + 1, unknown)
                }
            )
        return super().to_internal_value(data)

    def run_validators(self, value: Any) -> None:
        # REST framework collects the defaults of all read-only fields for the validators, even if there are none.
        if self.validators:
            super().run_validators(value)


class Many(serializers.ListSerializer[Any]):
    """A list of objects. Its validation stops once there are more than MAX_ERRORS errors."""

    max_length: int | None  # an attribute of DRF that is missing in its type stubs

    def to_internal_value(self, data: Any) -> list[Any]:
        if not isinstance(data, list):
            self._refuse("not_a_list", input_type=type(data).__name__)
        if not data and not self.allow_empty:
            self._refuse("empty")
        if self.max_length is not None and len(data) > self.max_length:
            self._refuse("max_length", max_length=self.max_length)
        return validate_each(self.run_child_validation, data)

    def _refuse(self, code: str, **values: Any) -> NoReturn:
        message = self.error_messages[code].format(**values)
        raise serializers.ValidationError({"non_field_errors": [message]}, code=code)


class StrictCharField(serializers.CharField):
    """A string, which is not trimmed. Numbers are errors."""

    default_error_messages = {"bytes": gettext_lazy("Has {size:,} bytes; the limit is {limit:,}.")}

    def __init__(self, *, byte_limit: int = 0, **kwargs: Any) -> None:
        self.byte_limit = byte_limit
        super().__init__(trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if self.byte_limit and (size := size_above(data, self.byte_limit)):
            self.fail("bytes", size=size, limit=self.byte_limit)
        return data


KINDS: dict[Any, Any] = {
    dict: gettext_lazy("an object"),
    list: gettext_lazy("an array"),
    str: gettext_lazy("a string"),
}


class StrictJSONField(serializers.JSONField):
    """A JSON value of one of the given types: `dict`, `list` or `str`."""

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
    """`true` or `false`. Strings and numbers are errors."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class StrictIntegerField(serializers.IntegerField):
    """A whole number. Strings, 5.0 and booleans are errors."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return data


class StrictNumberField(serializers.FloatField):
    """A number. Strings and booleans are errors."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictUUIDField(serializers.UUIDField):
    """A UUID as a string. Numbers are errors."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid", value=data)
        return super().to_internal_value(data)


class ShortList(serializers.ListField):
    """A list of values. Its length is checked before the values."""

    def run_child_validation(self, data: Any) -> list[Any]:
        if self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return validate_each(self.child.run_validation, data)


class LabelListField(ShortList):
    """A list of short strings (tags or notebooks). Duplicates are removed; the order is kept."""

    child = StrictCharField(max_length=100)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=settings.LABELS_LIMIT, **kwargs)

    def to_internal_value(self, data: Any) -> list[str]:
        return list(dict.fromkeys(super().to_internal_value(data)))


class UTCDateTimeField(serializers.DateTimeField):
    """A time. Responses write it in the format of `format_time`."""

    def to_representation(self, value: Any) -> Any:
        return value and format_time(value)
