"""The straight way of requests with a bearer token, the content security policy of pages, and the response to too many
attempts to sign in."""

from collections.abc import Callable
from typing import Any

from allauth.core.ratelimit import respond_429
from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import Resolver404, resolve

from .api.base import APIView
from .authentication import BearerAuthentication, is_bearer

Handler = Callable[[HttpRequest], HttpResponse]
# The responses of the API are no documents. If a browser shows one nevertheless, it loads and runs nothing.
API_HEADERS = {"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "X-Frame-Options": "DENY"}

RETRY_AFTER = 300  # seconds; the longest period in which allauth counts attempts to sign in


class LockedOut(Exception):
    """Too many attempts to sign in, or too many mails to one address. `wait` is in seconds."""

    def __init__(self, wait: int = RETRY_AFTER) -> None:
        super().__init__()
        self.wait = wait


class BearerMiddleware:
    """Sends a request with a bearer token straight to its view, past all middleware that comes after this one.

    That middleware is for pages and sessions. So the way is open only to views that never look at the session of such a
    request: BearerAuthentication is the first authentication of the view, and it refuses a token that it does not know.
    Nobody gets a page, the admin, a route of allauth or the rights of a session cookie by adding a header.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        self.call_view = convert_exception_to_response(_call_view)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not is_bearer(request.META.get("HTTP_AUTHORIZATION", "")) or not _is_for_tokens(request):
            return self.get_response(request)
        response: Any = self.call_view(request)
        for name, value in API_HEADERS.items():
            response.headers[name] = value
        return response


def _is_for_tokens(request: HttpRequest) -> bool:
    """Find the view of the request. Return whether it is one whose callers a bearer token identifies alone."""
    try:
        request.resolver_match = resolve(request.path_info)
    except Resolver404:
        return False
    return takes_tokens_first(request.resolver_match.func)


def takes_tokens_first(view: Any) -> bool:
    cls: Any = getattr(view, "cls", object)  # a view of REST framework has its class here
    return issubclass(cls, APIView) and list(cls.authentication_classes[:1]) == [BearerAuthentication]


def _call_view(request: HttpRequest) -> HttpResponse:
    """Call the view as Django's own handler does."""
    match: Any = request.resolver_match
    response = match.func(request, *match.args, **match.kwargs)
    return response.render() if hasattr(response, "render") else response


class PagePolicyMiddleware(CSPMiddleware):
    """Adds the content security policy. On the pages that ask "Sign in via …?", forms can lead to every site.

    The response to such a form redirects to an identity provider, which can redirect to more sites. Chromium applies
    `form-action` to all these redirects. These pages have only a button, so their forms send nothing that a user
    enters."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts: PolicyParts = super().get_policy_parts(request, response, report_only)
        if request.resolver_match and request.resolver_match.url_name in _provider_pages():
            parts.replace = {**(parts.replace or {}), "form-action": None}
        return parts


def _provider_pages() -> set[str]:
    return {f"{name}_login" for name in settings.SOCIALACCOUNT_PROVIDERS}


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
