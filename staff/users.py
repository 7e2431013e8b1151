"""The lists and forms of users, their preferences and groups. The page of a user is in `user_page`.

Only superusers grant rights, or change the password, the e-mail or the back end of an existing user. Other staff cannot
use their permissions to get more rights. `Idempotency` has no page, because Django's admin does not support composite
primary keys.
"""

from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Max, OuterRef, Q, QuerySet, Subquery, Sum, URLField
from django.db.models.functions import Coalesce, Greatest
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.decorators import method_decorator
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext, gettext_lazy

from accounts import services
from accounts.models import ApiToken, Preferences, User
from chatstore.ids import parse_uuid
from conversations.models import Conversation, DailyUsage, DailyUsageChange

from .big_tables import BigTableAdmin, NewestFirst
from .fields import ago, badge, clipped, created, label, number, updated, user_column
from .filters import StateFilter
from .holds import VIEW_HOLD, hold_box, on_hold
from .home import PERMISSION, period_of
from .user_page import actions, reading
from .visible import visible

ACTIVE_DAYS = 30  # days of the numbers in the list
RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")
# These fields decide who can sign in as the user or act for the user. A person who can change them can read everything
# that the user wrote.
IDENTITY = ("email", "managed_by", "external_id")


class UserForm(UserChangeForm):
    def clean_email(self) -> str | None:
        return (self.cleaned_data["email"] or "").lower() or None


class NewUserForm(AdminUserCreationForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].required = True
        self.fields["email"].help_text = ""

    def clean_email(self) -> str:
        return self.cleaned_data["email"].lower()


class UserStateFilter(StateFilter):
    options = {
        "active": (gettext_lazy("Active"), Q(is_active=True)),
        "suspended": (gettext_lazy("Suspended"), Q(is_active=False, erasing_at=None)),
        "erasing": (gettext_lazy("Being erased"), Q(erasing_at__isnull=False)),
        "staff": (gettext_lazy("Staff"), Q(is_staff=True)),
        "managed": (gettext_lazy("Managed by a back end"), Q(managed_by__isnull=False)),
    }


class UserList(NewestFirst):
    """The list of users. One statement reads the activity of the users of a page."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        activity = {row["pk"]: row for row in read_activity([user.pk for user in self.result_list])}
        for user in self.result_list:
            user.seen_at, user.recent_messages = activity[user.pk]["seen"], activity[user.pk]["recent"]


def read_activity(ids: list[UUID]) -> QuerySet:
    """Return when each of these users was last seen, and the number of messages of the last ACTIVE_DAYS days."""
    first, last = period_of(ACTIVE_DAYS)
    of_user = {"user": OuterRef("pk"), "day__range": (first, last)}
    counts = [
        Coalesce(Subquery(model.objects.filter(**of_user).values("user").values(sum=Sum("messages"))), 0)
        for model in (DailyUsage, DailyUsageChange)
    ]
    token = ApiToken.objects.filter(user=OuterRef("pk")).values("user").values(last=Max("last_used_at"))
    written = Conversation.objects.filter(user=OuterRef("pk")).live().by_activity().values("active_at")[:1]
    return User.objects.filter(pk__in=ids).values(
        "pk",
        seen=Greatest("last_login", Subquery(token), Subquery(written)),
        recent=counts[0] + counts[1],
    )


@admin.register(User)
class UserAdmin(BigTableAdmin, DjangoUserAdmin):
    form = UserForm
    add_form = NewUserForm
    list_display = ("who", "state", "messages", "seen", "manager", created)
    list_select_related = ("managed_by",)
    list_filter = (UserStateFilter,)
    lookups = ("state", "managed_by")
    search_fields = ("email", "name", "=external_id")
    search_help_text = gettext_lazy("A part of the e-mail address or name, an id, or the id that a back end uses.")
    autocomplete_fields = ("managed_by",)
    readonly_fields = ("id", "last_login", "created_at", "updated_at")
    fieldsets = (
        (None, {"fields": ("email", "password", "name", "image")}),
        (gettext_lazy("Managed by a back end"), {"fields": ("managed_by", "external_id"), "classes": ("collapse",)}),
        (gettext_lazy("Rights"), {"fields": RIGHTS}),
        (gettext_lazy("Times"), {"fields": ("last_login", "created_at", "updated_at", "id")}),
    )
    formfield_overrides = {URLField: {"assume_scheme": "https"}}
    add_fieldsets = ((None, {"fields": ("email", "name", "usable_password", "password1", "password2")}),)

    class Media:
        css = {"all": ["staff/user.css"]}

    def get_list_display(self, request: HttpRequest) -> Any:
        """Return the columns. The numbers need the right to see the usage of all users."""
        is_shown = request.user.has_perm(PERMISSION)
        return self.list_display if is_shown else [name for name in self.list_display if name != "messages"]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[NewestFirst]:
        return UserList

    def find(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        if id := parse_uuid(search_term.strip()):
            return queryset.filter(Q(pk=id) | Q(external_id=search_term.strip())), False
        return super().find(request, queryset, search_term)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        edit = path("<uuid:object_id>/edit/", view(self.edit_view), name="accounts_user_edit")
        pages = [
            path(
                f"<uuid:object_id>/{name.replace('_', '-')}/",
                view(partial(self.action_view, name=name)),
                name=f"accounts_user_{name}",
            )
            for name in actions.ACTIONS
        ]
        return [edit, *pages, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the user to read. The form is on a page of its own (`edit_view`)."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        id = parse_uuid(unquote(object_id))
        user = reading.read_user(request, self.get_queryset(request), id) if id else None
        if user is None:
            return super().change_view(request, object_id)  # says that there is none
        box = hold_box(request, user)
        user.is_on_hold = bool(box.get("holds"))  # type: ignore[attr-defined]  # as in the list, for `state`
        context = self.admin_site.each_context(request) | reading.read_page(request, user) | box
        context |= {
            "original": user,
            "opts": self.opts,
            "title": str(user),
            "badges": format_html("{} {}", badge(gettext("active"), "ok") if user.is_active else "", self.state(user)),
        }
        context |= {"actions": actions.offered(request, user), "may_edit": self.has_change_permission(request, user)}
        return render(request, "admin/accounts/user/page.html", context)

    def edit_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Show the form of a user, or save it. Raises PermissionDenied for staff who may not change users."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        return super().change_view(request, str(object_id))

    def response_change(self, request: HttpRequest, obj: User) -> HttpResponse:
        """Show the page of the user after a change, unless the form is to stay open."""
        answer = super().response_change(request, obj)  # adds the message about the change
        return answer if "_continue" in request.POST else redirect("admin:accounts_user_change", obj.pk)

    def action_view(self, request: HttpRequest, object_id: UUID, *, name: str) -> Any:
        context = self.admin_site.each_context(request) | {"opts": self.opts}
        return actions.action_page(request, object_id, actions.ACTIONS[name], context)

    @admin.display(description=gettext_lazy("user"))
    def who(self, user: User) -> str:
        """Return the name, and below it the e-mail address or the id of the back end."""
        second = user.email or user.external_id or ""
        if not user.name:
            return format_html('<span class="title">{}</span>', visible(user))
        names = visible(user.name), visible(second)
        return format_html('<span class="title">{}</span><span class="second">{}</span>', *names)

    @admin.display(description=gettext_lazy("state"), empty_value="")
    def state(self, user: User) -> str:
        names = [
            (user.erasing_at is not None, gettext("being erased"), "danger"),
            (not user.is_active and not user.erasing_at, gettext("suspended"), "danger"),
            (user.is_staff, gettext("staff"), "info"),
            (user.is_superuser, gettext("superuser"), "info"),
            (getattr(user, "is_on_hold", False), gettext("on hold"), "warning"),
        ]
        return format_html_join(" ", "{}", ((badge(name, kind),) for has, name, kind in names if has))

    @admin.display(description=gettext_lazy("messages, 30 days"))
    def messages(self, user: Any) -> str:
        return number(user.recent_messages, gettext("messages, 30 days"))

    @admin.display(description=gettext_lazy("last seen"), empty_value="")
    def seen(self, user: Any) -> str:
        return label(gettext("last seen")) + ago(user.seen_at) if user.seen_at else ""

    @admin.display(description=gettext_lazy("managed by"), empty_value="")
    def manager(self, user: User) -> str:
        return label(gettext("managed by")) + clipped(user.managed_by) if user.managed_by else ""

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        rows: QuerySet[User] = super().get_queryset(request)
        return rows.annotate(is_on_hold=on_hold(user="pk")) if request.user.has_perm(VIEW_HOLD) else rows

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Return the fields that the caller cannot change. Only superusers can change RIGHTS, or the IDENTITY of an
        existing user."""
        if request.user.is_superuser:
            return self.readonly_fields
        return (*self.readonly_fields, *RIGHTS, *(IDENTITY if obj else ()))

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Return the fieldsets. Only superusers see the password field. It shows a part of the hash, and links to the
        page that sets a new password."""
        fieldsets = super().get_fieldsets(request, obj)
        if request.user.is_superuser:
            return fieldsets
        return [(title, {**options, "fields": _without_password(options["fields"])}) for title, options in fieldsets]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Allow changes of staff only to superusers. Forbid changes of a user whose erasure has begun, because the form
        could activate the user again."""
        is_erasing = obj is not None and obj.erasing_at is not None
        return not is_erasing and may_change_data_of(request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Forbid deletions by Django, because conversations refer to the user. Staff use the page that erases."""
        return False

    @method_decorator(transaction.atomic)
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        if not request.user.is_superuser:
            raise PermissionDenied
        return super().user_change_password(request, id, form_url)

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and "email" in form.changed_data:
            services.replace_addresses(user=obj)


def may_change_data_of(request: HttpRequest, owner: User | None) -> bool:
    """Return whether the caller may change data of `owner`. Only superusers change data of staff."""
    return request.user.is_superuser or owner is None or not owner.is_staff


def _without_password(fields: Any) -> tuple[str, ...]:
    return tuple(name for name in fields if name != "password")


@admin.register(Preferences)
class PreferencesAdmin(BigTableAdmin):
    list_display = (user_column, "default_model", "theme", "language", updated)
    list_select_related = ("user",)
    search_fields = ("user__email",)
    search_help_text = gettext_lazy("A part of the user's e-mail address.")
    readonly_fields = ("user", "extra", "created_at", "updated_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Forbid additions. The API creates the preferences of a user when a client first sends one."""
        return False


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(BigTableAdmin, DjangoGroupAdmin):
    """Only superusers change groups, because the permissions of a group are rights of its members."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return request.user.is_superuser
