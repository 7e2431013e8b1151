"""What drf-spectacular cannot read off the code: the page's shape, the one error shape."""

from typing import Any

from drf_spectacular.drainage import set_override
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers

LIMIT = OpenApiParameter("limit", int, description="How many at most.")
CURSOR = OpenApiParameter("cursor", str, description="From the `next` of the page before.")
PAGING = [LIMIT, CURSOR]
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Of the caller's choice, at most 255 characters. The same request with the same key within 24 hours is "
    "carried out once and answered again (200); another request with that key is a 409.",
)


class ErrorDetailSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="Never changes; for programs.")
    message = serializers.CharField(help_text="For people.")
    field = serializers.CharField(allow_null=True, help_text="A path such as `messages[3].role`.")


class _ErrorSerializer(ErrorDetailSerializer):
    details = ErrorDetailSerializer(many=True)


class ErrorSerializer(serializers.Serializer[Any]):
    error = _ErrorSerializer()


class Schema(AutoSchema):
    """Every operation may answer with the error shape."""

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        shape = getattr(self.view, "error_schema", ErrorSerializer)
        error = self._get_response_for_code(shape, "default")  # type: ignore[no-untyped-call]
        return bodies | {"default": error | {"description": "An error, in the one shape of all errors."}}


def paged(name: str, serializer: type[serializers.Serializer[Any]], **more: Any) -> serializers.Serializer[Any]:
    page = inline_serializer(
        name,
        {**more, "results": serializer(many=True), "next": serializers.URLField(allow_null=True)},
    )
    set_override(page, "many", False)  # one object, even where the view is a list
    return page


UUID_PATH = OpenApiParameter("id", OpenApiTypes.UUID, OpenApiParameter.PATH)
