"""The response to too many attempts to sign in."""

from collections.abc import Callable

from allauth.core.ratelimit import respond_429
from django.http import HttpRequest, HttpResponse

RETRY_AFTER = 300  # seconds; the longest period in which allauth counts attempts to sign in


class LockedOut(Exception):
    """Too many attempts to sign in, or too many mails to one address. `wait` is in seconds."""

    def __init__(self, wait: int = RETRY_AFTER) -> None:
        super().__init__()
        self.wait = wait


class LockOutMiddleware:
    """Adds `Retry-After` to every 429, and answers LockedOut with a 429."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code == 429:
            response.headers.setdefault("Retry-After", str(RETRY_AFTER))
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, LockedOut):
            return None
        response: HttpResponse = respond_429(request)
        response.headers["Retry-After"] = str(exception.wait)
        return response
