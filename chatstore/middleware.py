"""Languages, slashes, and the cross-site rule, for every page and API that a session cookie opens.

Safe methods pass, and no GET changes what a user has. A browser says where a request comes from (Sec-Fetch-Site): its
own pages and what a person typed pass, anything else only from a trusted origin. An older browser that sends only
Origin is judged by that; one that sends neither needs Django's token.
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.locale import LocaleMiddleware
from django.utils import translation
from django.utils.http import is_same_domain

Handler = Callable[[HttpRequest], HttpResponse]
SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")
SAME_SITE = ("same-origin", "none")


class CrossSiteMiddleware(CsrfViewMiddleware):
    # Django's own, which its type stubs leave out.
    _accept: Callable[[HttpRequest], None]
    _reject: Callable[[HttpRequest, str], Any]
    _origin_verified: Callable[[HttpRequest], bool]

    def process_view(self, request: HttpRequest, callback: Any, callback_args: Any, callback_kwargs: Any) -> Any:
        exempt = getattr(callback, "csrf_exempt", False) or getattr(request, "_dont_enforce_csrf_checks", False)
        if exempt or request.method in SAFE_METHODS:
            return super().process_view(request, callback, callback_args, callback_kwargs)
        verdict = self._verdict(request)
        if verdict is None:
            return super().process_view(request, callback, callback_args, callback_kwargs)
        return self._accept(request) if verdict else self._reject(request, "it comes from another site.")

    def _verdict(self, request: HttpRequest) -> bool | None:
        """None where the browser said nothing: then Django's token decides."""
        if site := request.META.get("HTTP_SEC_FETCH_SITE"):
            return site in SAME_SITE or self._is_trusted(request.META.get("HTTP_ORIGIN", ""))
        return self._origin_verified(request) if "HTTP_ORIGIN" in request.META else None

    def _is_trusted(self, origin: str) -> bool:
        scheme, _, host = origin.partition("://")
        subdomains = self.allowed_origin_subdomains.get(scheme, ())
        return origin in self.allowed_origins_exact or any(is_same_domain(host, domain) for domain in subdomains)


class LanguageMiddleware(LocaleMiddleware):
    """What a browser asks for, and before that, on pages, what a person who is signed in has chosen. For an API to look
    that up would cost each request a statement."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        if "text/html" in request.headers.get("Accept", "") and (chosen := _chosen_language(request)):
            translation.activate(chosen)
            request.LANGUAGE_CODE = chosen


def _chosen_language(request: HttpRequest) -> str | None:
    preferences = getattr(request.user, "preferences", None)
    try:
        return translation.get_supported_language_variant(preferences.language) if preferences else None
    except LookupError:  # none is chosen, or one that is not spoken here
        return None


class SlashMiddleware:
    """Routes are declared with a slash at the end, but for those of allauth's headless API; a path without one is the
    same route, without a redirect, which would lose the body of a POST."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith("/_allauth/"):
            request.path_info = request.path_info.rstrip("/")
        elif not request.path_info.endswith("/"):
            request.path_info += "/"
        return self.get_response(request)
