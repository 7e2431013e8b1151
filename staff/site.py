"""The admin site. People sign in with allauth, which has rate limits and second factors."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.account.decorators import secure_admin_login
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.utils.translation import gettext, gettext_lazy

from . import deletions, home, navigation, search
from .audit import reasons, record_refusal
from .review import pages as review_pages


class StaffSite(admin.AdminSite):
    site_header = site_title = "chatstore"
    index_title = gettext_lazy("Home")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # One transaction deletes the rows and adds their events.
        self.add_action(transaction.atomic(delete_selected), "delete_selected")

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        sections = navigation.sections(request)
        current = next((link for section in sections for link in section.links if link.is_current), None)
        return super().each_context(request) | {"navigation": sections, "current_link": current}

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:
        return super().admin_view(_audited(view), cacheable)

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and not lacks_second_factor(request)

    @method_decorator(secure_admin_login)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if lacks_second_factor(request):
            return _ask_for_second_factor(request)
        return super().login(request, extra_context)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        return super().index(request, {**(extra_context or {}), "usage": home.read_usage(request)})

    def get_urls(self) -> list[Any]:
        download = self.admin_view(home.download_usage)
        return [
            path("usage/<slug:report>/", download, name="usage_csv"),
            path("search/", self.admin_view(search.search_page), name="search"),
            path("deletions/", self.admin_view(deletions.deletions_page), name="deletions"),
            path("reason/<uuid:owner>/", self.admin_view(reasons.ask_for_reason), name="reason"),
            *review_pages.urls(self),
            *super().get_urls(),
        ]

    def app_index(self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None) -> Any:
        """Redirect to the home page, which lists the pages by what people do, not by app."""
        return redirect("admin:index")

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Redirect to allauth's page. Django's page has no limit on guesses, and neither logs nor mails a change."""
        return redirect("account_change_password")

    def password_change_done(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return redirect("admin:index")


def _audited(view: Callable[..., Any]) -> Callable[..., Any]:
    """Return a view that asks for a reason before it shows content, and adds an event if it refuses a request."""

    @wraps(view)
    def audited(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            question = reasons.reason_needed_before(view, request, kwargs.get("object_id"))
            return question or view(request, *args, **kwargs)
        except PermissionDenied:
            record_refusal(request)
            raise

    return audited


def lacks_second_factor(request: HttpRequest) -> bool:
    """Return whether the user of this session still has to prove a second factor.

    It is not enough that the user has a factor, because another person may have the session. The factor must be proved
    in this session."""
    return settings.REQUIRE_STAFF_MFA and not (_proved_second_factor(request) and is_mfa_enabled(request.user))


def _proved_second_factor(request: HttpRequest) -> bool:
    return any(record["method"] == "mfa" for record in get_authentication_records(request, request.user))


def _ask_for_second_factor(request: HttpRequest) -> HttpResponse:
    """Redirect to the page where the user proves the second factor, or sets one up if the user has none."""
    methods = get_adapter().get_reauthentication_methods(request.user)
    pages = [method["url"] for method in methods if method["id"].startswith("mfa_reauthenticate")]
    if not pages:
        messages.warning(request, gettext("Staff need a second factor here. Set one up, then open the admin again."))
        return redirect("mfa_index")
    messages.warning(request, gettext("Staff need a second factor here. Confirm yours to continue."))
    return redirect(f"{pages[0]}?{urlencode({REDIRECT_FIELD_NAME: reverse('admin:index')})}")
