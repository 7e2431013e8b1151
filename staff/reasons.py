"""ADMIN_REQUIRE_REASON: staff must give a reason before they see the content of a user's conversations.

A reason is an event of the audit. It is valid for an hour, for one member of staff and one owner. Each page that shows
content calls `reason_needed` before it reads the content."""

from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext, gettext_lazy

from accounts.models import User

from .audit import current_reason, record
from .models import Action, AuditEvent

READING = ("conversations.view_conversation", "conversations.view_message")


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=AuditEvent._meta.get_field("reason").max_length,
        widget=forms.Textarea({"rows": 3, "autofocus": True}),
    )


def reason_needed(request: HttpRequest, owner: UUID) -> HttpResponseRedirect | None:
    """Return a redirect to the page that asks for a reason. Return None if the content of `owner` may be shown.

    `owner` is the id of the user whose conversations the content belongs to."""
    if not settings.ADMIN_REQUIRE_REASON or current_reason(request, owner):
        return None
    query = urlencode({"next": request.get_full_path()})
    return HttpResponseRedirect(f"{reverse('admin:reason', args=[owner])}?{query}")


class NeedsReason(admin.ModelAdmin):
    """A page of a row whose `user` owns the content. It asks for a reason first. Its base classes come after it."""

    def changeform_view(self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any) -> Any:
        row = self.get_object(request, unquote(object_id)) if settings.ADMIN_REQUIRE_REASON and object_id else None
        if row and self.has_view_permission(request, row) and (ask := reason_needed(request, row.user_id)):
            return ask
        return super().changeform_view(request, object_id, *args, **kwargs)


def ask_for_reason(request: HttpRequest, owner: UUID) -> HttpResponse:
    """Show the page that asks for a reason. Store the reason, and return to the page in `next`."""
    if not any(map(request.user.has_perm, READING)):
        raise PermissionDenied
    user = get_object_or_404(User, pk=owner)
    form = ReasonForm(request.POST or None)
    if form.is_valid():
        record(request, Action.REASON, user, reason=form.cleaned_data["reason"])
        return redirect(_next_page(request))
    return TemplateResponse(request, "admin/reason.html", _context(request, user, form))


def _context(request: HttpRequest, user: User, form: ReasonForm) -> dict[str, Any]:
    return {
        **admin.site.each_context(request),
        "title": gettext("Why do you need to read these conversations?"),
        "owner": user,
        "form": form,
        "next": _next_page(request),
        "is_shown_to_users": settings.SHOW_AUDIT_TO_USERS,
    }


def _next_page(request: HttpRequest) -> str:
    """Return the path in `next` if it is a page of the admin, else the path of the admin."""
    page, index = request.GET.get("next", ""), reverse("admin:index")
    is_here = page.startswith(index) and url_has_allowed_host_and_scheme(page, None)
    return page if is_here else index
