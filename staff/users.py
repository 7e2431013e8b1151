"""The pages of users, their preferences and groups.

Only superusers grant rights, or change the password, the e-mail or the back end of an existing user. Other staff cannot
use their permissions to get more rights. `Idempotency` has no page, because Django's admin does not support composite
primary keys.
"""

from functools import partial
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet, URLField
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext, gettext_lazy

from accounts import services
from accounts.models import Preferences, User
from chatstore.errors import ServiceError
from chatstore.ids import new_id
from conversations.services import erase

from .actions import confirm, start_job
from .audit import record
from .big_tables import BigTableAdmin
from .fields import badge, created, text_column, time_column, updated, user_column
from .holds import on_hold
from .jobs import erasures
from .models import Action

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


@admin.register(User)
class UserAdmin(BigTableAdmin, DjangoUserAdmin):
    form = UserForm
    add_form = NewUserForm
    list_display = (
        "__str__",
        text_column("name", gettext_lazy("name")),
        text_column("managed_by", gettext_lazy("managed by")),
        "rights",
        time_column("last_login", gettext_lazy("last sign-in")),
        created,
    )
    list_select_related = ("managed_by",)
    list_filter = ("is_active", "is_staff", "is_superuser")
    lookups = ("is_active__exact", "is_staff__exact", "is_superuser__exact")
    search_fields = ("email", "name", "=external_id")
    search_help_text = gettext_lazy("A part of the e-mail address or name, or the id that a back end uses.")
    autocomplete_fields = ("managed_by",)
    readonly_fields = ("id", "last_login", "created_at", "updated_at", "conversations")
    fieldsets = (
        (None, {"fields": ("email", "password", "name", "image", "conversations")}),
        (gettext_lazy("Managed by a back end"), {"fields": ("managed_by", "external_id"), "classes": ("collapse",)}),
        (gettext_lazy("Rights"), {"fields": ("is_active", *RIGHTS)}),
        (gettext_lazy("Times"), {"fields": ("last_login", "created_at", "updated_at", "id")}),
    )
    formfield_overrides = {URLField: {"assume_scheme": "https"}}
    add_fieldsets = ((None, {"fields": ("email", "name", "usable_password", "password1", "password2")}),)
    actions = ("erase",)

    @admin.display(description=gettext_lazy("rights"), empty_value="")
    def rights(self, user: User) -> str:
        names = [
            (not user.is_active, gettext("suspended"), "danger"),
            (user.is_staff, gettext("staff"), ""),
            (user.is_superuser, gettext("superuser"), ""),
            (getattr(user, "is_on_hold", False), gettext("on hold"), "warning"),
        ]
        return format_html_join(" ", "{}", ((badge(name, kind),) for has, name, kind in names if has))

    @admin.display(description=gettext_lazy("conversations"))
    def conversations(self, user: User) -> str:
        url = reverse("admin:conversations_conversation_changelist")
        return format_html('<a href="{}?user={}">{}</a>', url, user.pk, gettext("Conversations of this user"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        rows: QuerySet[User] = super().get_queryset(request)
        return rows.annotate(is_on_hold=on_hold(user="pk"))

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
        """Forbid deletions by Django, because conversations refer to the user. Staff use the action `erase`."""
        return False

    def has_erase_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.erase_user")

    @method_decorator(transaction.atomic)
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        if not request.user.is_superuser:
            raise PermissionDenied
        return super().user_change_password(request, id, form_url)

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and "email" in form.changed_data:
            services.replace_addresses(user=obj)

    @admin.action(description=gettext_lazy("Erase"), permissions=["erase"])
    def erase(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        """Ask for a confirmation. Then erase the users at once, or start a job if they have many conversations."""
        if "confirmed" in request.POST:
            return self._erase(request, queryset)
        return confirm(
            self,
            request,
            queryset,
            action="erase",
            title=gettext("Erase users?"),
            warning=gettext(
                "This erases these users, all users whom they manage, and all their data. It cannot be undone."
            ),
            rows=[str(user) for user in queryset],
            submit=gettext("Erase"),
            job=new_id(),
        )

    def _erase(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        ids = [user.pk for user in queryset]
        total = erasures.count_conversations(ids)
        if total is None or total > erasures.AT_ONCE:
            return start_job(self, request, action=erasures.ACTION, total=total, users=ids)
        self._erase_at_once(request, queryset)
        return None

    def _erase_at_once(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        count = 0
        for user in queryset:
            try:
                # The event is stored with the beginning of the erasure, which runs many transactions.
                event = partial(record, request, Action.ERASE, user)
                asked_by = cast(User, request.user).pk
                count += erase.erase(user=user, asked_by=asked_by, on_begin=event)["users"]
            except ServiceError as error:
                self.message_user(request, f"{user}: {error.message}", messages.ERROR)
        self.message_user(request, gettext("Users erased: {count}.").format(count=count))


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
