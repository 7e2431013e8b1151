"""The parts of the OpenAPI document that drf-spectacular cannot derive: pages, errors and shared parameters."""

from typing import Any, cast

from drf_spectacular.drainage import set_override
from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import force_instance, get_doc
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, inline_serializer
from rest_framework import serializers

from .fields import StrictSerializer

KEY_LENGTH = 255  # characters of an Idempotency-Key, at most
CURSOR = OpenApiParameter(
    "cursor", {"type": "string", "format": "cursor"}, description="The cursor in the `next` of the previous page."
)
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": KEY_LENGTH},
    OpenApiParameter.HEADER,
    description=f"A key of your choice, at most {KEY_LENGTH} characters. If the same request is repeated with the same "
    "key within 24 hours, it is not executed again, and the response is the stored object (200). A different request "
    "with the same key is a 409.",
)


JSON_TYPES = {dict: "object", list: "array", str: "string"}


class ErrorDetailSerializer(serializers.Serializer[Any]):
    """One error in the request."""

    code = serializers.CharField(help_text="A stable code, for programs.")
    message = serializers.CharField(help_text="A sentence for people, in the language of the request.")
    field = serializers.CharField(allow_null=True, help_text="The path of the field, such as `messages[3].role`.")


class _ErrorSerializer(ErrorDetailSerializer):
    """The first error, and all errors in `details`."""

    details = ErrorDetailSerializer(many=True)


class ErrorSerializer(serializers.Serializer[Any]):
    """An error response. It has the first error, and all errors in `details`."""

    error = _ErrorSerializer()


class Schema(AutoSchema):
    """Adds the error response to every operation.

    A view has `error_schema` if its error body differs from that of the native API."""

    def get_description(self) -> str:  # type: ignore[override]
        """Return the docstring of the handler. The docstring of the view class is written for programmers."""
        name = getattr(self.view, "action", self.method.lower())
        return get_doc(getattr(self.view, name, None))

    def map_parsers(self) -> list[Any]:
        """Return the media type of all request bodies: every parser reads the body as JSON."""
        return ["application/json"]

    def _map_serializer_field(self, field: Any, direction: Any, bypass_extensions: bool = False) -> Any:
        schema = super()._map_serializer_field(field, direction, bypass_extensions)  # type: ignore[no-untyped-call]
        return schema | _size_limits(field, schema) if schema and direction == "request" else schema

    def _unwrap_list_serializer(self, serializer: Any, direction: Any) -> Any:
        schema = super()._unwrap_list_serializer(serializer, direction)
        return schema | _item_limits(serializer) if schema and direction == "request" else schema

    def _map_serializer(self, serializer: Any, direction: Any, bypass_extensions: bool = False) -> Any:
        serializer = force_instance(serializer)  # type: ignore[no-untyped-call]
        schema = super()._map_serializer(serializer, direction, bypass_extensions)  # type: ignore[no-untyped-call]
        is_strict = direction == "request" and isinstance(serializer, StrictSerializer)
        return schema | _known_fields(serializer, schema) | _needed_fields(serializer) if is_strict else schema

    def _get_request_for_media_type(self, serializer: Any, direction: Any = "request") -> tuple[Any, bool]:
        schema, is_required = super()._get_request_for_media_type(serializer, direction)  # type: ignore[no-untyped-call]
        is_one_of_several = isinstance(serializer, PolymorphicProxySerializer)
        return schema, is_required or is_one_of_several or hasattr(serializer, "needs_one_of")

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        shape = getattr(self.view, "error_schema", ErrorSerializer)
        error = self._get_response_for_code(shape, "default")  # type: ignore[no-untyped-call]
        description = "An error, in the shape of the native API."
        if shape is not ErrorSerializer:
            description = "An error, in the shape of this contract."
        return bodies | {"default": error | {"description": description}}


# --- What drf-spectacular does not read from serializers of requests --------------------------------------


def _size_limits(field: Any, schema: dict[str, Any]) -> dict[str, Any]:
    """Return the limit in bytes. JSON Schema counts characters, and a character has one to four bytes."""
    if isinstance(field, serializers.ListField):
        return _item_limits(field)
    limit = getattr(field, "byte_limit", 0)
    if not limit:
        return {}
    is_text = isinstance(field, serializers.CharField)
    size = f"At most {limit:,} bytes {'in UTF-8' if is_text else 'as JSON'}."
    description = " ".join(filter(None, [schema.get("description"), size]))
    return {"description": description, **({"maxLength": limit} if is_text else {})}


def _item_limits(field: Any) -> dict[str, Any]:
    limits = {
        "minItems": None if getattr(field, "allow_empty", True) else 1,
        "maxItems": getattr(field, "max_length", None),
    }
    return {name: limit for name, limit in limits.items() if limit is not None}


def _known_fields(serializer: Any, schema: dict[str, Any]) -> dict[str, Any]:
    """Return all properties. Unknown fields are errors; read-only fields can have any value, because it is ignored."""
    ignored = {name: {"description": "Ignored."} for name, field in serializer.fields.items() if field.read_only}
    return {"properties": {**schema.get("properties", {}), **ignored}, "additionalProperties": False}


def _needed_fields(serializer: Any) -> dict[str, Any]:
    """Return the rule that a new object has at least one of the fields in `needs_one_of`, and not null."""
    names = () if serializer.partial else getattr(serializer, "needs_one_of", ())
    rules = [{"required": [name], "properties": {name: {"not": {"type": "null"}}}} for name in names]
    return {"anyOf": rules} if rules else {}


class JsonSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Documents the types that a StrictJSONField accepts."""

    target_class = "chatstore.api.fields.StrictJSONField"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        names = [JSON_TYPES[kind] for kind in self.target.types]
        # `items: {}` allows items of any type.
        return {"type": names if len(names) > 1 else names[0], **({"items": {}} if "array" in names else {})}


def allow_overlaps(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Replace `oneOf` by `anyOf` in the whole document, except beside a discriminator.

    drf-spectacular writes `oneOf` even for alternatives that overlap. A value that matches two of them would then be
    invalid, such as an empty page, which is both a page of messages and a page of the tree."""
    return cast(dict[str, Any], _with_any_of(result))


def _with_any_of(node: Any) -> Any:
    if isinstance(node, list):
        return [_with_any_of(item) for item in node]
    if not isinstance(node, dict):
        return node
    overlaps = "discriminator" not in node
    return {"anyOf" if name == "oneOf" and overlaps else name: _with_any_of(item) for name, item in node.items()}


def paged(name: str, serializer: type[serializers.Serializer[Any]], **more: Any) -> serializers.Serializer[Any]:
    """Return the serializer of a page: `results`, `next` and the fields in `more`."""
    page = inline_serializer(
        name,
        {**more, "results": serializer(many=True), "next": serializers.URLField(allow_null=True)},
    )
    set_override(page, "many", False)  # the page is one object, although the view is a list
    return page
