"""The actions on a user: suspend, sign out, export, erase. Each has a page that explains it and asks to confirm it.

Each adds an event to the audit. Nobody acts on their own account, and only superusers act on other staff.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.humanize.templatetags.humanize import intcomma
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy

from accounts import services
from accounts.models import User
from chatstore.errors import ServiceError
from chatstore.ids import new_id
from conversations import daily_usage
from conversations.services import erase as erasure
from staff.audit import id_of, record
from staff.audit.reasons import reason_needed
from staff.big_tables import up_to
from staff.jobs import creation, erasures
from staff.models import Action
from transfer.api.downloads import download_archive
from transfer.exporters import archive

COUNT_LIMIT = 1_000  # tokens and managed users that the page of an erasure counts

Text = str | Promise


class SignOutForm(forms.Form):
    revoke_tokens = forms.BooleanField(label=gettext_lazy("Also revoke all API tokens"), required=False)


class EraseForm(forms.Form):
    """Asks for the e-mail address or the id of the user, so that nobody erases a user by one wrong click."""

    confirmation = forms.CharField(
        label=gettext_lazy("To confirm, type the e-mail address or the id of this user"),
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_confirmation(self) -> str:
        typed = self.cleaned_data["confirmation"].strip().lower()
        if typed not in {(self.user.email or "").lower(), str(self.user.pk)} - {""}:
            raise ValidationError(gettext("This is not the e-mail address or the id of this user."))
        return str(typed)


@dataclass(frozen=True)
class UserAction:
    """An action on a user. `run` does it, records it and returns the response."""

    name: str
    permission: str
    label: Text
    warning: Text
    run: Callable[[HttpRequest, User, forms.Form], HttpResponseBase]
    form: type[forms.Form] = forms.Form
    is_dangerous: bool = False

    def form_for(self, user: User, data: Any) -> forms.Form:
        more: dict[str, Any] = {"user": user} if self.form is EraseForm else {}
        return self.form(data, label_suffix="", **more)


def suspend(request: HttpRequest, user: User, form: forms.Form) -> HttpResponse:
    with transaction.atomic():
        services.suspend(user=user)
        record(request, Action.SUSPEND, user)
    return _back(request, user, gettext("This user is suspended."))


def unsuspend(request: HttpRequest, user: User, form: forms.Form) -> HttpResponse:
    with transaction.atomic():
        services.unsuspend(user=user)
        record(request, Action.UNSUSPEND, user)
    return _back(request, user, gettext("This user can sign in again."))


def sign_out(request: HttpRequest, user: User, form: forms.Form) -> HttpResponse:
    with transaction.atomic():
        services.end_sessions(user=user)
        tokens = services.revoke_tokens(user=user) if form.cleaned_data["revoke_tokens"] else None
        record(request, Action.SIGN_OUT, user, revoked_tokens=tokens)
    text = gettext("All sessions of this user have ended.")
    if tokens is not None:
        text += " " + gettext("Tokens revoked: {count}.").format(count=tokens)
    return _back(request, user, text)


def export(request: HttpRequest, user: User, form: forms.Form) -> HttpResponseBase:
    record(request, Action.EXPORT, user)
    return download_archive(archive.stream(user=user, account=archive.account_of(user)))


def erase(request: HttpRequest, user: User, form: forms.Form) -> HttpResponse:
    """Erase the user at once, or start a job if there are many conversations."""
    total = erasures.count_conversations([user.pk])
    if total is None or total > erasures.AT_ONCE:
        job = creation.start(request, action=erasures.ACTION, total=total, users=[user.pk])
        return redirect("admin:staff_job_change", job.pk)
    # The event is stored with the beginning of the erasure, which runs many transactions.
    event = partial(record, request, Action.ERASE, user)
    deleted = erasure.erase(user=user, asked_by=id_of(request), on_begin=event)
    text = gettext(
        "Deleted: {users} users, {conversations} conversations, {messages} messages, {tokens} tokens. The audit keeps "
        "the id {id}."
    )
    counts = {name: intcomma(deleted[name]) for name in ("users", "conversations", "messages", "tokens")}
    messages.success(request, text.format(**counts, id=user.pk))
    return redirect("admin:accounts_user_changelist")


ACTIONS = {
    action.name: action
    for action in (
        UserAction(
            "suspend",
            "accounts.suspend_user",
            gettext_lazy("Suspend"),
            gettext_lazy(
                "All sessions end. Nobody can sign in as this user, use the user's tokens or act as this user, and the"
                " user cannot act for the users whom the user manages. All data stays. You can undo this."
            ),
            suspend,
        ),
        UserAction(
            "unsuspend",
            "accounts.suspend_user",
            gettext_lazy("End the suspension"),
            gettext_lazy("This user can sign in again. The tokens are valid again. The old sessions are not."),
            unsuspend,
        ),
        UserAction(
            "sign_out",
            "accounts.suspend_user",
            gettext_lazy("Sign out everywhere"),
            gettext_lazy("All sessions of this user end, in browsers and apps. The user can sign in again."),
            sign_out,
            SignOutForm,
        ),
        UserAction(
            "export",
            "accounts.export_user",
            gettext_lazy("Export"),
            gettext_lazy(
                "You download a ZIP file with the account and all conversations of this user, also archived ones and"
                " those in the trash. It is the same file that the user can download."
            ),
            export,
        ),
        UserAction(
            "erase",
            "accounts.erase_user",
            gettext_lazy("Erase"),
            gettext_lazy(
                "This erases the user, all users whom the user manages, and all their data. It cannot be undone."
            ),
            erase,
            EraseForm,
            is_dangerous=True,
        ),
    )
}


def offered(request: HttpRequest, user: User) -> list[dict[str, Any]]:
    """Return the actions that the page of a user shows, each with its URL."""
    useless = "unsuspend" if user.is_active else "suspend"
    found = [action for action in ACTIONS.values() if action.name != useless and is_allowed(request, action, user)]
    return [
        {"action": action, "url": reverse(f"admin:accounts_user_{action.name}", args=[user.pk])} for action in found
    ]


def is_allowed(request: HttpRequest, action: UserAction, user: User) -> bool:
    """Return whether the caller may do this. Nobody may do anything to a user whose erasure has begun."""
    if user.pk == request.user.pk or user.erasing_at or (user.is_staff and not request.user.is_superuser):
        return False
    return request.user.has_perm(action.permission)


def action_page(request: HttpRequest, object_id: UUID, action: UserAction, context: dict[str, Any]) -> HttpResponseBase:
    """Ask whether to do this, or do it if the form was sent.

    Raises PermissionDenied, or Http404 if there is no such user."""
    if not request.user.has_perm(action.permission):
        raise PermissionDenied
    user = get_object_or_404(User, pk=object_id)
    if not is_allowed(request, action, user):
        raise PermissionDenied
    if action.run is export and (question := reason_needed(request, user.pk)):
        return question
    form = action.form_for(user, request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            return action.run(request, user, form)
        except ServiceError as error:
            messages.error(request, error.message)
            return redirect("admin:accounts_user_change", user.pk)
    context |= {"original": user, "action": action, "form": form, "title": action.label}
    if action.run is erase:
        context |= {"losses": count_losses(user), "job": new_id()}
    return render(request, "admin/accounts/user/action.html", context)


def count_losses(user: User) -> list[str]:
    """Return what an erasure would delete. Its cost does not depend on the number of messages."""
    days = daily_usage.of_user(user.pk)
    conversations, texts = (sum(day[name] for day in days) for name in ("conversations", "messages"))
    managed = user.managed_users.all()[: COUNT_LIMIT + 1].count()
    counts = {
        gettext("Conversations"): intcomma(conversations),
        gettext("Messages"): intcomma(texts),
        gettext("API tokens"): up_to(COUNT_LIMIT, user.tokens.all()[: COUNT_LIMIT + 1].count()),
        gettext("Managed users, with all their data"): up_to(COUNT_LIMIT, managed),
    }
    return [f"{name}: {count}" for name, count in counts.items()]


def _back(request: HttpRequest, user: User, text: str) -> HttpResponse:
    messages.success(request, text)
    return redirect("admin:accounts_user_change", user.pk)
