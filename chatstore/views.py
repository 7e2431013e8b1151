"""The welcome page, and the page of the web app (web/)."""

from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import cache_control
from django.views.decorators.vary import vary_on_headers

TYPES = ["text/html", "application/json"]  # the first one, if a client accepts both equally
THEMES = ("system", "light", "dark")


@vary_on_headers("Accept", "Cookie")
def welcome(request: HttpRequest) -> HttpResponse:
    """Show the start page. A user who is signed in is sent to the web app.

    A client that prefers JSON gets a short description of the service instead.
    """
    if request.get_preferred_type(TYPES) == "application/json":
        version = settings.SPECTACULAR_SETTINGS["VERSION"]
        return JsonResponse({"message": "chatstore is running.", "version": version, "docs": "/docs"})
    if request.user.is_authenticated:
        return redirect("/app/")
    return render(request, "welcome.html", {"single_user": settings.SINGLE_USER})


# With no_store, a browser does not keep the page with what it shows for its Back button. So Back shows nothing of a
# user who has signed out, or of a share that was revoked.
never_keep = cache_control(private=True, no_store=True)


@never_keep
def web_app(request: HttpRequest, page: str = "") -> HttpResponse:
    """Show the web app, which reads the address to show a page. Redirect visitors to the sign-in page."""
    if not request.user.is_authenticated and not settings.SINGLE_USER:
        return redirect_to_login(request.get_full_path())
    return _render_app(request)


@never_keep
def shared_conversation(request: HttpRequest, token: str) -> HttpResponse:
    """Show the web app to anybody. It reads the shared conversation from the API."""
    response = _render_app(request)
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Referrer-Policy"] = "no-referrer"  # the address is a secret
    return response


def _render_app(request: HttpRequest) -> HttpResponse:
    language = getattr(request, "LANGUAGE_CODE", "")
    return render(request, "app.html", {"language": language, "theme": _theme(request.user)})


def _theme(user: Any) -> str:
    """Return the theme that the user has chosen. Users who have stored no preferences get that of their system."""
    preferences = getattr(user, "preferences", None)
    return preferences.theme if preferences and preferences.theme in THEMES else "system"
