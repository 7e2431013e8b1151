"""The admin behind allauth's doors: its limits and second factors hold there, too."""

from typing import Any

from allauth.account.decorators import secure_admin_login
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.translation import gettext


class StaffSite(admin.AdminSite):
    site_header = site_title = "chatstore"

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and not lacks_second_factor(request)

    @method_decorator(secure_admin_login)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if lacks_second_factor(request):
            messages.warning(request, gettext("Staff need a second factor here: set one up, then go on."))
            return redirect("mfa_index")
        return super().login(request, extra_context)


def lacks_second_factor(request: HttpRequest) -> bool:
    return settings.REQUIRE_STAFF_MFA and not is_mfa_enabled(request.user)
