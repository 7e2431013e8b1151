"""Limits on request bodies, checked before a body is read.

The API's parser has its own limit for each view (chatstore.api.parsers). All other routes take small forms, and no
files.
"""

from typing import Any, NoReturn

from django.conf import settings
from django.core.exceptions import BadRequest
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve
from django.utils.translation import gettext
from django.views import defaults

from chatstore.api.parsers import body_limit

from .middleware import Handler


class BodyLimitMiddleware:
    """Refuse a form or a body outside the API whose Content-Length is over FORM_LIMIT."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        size = _declared(request)
        if size > settings.FORM_LIMIT and not _is_for_the_api(request):
            message = gettext("The body has {size:,} bytes; the limit is {limit:,}.")
            return _plain(message.format(size=size, limit=settings.FORM_LIMIT), 413)
        return self.get_response(request)


def _declared(request: HttpRequest) -> int:
    length = request.META.get("CONTENT_LENGTH") or "0"
    return int(length) if length.isdecimal() else 0


def _is_for_the_api(request: HttpRequest) -> bool:
    """Say whether the API's parser reads the body. It never reads multipart forms."""
    return request.path_info.startswith("/api/") and not (request.content_type or "").startswith("multipart/")


class FilesRefused(BadRequest):
    """A multipart body contains a file."""


class RefusingUploadHandler(FileUploadHandler):
    def new_file(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise FilesRefused

    def receive_data_chunk(self, raw_data: bytes, start: int) -> NoReturn:
        raise FilesRefused

    def file_complete(self, file_size: int) -> NoReturn:
        raise FilesRefused


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django refuses with a 400."""
    if isinstance(exception, FilesRefused):
        return _plain(gettext("This service takes no files."), 400)
    return defaults.bad_request(request, exception)


def limit_of(path: str, method: str) -> int:
    """Return how many bytes of a body the route at the path reads at most."""
    try:
        view = getattr(resolve(path if path.endswith("/") else f"{path}/").func, "cls", None)
    except Resolver404:
        view = None
    return settings.FORM_LIMIT if view is None else body_limit(view, method)


def read_past(stream: Any) -> None:
    """Discard what is left of a body that is over its limit, up to the largest body of any route. A client that is
    still sending would otherwise find the connection closed, and no answer."""
    left = settings.HISTORY_BODY_LIMIT
    while left > 0 and (piece := stream.read(min(left, 65_536))):
        left -= len(piece)


def _plain(message: str, status: int) -> HttpResponse:
    return HttpResponse(message, status=status, content_type="text/plain; charset=utf-8")
