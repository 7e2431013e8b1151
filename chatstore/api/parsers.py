"""Request bodies: JSON, limited in size."""

from typing import Any

from django.conf import settings
from django.http import UnreadablePostError
from django.utils.translation import gettext
from rest_framework import exceptions, parsers, status

from chatstore import strict_json
from chatstore.errors import Invalid


class TooLarge(exceptions.APIException):
    """The request body exceeds the limit of its route (413)."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"


def body_limit(view: Any, method: str) -> int:
    """Return how many bytes a body may have. A view that accepts more than BODY_LIMIT has a dict `body_limits`."""
    limits: dict[str, int] = getattr(view, "body_limits", {})
    return limits.get(method, settings.BODY_LIMIT)


class JSONParser(parsers.BaseParser):
    """Parses strict JSON. The function `body_limit` returns the maximum size of the body.

    `deeper` is the number of nesting levels that are allowed beyond JSON_DEPTH_LIMIT."""

    media_type = "application/json"
    deeper = 0

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        return strict_json.loads(self.read(stream, parser_context), deeper=self.deeper)

    def read(self, stream: Any, parser_context: Any) -> bytes:
        """Return the body. Raises TooLarge, and Invalid if the body does not arrive in full."""
        request = parser_context["request"]
        declared = int(request.META.get("CONTENT_LENGTH") or 0)
        limit = body_limit(parser_context["view"], request.method)
        if declared > limit:
            message = gettext("The body has {size:,} bytes; the limit is {limit:,}.")
            raise TooLarge(message.format(size=declared, limit=limit))
        return _read(stream)


def _read(stream: Any) -> bytes:
    try:
        return bytes(stream.read())
    except UnreadablePostError:  # the client has gone
        raise Invalid(gettext("The body did not arrive in full."), code="invalid_json") from None
