"""The one error shape of the native API:
{"error": {"code", "message", "field", "details": [{"code", "message", "field"}]}}.

`field` is a path such as `messages[3].role`; codes never change."""

import logging
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from chatstore.errors import Conflict, Invalid, NotFound, Refused

logger = logging.getLogger(__name__)
STATUS = {NotFound: 404, Conflict: 409, Invalid: 400}
# DRF's names for what its serializers find, as ours say it.
CODES = {"null": "required", "blank": "required", "does_not_exist": "not_found"}


def handle(exc: Exception, context: dict[str, Any]) -> Response | None:
    set_rollback()
    if isinstance(exc, Refused):
        return Response(_body([(exc.field, exc.message, exc.code)]), STATUS[type(exc)])
    if isinstance(exc, IntegrityError):
        # Its text holds the row, and so the message: only the constraint's name goes into the log.
        diagnosis = getattr(exc.__cause__, "diag", None)
        logger.error("refused by the constraint %s", getattr(diagnosis, "constraint_name", None))
        return Response(_body([(None, "This contradicts what is stored.", "conflict")]), 409)
    if isinstance(exc, OperationalError):
        logger.error("database unavailable: %s", exc.__class__.__name__, exc_info=exc)
        body = _body([(None, "The database is not available; try again shortly.", "unavailable")])
        return Response(body, 503, headers={"Retry-After": "5"})
    if refusal := _as_api_exception(exc):
        return Response(_body(_flat(refusal)), refusal.status_code, headers=_headers(refusal))
    return None


def _as_api_exception(exc: Exception) -> exceptions.APIException | None:
    if isinstance(exc, Http404):
        return exceptions.NotFound()
    if isinstance(exc, PermissionDenied):
        return exceptions.PermissionDenied()
    return exc if isinstance(exc, exceptions.APIException) else None


def _headers(exc: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if challenge := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(exc, "wait", None):
        headers["Retry-After"] = str(int(wait) + 1)
    return headers


Found = tuple[str | None, str, str]  # field, message, code


def _flat(exc: exceptions.APIException) -> list[Found]:
    return list(_walk(exc.detail, ""))


def _walk(detail: Any, path: str) -> Iterator[Found]:
    """DRF nests errors as the input is nested; a list holds messages, or one entry for each item."""
    if isinstance(detail, dict):
        for key, inner in detail.items():
            yield from _walk(inner, _step(path, key))
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            yield from _walk(inner, f"{path}[{index}]" if isinstance(inner, dict | list) else path)
    else:
        code = getattr(detail, "code", "invalid")
        yield path or None, str(detail), CODES.get(code, code)


def _step(path: str, key: str | int) -> str:
    if key == "non_field_errors":
        return path
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else str(key)


def _body(found: list[Found]) -> dict[str, Any]:
    details = [{"code": code, "message": message, "field": field} for field, message, code in found]
    return {"error": {**details[0], "details": details}}


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith("/api/"):
        return JsonResponse(_body([(None, f"There is nothing at {request.path}.", "not_found")]), status=404)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    if request.path.startswith("/api/"):
        return JsonResponse(_body([(None, "Something broke on our side; it is logged.", "server_error")]), status=500)
    return defaults.server_error(request)
