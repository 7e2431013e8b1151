"""Error responses. Every error of the native API has the body
{"error": {"code", "message", "field", "details": [{"code", "message", "field"}]}}.

`field` is a path such as `messages[3].role`, or null if the error belongs to no field. Codes never change. The
contracts in `compat` have other error bodies: their views have a method `error_body`, which returns the body for a
status and a list of errors. A view can also have `error_statuses`, which replaces status codes, for example 400 by 422.
"""

import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template import loader
from django.utils.translation import gettext
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from chatstore import database
from chatstore.errors import Conflict, Forbidden, Invalid, NotFound, OnHold, ProviderError, RateLimited, ServiceError

from .findings import Found as Found
from .findings import bounded

logger = logging.getLogger(__name__)
STATUS = {
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    OnHold: 409,
    Invalid: 400,
    RateLimited: 429,
    ProviderError: 502,
}
# Codes of DRF's serializers, and our codes for the same errors.
CODES = {"null": "required", "blank": "required", "does_not_exist": "not_found"}

BuildBody = Callable[[int, list[Found]], Any]  # (status, errors) -> response body; the list has at least one error


def handle(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Return the error response for an exception, or None if it is a bug: Django then answers with 500."""
    set_rollback()
    status, errors, headers = _describe(exc)
    if not errors:
        return None
    view = context["view"]
    status = getattr(view, "error_statuses", {}).get(status, status)
    return Response(_body_builder(view)(status, errors), status, headers=headers)


def _describe(exc: Exception) -> tuple[int, list[Found], dict[str, str]]:
    if isinstance(exc, ServiceError):
        return STATUS[type(exc)], [(exc.field, exc.message, exc.code)], _headers(exc)
    if isinstance(exc, IntegrityError):
        # The text of the exception can contain the refused row, and so the content of a message. Log only the name of
        # the constraint.
        diagnosis = getattr(exc.__cause__, "diag", None)
        logger.error("refused by the constraint %s", getattr(diagnosis, "constraint_name", None))
        return 409, [(None, gettext("The request conflicts with the stored data."), "conflict")], {}
    if isinstance(exc, OperationalError):
        return _unavailable(exc, gettext("The database is not available; try again shortly."))
    if database.is_read_only_error(exc):
        # A connection that began while the database was read-only stays read-only afterwards.
        database.renew_connections()
        return _unavailable(exc, gettext("The database accepts no changes at the moment; try again shortly."))
    if database.is_outdated_plan_error(exc):
        database.renew_connections()
        return _unavailable(exc, gettext("The database is not available; try again shortly."))
    if refusal := _as_api_exception(exc):
        return refusal.status_code, _flatten(refusal), _headers(refusal)
    return 500, [], {}


def _unavailable(exc: Exception, message: str) -> tuple[int, list[Found], dict[str, str]]:
    logger.error("database unavailable or read-only: %s", exc.__class__.__name__, exc_info=exc)
    return 503, [(None, message, "unavailable")], {"Retry-After": "5"}


def _body_builder(view: Any) -> BuildBody:
    return getattr(view, "error_body", _body)


def _as_api_exception(exc: Exception) -> exceptions.APIException | None:
    if isinstance(exc, Http404):
        return exceptions.NotFound()
    if isinstance(exc, PermissionDenied):
        return exceptions.PermissionDenied()
    return exc if isinstance(exc, exceptions.APIException) else None


def _headers(exc: Exception) -> dict[str, str]:
    headers = {}
    if challenge := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(exc, "wait", None):
        headers["Retry-After"] = str(wait)
    return headers


def _flatten(exc: exceptions.APIException) -> list[Found]:
    return bounded(_walk(exc.detail, ""))


def _walk(detail: Any, path: str) -> Iterator[Found]:
    """Yield the errors in DRF's `detail` one after another. `detail` is nested like the input: a list in it contains
    the error messages of one field, or one entry for each item of a list in the input."""
    if isinstance(detail, dict):
        for key, inner in detail.items():
            yield from _walk(inner, _extend_path(path, key))
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            yield from _walk(inner, f"{path}[{index}]" if isinstance(inner, dict | list) else path)
    else:
        code = getattr(detail, "code", "invalid")
        yield path or None, str(detail), CODES.get(code, code)


def _extend_path(path: str, key: str | int) -> str:
    if key == "non_field_errors":
        return path
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else str(key)


def _body(status: int, errors: list[Found]) -> dict[str, Any]:
    details = [{"code": code, "message": message, "field": field} for field, message, code in errors]
    return {"error": {**details[0], "details": details}}


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return the 404 response for a request outside REST framework. It is JSON if the path starts with /api/, otherwise
    an HTML page."""
    if request.path.startswith("/api/"):
        message = gettext("There is nothing at {path}.").format(path=request.path)
        return JsonResponse(_body(404, [(None, message, "not_found")]), status=404)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Return the response for an exception that `handle` did not answer. It is JSON if the path starts with /api/,
    otherwise an HTML page.

    The status is 503 if the database is not available or accepts no changes, otherwise 500."""
    exc = sys.exception()
    status, errors, headers = _describe(exc) if isinstance(exc, Exception) else (500, [], {})
    if status != 503:
        status, headers = 500, {}
        errors = [(None, gettext("Something broke on our side; it is logged."), "server_error")]
    if request.path.startswith("/api/"):
        view = getattr(getattr(request.resolver_match, "func", None), "cls", None)
        return JsonResponse(_body_builder(view)(status, errors), status=status, headers=headers)
    if status == 503:
        return HttpResponse(loader.render_to_string("503.html"), status=status, headers=headers)
    return defaults.server_error(request)
