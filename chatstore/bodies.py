"""Limits of request bodies, checked before a body is read.

The web server (chatstore.serving.request_body) does not read a body above the limit of its route. The application then
refuses it, because only the application knows the error format of the route. The API's parser has a limit for each
view (chatstore.api.parsers). All other routes accept only small forms, without files.
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
    return request.path_info.startswith("/api/") and not _is_multipart(request.content_type or "")


def _is_multipart(content_type: str) -> bool:
    return content_type.lower().startswith("multipart/")


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


def limit_of(path: str, method: str, content_type: str = "") -> int:
    """Return the largest body, in bytes, that the route of the path accepts."""
    try:
        view = getattr(resolve(path if path.endswith("/") else f"{path}/").func, "cls", None)
    except Resolver404:
        view = None
    return settings.FORM_LIMIT if view is None or _is_multipart(content_type) else body_limit(view, method)


def _text_response(message: str, status: int) -> HttpResponse:
    return HttpResponse(message, status=status, content_type="text/plain; charset=utf-8")
