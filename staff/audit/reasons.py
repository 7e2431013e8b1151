"""ADMIN_REQUIRE_REASON: staff must give a reason before they see the content of a user's conversations.

A reason is an event of the audit. It is valid for an hour, for one member of staff and one owner. The admin pages of
conversations and messages are `ShowsContent`. Any other page that shows content calls `reason_needed` before it reads
the content."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext, gettext_lazy

from accounts.models import User
from staff.models import Action, AuditEvent

from .events import current_reason, record

SHOWING = (
    "conversations.view_conversation",
    "conversations.view_message",
    "conversations.export_conversation",
    "accounts.export_user",
)


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


class ShowsContent(admin.ModelAdmin):
    """Base of the admin pages of conversations and messages. A page of one row shows the content of the row's `user`.

    `StaffSite.admin_view` calls `reason_needed_before` for each of these pages. This includes pages that a subclass
    adds, if they are methods and their URLs have an `object_id`."""


def reason_needed_before(view: Callable[..., Any], request: HttpRequest, object_id: object) -> HttpResponse | None:
    """Return what `reason_needed` returns if `view` is a page of a row that shows content, else None."""
    model_admin = getattr(view, "__self__", None)
    if not settings.ADMIN_REQUIRE_REASON or not isinstance(model_admin, ShowsContent) or not object_id:
        return None
    owner = _owner(model_admin.model, unquote(str(object_id)))
    return reason_needed(request, owner) if owner else None


def _owner(model: type[Model], object_id: str) -> UUID | None:
    """Return the owner of a row, or None if there is no such row. Accepts each form of a UUID, like Django's pages."""
    try:
        id = model._meta.pk.to_python(object_id)
    except ValidationError:
        return None
    return model._base_manager.filter(pk=id).values_list("user_id", flat=True).first()


def ask_for_reason(request: HttpRequest, owner: UUID) -> HttpResponse:
    """Show the page that asks for a reason. Store a valid reason, and redirect to the page in `next`.

    Raises PermissionDenied, or Http404 if there is no such user."""
    if not any(map(request.user.has_perm, SHOWING)):
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
