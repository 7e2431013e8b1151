"""Limits of request bodies, checked before a body is read.

The API's parser has a limit for each view (chatstore.api.parsers). All other routes accept only small forms, without
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
    """Answers 413 if the Content-Length of a multipart form, or of a body outside the API, is above FORM_LIMIT."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        size = _declared_size(request)
        if size > settings.FORM_LIMIT and not _is_for_api_parser(request):
            message = gettext("The body has {size:,} bytes; the limit is {limit:,}.")
            return _text_response(message.format(size=size, limit=settings.FORM_LIMIT), 413)
        return self.get_response(request)


def _declared_size(request: HttpRequest) -> int:
    length = request.META.get("CONTENT_LENGTH") or "0"
    return int(length) if length.isdecimal() else 0


def _is_for_api_parser(request: HttpRequest) -> bool:
    """Return whether the API's parser reads the body. It never reads multipart forms."""
    return request.path_info.startswith("/api/") and not (request.content_type or "").startswith("multipart/")


class FilesRefused(BadRequest):
    """A multipart body contains a file."""


class RefusingUploadHandler(FileUploadHandler):
    """Raises FilesRefused at the first file of a form."""

    def new_file(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise FilesRefused

    def receive_data_chunk(self, raw_data: bytes, start: int) -> NoReturn:
        raise FilesRefused

    def file_complete(self, file_size: int) -> NoReturn:
        raise FilesRefused


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return the 400 for a request that Django refuses."""
    if isinstance(exception, FilesRefused):
        return _text_response(gettext("This service takes no files."), 400)
    return defaults.bad_request(request, exception)


def limit_of(path: str, method: str) -> int:
    """Return the largest body, in bytes, that the route of the path accepts."""
    try:
        view = getattr(resolve(path if path.endswith("/") else f"{path}/").func, "cls", None)
    except Resolver404:
        view = None
    return settings.FORM_LIMIT if view is None else body_limit(view, method)


def read_past(stream: Any) -> None:
    """Read the rest of a body and discard it, up to HISTORY_BODY_LIMIT. Otherwise a client that is still sending sees a
    closed connection instead of the response."""
    left = settings.HISTORY_BODY_LIMIT
    while left > 0 and (piece := stream.read(min(left, 65_536))):
        left -= len(piece)


def _text_response(message: str, status: int) -> HttpResponse:
    return HttpResponse(message, status=status, content_type="text/plain; charset=utf-8")
