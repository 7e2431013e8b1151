"""Legal holds in the admin: the list, the forms that place and release a hold, and the box on other pages.

The box shows the holds of a user or a conversation, and the forms. A page includes `admin/holds/box.html` with the
context of `hold_box`.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.postgres.expressions import ArraySubquery
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import BooleanField, Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import JSONObject
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_lazy

from accounts.models import User
from chatstore.errors import NotFound
from chatstore.ids import parse_uuid
from conversations.models import Conversation, Hold
from conversations.services import holds

from .audit import record
from .big_tables import BigTableAdmin
from .fields import ago, label
from .models import Action
from .visible import visible

IN_FORCE = Q(released_at__isnull=True)
VIEW_HOLD = "conversations.view_hold"
SHOWN = 20  # holds in a box
LONGEST = Hold._meta.get_field("reason").max_length
STAFF_NAME = User.objects.values("email")  # every member of staff signs in with an address


def with_names(rows: QuerySet[Hold]) -> QuerySet[Hold]:
    """Add the addresses of the members of staff: `placed_by_name` and `released_by_name`."""
    return rows.annotate(
        placed_by_name=Subquery(STAFF_NAME.filter(pk=OuterRef("placed_by"))),
        released_by_name=Subquery(STAFF_NAME.filter(pk=OuterRef("released_by"))),
    )


def holds_in_force(**outer: str) -> ArraySubquery:
    """Return the first SHOWN holds that cover each row of a query, as an array of dictionaries.

    Examples: `holds_in_force(user="pk")` for users, `holds_in_force(user="user", conversation="pk")` for conversations.
    """
    rows = with_names(_covering(**outer)).order_by("pk")
    names = ("id", "reason", "conversation_id", "placed_by", "placed_by_name", "placed_at")
    return ArraySubquery(rows.values(json=JSONObject(**{name: name for name in names}))[:SHOWN])


def hold_box(request: HttpRequest, target: User | Conversation) -> dict[str, Any]:
    """Return the context of `admin/holds/box.html` for a user or a conversation.

    Executes one statement, unless the target has `hold_rows` from a query with `holds_in_force`.

    Returns an empty context if the caller may not see holds. For a user, the box also shows the holds on conversations
    of this user, at most SHOWN holds in all."""
    if not request.user.has_perm(VIEW_HOLD):
        return {}
    rows = target.hold_rows if hasattr(target, "hold_rows") else _read_holds(target)
    return {
        "holds": [{**row, "placed_at": datetime.fromisoformat(row["placed_at"])} for row in rows],
        "hold_target": target.pk,
        "is_hold_of_user": isinstance(target, User),
        "may_place_holds": request.user.has_perm("conversations.place_hold"),
    }


def _read_holds(target: User | Conversation) -> list[dict[str, Any]]:
    outer = {"user": "pk"} if isinstance(target, User) else {"user": "user", "conversation": "pk"}
    row = type(target)._base_manager.filter(pk=target.pk).values_list(holds_in_force(**outer))
    return list(row.get()[0])


def on_hold(**outer: str) -> Exists:
    """Return the condition that a hold in force covers a row of a query. The names are those of `holds_in_force`."""
    return Exists(_covering(**outer))


def _covering(*, user: str, conversation: str = "") -> QuerySet[Hold]:
    rows = Hold.objects.filter(IN_FORCE, user=OuterRef(user))
    return rows.filter(Q(conversation=None) | Q(conversation=OuterRef(conversation))) if conversation else rows


class ReasonField(forms.CharField):
    def __init__(self) -> None:
        super().__init__(label=gettext_lazy("Reason"), max_length=LONGEST, widget=forms.Textarea({"rows": 3}))


class PlaceForm(forms.Form):
    """A form that places a hold on the user or the conversation in `target`."""

    target = forms.CharField(
        label=gettext_lazy("User or conversation"),
        help_text=gettext_lazy("The id of a conversation, or the id or e-mail address of a user."),
    )
    reason = ReasonField()

    def clean_target(self) -> User | Conversation:
        if found := _find(self.cleaned_data["target"].strip()):
            return found
        raise forms.ValidationError(gettext("There is no such user or conversation."))


def _find(text: str) -> User | Conversation | None:
    id = parse_uuid(text)
    conversation = Conversation.objects.select_related("user").filter(pk=id).first() if id else None
    return conversation or User.objects.find(text)


class ReleaseForm(forms.Form):
    reason = ReasonField()


class ForceFilter(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("released", gettext("Released"))]

    def choices(self, changelist: Any) -> Iterator[Any]:
        in_force, *others = super().choices(changelist)
        yield {**in_force, "display": gettext("In force")}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.exclude(IN_FORCE) if self.value() == "released" else queryset.filter(IN_FORCE)


@admin.register(Hold)
class HoldAdmin(BigTableAdmin):
    """The holds. Nobody changes or deletes one: it is placed and released, and then stays as a record."""

    list_display = ("target", "reason", "placed", "released")
    list_display_links = None
    list_filter = (ForceFilter,)
    lookups = ("state",)
    list_select_related = ("user", "conversation")
    fields = readonly_fields = ("target", "reason", "placed", "released")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        may_release = Value(self.has_add_permission(request), BooleanField())
        return with_names(super().get_queryset(request)).annotate(may_release=may_release)

    def get_urls(self) -> list[Any]:
        release = self.admin_site.admin_view(self.release_view)
        return [path("<uuid:object_id>/release/", release, name="conversations_hold_release"), *super().get_urls()]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("conversations.place_hold")

    def has_change_permission(self, request: HttpRequest, obj: Hold | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Hold | None = None) -> bool:
        return False

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Show the form, or place a hold. The box on the pages of users and conversations posts to this page, too.

        Raises PermissionDenied."""
        self._refuse_others(request)
        form = PlaceForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            return self._place(request, form.cleaned_data["target"], form.cleaned_data["reason"])
        return self._show(request, form, title=gettext("Place a hold"), submit=gettext("Place the hold"))

    def _place(self, request: HttpRequest, target: User | Conversation, reason: str) -> HttpResponse:
        user, id = (target.user, target.pk) if isinstance(target, Conversation) else (target, None)
        try:
            with transaction.atomic():
                hold = holds.place(user=user, conversation_id=id, reason=reason, by=cast(User, request.user))
                _record(request, Action.PLACE_HOLD, hold, reason)
        except NotFound as error:  # deleted in the meantime
            return self._failed(request, error)
        return self._done(request, hold, gettext("The hold is in force."))

    def release_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Show the form, or release a hold. Raises PermissionDenied, or Http404 if there is no such hold."""
        self._refuse_others(request)
        hold = get_object_or_404(Hold.objects.select_related("user", "conversation"), pk=object_id)
        form = ReleaseForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            return self._release(request, hold, form.cleaned_data["reason"])
        return self._show(request, form, title=gettext("Release the hold"), submit=gettext("Release"), hold=hold)

    def _release(self, request: HttpRequest, hold: Hold, reason: str) -> HttpResponse:
        try:
            with transaction.atomic():
                holds.release(hold=hold, reason=reason, by=cast(User, request.user))
                _record(request, Action.RELEASE_HOLD, hold, reason)
        except NotFound as error:  # somebody else has released it
            return self._failed(request, error)
        return self._done(request, hold, gettext("The hold is released."))

    def _refuse_others(self, request: HttpRequest) -> None:
        if not self.has_add_permission(request):
            raise PermissionDenied

    def _show(self, request: HttpRequest, form: forms.Form, **context: Any) -> HttpResponse:
        context |= {**self.admin_site.each_context(request), "form": form, "opts": self.opts}
        return TemplateResponse(request, "admin/holds/form.html", context)

    def _failed(self, request: HttpRequest, error: NotFound) -> HttpResponse:
        self.message_user(request, error.message, messages.ERROR)
        return redirect("admin:conversations_hold_changelist")

    def _done(self, request: HttpRequest, hold: Hold, message: str) -> HttpResponse:
        """Redirect to the page of the conversation or of the user, or to the list if the caller may see neither."""
        self.message_user(request, message)
        for name, id in (("conversations_conversation", hold.conversation_id), ("accounts_user", hold.user_id)):
            if id and request.user.has_perm(f"{name.split('_')[0]}.view_{name.split('_')[1]}"):
                return redirect(f"admin:{name}_change", id)
        return redirect("admin:conversations_hold_changelist")

    @admin.display(description=gettext_lazy("on hold"))
    def target(self, hold: Hold) -> str:
        if not hold.conversation_id:
            url, name = reverse("admin:accounts_user_change", args=[hold.user_id]), gettext("All of this user")
            return format_html('<a href="{}">{}</a><span class="second">{}</span>', url, visible(hold.user), name)
        url = reverse("admin:conversations_conversation_change", args=[hold.conversation_id])
        name = format_html(gettext("A conversation of {user}"), user=visible(hold.user))
        return format_html('<a href="{}">{}</a><span class="second">{}</span>', url, hold.conversation_id, name)

    @admin.display(description=gettext_lazy("placed"))
    def placed(self, hold: Any) -> str:
        who = hold.placed_by_name or hold.placed_by
        return format_html('{}{}<span class="second">{}</span>', label(gettext("placed")), ago(hold.placed_at), who)

    @admin.display(description=gettext_lazy("released"))
    def released(self, hold: Any) -> str:
        if not hold.released_at:
            if not hold.may_release:
                return ""
            url = reverse("admin:conversations_hold_release", args=[hold.pk])
            return format_html('<a href="{}">{}</a>', url, gettext("Release"))
        who = f"{hold.released_by_name or hold.released_by}: {hold.release_reason}"
        return format_html('{}<span class="second">{}</span>', ago(hold.released_at), who)


def _record(request: HttpRequest, action: Action, hold: Hold, reason: str) -> None:
    """Add an event about the conversation or the user, because staff look for it in the history of this object."""
    target = hold.conversation or hold.user
    record(request, action, target, owner=hold.user_id, reason=reason, hold=str(hold.pk))
