"""Middleware: the cross-site rule for session cookies, the language of pages, and trailing slashes.

The cross-site rule:

1. Safe methods pass, because no GET changes user data. (Contract D's list only records which sessions it returned.)
2. Browsers say in Sec-Fetch-Site where a request comes from. The request passes if it comes from our own pages, or from
   no page (a person typed the address). Otherwise it passes only with a trusted Origin.
3. Without Sec-Fetch-Site, Origin decides.
4. Without both headers, the request needs Django's CSRF token.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.utils import translation
from django.utils.http import is_same_domain

Handler = Callable[[HttpRequest], HttpResponse]
SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")
SAME_SITE = ("same-origin", "none")


class CrossSiteMiddleware(CsrfViewMiddleware):
    """Applies the cross-site rule. Refused requests get Django's CSRF response."""

    # Methods of Django's class that are missing in its type stubs.
    _accept: Callable[[HttpRequest], None]
    _reject: Callable[[HttpRequest, str], Any]
    _origin_verified: Callable[[HttpRequest], bool]

    def process_view(self, request: HttpRequest, callback: Any, callback_args: Any, callback_kwargs: Any) -> Any:
        exempt = getattr(callback, "csrf_exempt", False) or getattr(request, "_dont_enforce_csrf_checks", False)
        if exempt or request.method in SAFE_METHODS:
            return super().process_view(request, callback, callback_args, callback_kwargs)
        is_allowed = self._is_allowed(request)
        if is_allowed is None:
            return super().process_view(request, callback, callback_args, callback_kwargs)
        return self._accept(request) if is_allowed else self._reject(request, "it comes from another site.")

    def _is_allowed(self, request: HttpRequest) -> bool | None:
        """Return whether the headers allow the request, or None if Django's CSRF token must decide."""
        if site := request.META.get("HTTP_SEC_FETCH_SITE"):
            return site in SAME_SITE or self._is_trusted(request.META.get("HTTP_ORIGIN", ""))
        return self._origin_verified(request) if "HTTP_ORIGIN" in request.META else None

    def _is_trusted(self, origin: str) -> bool:
        scheme, _, host = origin.partition("://")
        subdomains = self.allowed_origin_subdomains.get(scheme, ())
        return origin in self.allowed_origins_exact or any(is_same_domain(host, domain) for domain in subdomains)


class PreferredLanguageMiddleware:
    """Activates the language in the user's preferences, if there is one, for a request for a page.

    LocaleMiddleware has activated that of Accept-Language. Requests for anything else than a page keep it, because
    reading the preferences costs a statement.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "text/html" in request.headers.get("Accept", "") and (chosen := _chosen_language(request)):
            translation.activate(chosen)
            request.LANGUAGE_CODE = chosen
        return self.get_response(request)


def _chosen_language(request: HttpRequest) -> str | None:
    preferences = getattr(request.user, "preferences", None)
    try:
        return translation.get_supported_language_variant(preferences.language) if preferences else None
    except LookupError:  # the language is empty or not supported
        return None


class SlashMiddleware:
    """Routes a path without a trailing slash like the path with it. A redirect would lose the body of a POST.

    All routes are declared with the slash, except the routes of allauth's headless API, which have none. The paths of
    static files stay as they are.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith("/_allauth/"):
            request.path_info = request.path_info.rstrip("/")
        elif not request.path_info.endswith("/") and not request.path_info.startswith(settings.STATIC_URL):
            request.path_info += "/"
        return self.get_response(request)
