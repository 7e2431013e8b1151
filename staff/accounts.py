"""Users, groups, addresses, preferences and tokens.

No right that staff are given leads to more: only superusers give rights, and change how somebody signs in or who acts
for them. Idempotency is not here: Django's admin takes no composite primary key.
"""

from typing import Any

from allauth.account import admin as allauth_admin
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet, URLField
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html

from accounts import services
from accounts.models import ApiToken, Preferences, User

from .big_tables import BigTableAdmin, ReadOnly, record

RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")
# Each of these decides who signs in as the user, or who acts for them: to change one is to read what the user wrote.
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
    list_display = ("__str__", "name", "managed_by", "is_active", "is_staff", "last_login", "created_at")
    list_select_related = ("managed_by",)
    list_filter = ("is_active", "is_staff", "is_superuser")
    lookups = ("is_active__exact", "is_staff__exact", "is_superuser__exact")
    search_fields = ("email", "name", "=external_id")
    search_help_text = "E-mail, name, or the id that a back end gave."
    autocomplete_fields = ("managed_by",)
    readonly_fields = ("id", "last_login", "created_at", "updated_at", "conversations")
    fieldsets = (
        (None, {"fields": ("email", "password", "name", "image", "conversations")}),
        ("A back end's user", {"fields": ("managed_by", "external_id"), "classes": ("collapse",)}),
        ("Rights", {"fields": ("is_active", *RIGHTS)}),
        ("Times", {"fields": ("last_login", "created_at", "updated_at", "id")}),
    )
    formfield_overrides = {URLField: {"assume_scheme": "https"}}
    add_fieldsets = ((None, {"fields": ("email", "name", "usable_password", "password1", "password2")}),)

    @admin.display(description="conversations")
    def conversations(self, user: User) -> str:
        url = reverse("admin:conversations_conversation_changelist")
        return format_html('<a href="{}?user={}">Conversations of this user</a>', url, user.pk)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Leave rights, and the identity of a user that is stored, to superusers."""
        if request.user.is_superuser:
            return self.readonly_fields
        return (*self.readonly_fields, *RIGHTS, *(IDENTITY if obj else ()))

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Show the password's field to superusers only: it shows a part of the hash, and leads to a new password."""
        fieldsets = super().get_fieldsets(request, obj)
        if request.user.is_superuser:
            return fieldsets
        return [(title, {**more, "fields": _without_password(more["fields"])}) for title, more in fieldsets]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Leave staff to superusers. Refuse to change a user who is being erased: staff could activate them again."""
        is_erasing = obj is not None and obj.erasing_at is not None
        return not is_erasing and may_touch(request, obj) and super().has_change_permission(request, obj)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        if not request.user.is_superuser:
            raise PermissionDenied
        return super().user_change_password(request, id, form_url)

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and "email" in form.changed_data:
            services.replace_addresses(user=obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """What they wrote refers to them. Deactivate them here; erasing goes conversation by conversation."""
        return False


def may_touch(request: HttpRequest, owner: User | None) -> bool:
    """Whether the caller may change something of `owner`: only superusers may, where the owner is staff."""
    return request.user.is_superuser or owner is None or not owner.is_staff


def _without_password(fields: Any) -> tuple[str, ...]:
    return tuple(name for name in fields if name != "password")


@admin.register(Preferences)
class PreferencesAdmin(BigTableAdmin):
    list_display = ("user", "default_model", "theme", "language", "updated_at")
    list_select_related = ("user",)
    search_fields = ("user__email",)
    search_help_text = "E-mail."
    readonly_fields = ("user", "extra", "created_at", "updated_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """They are made on first use."""
        return False


class Removable(ReadOnly, BigTableAdmin):
    """Rows that staff delete for a user, as a lost second factor, and neither make nor change. Only superusers delete
    those of staff."""

    list_select_related = ("user",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        owner = obj.user if obj else None
        return may_touch(request, owner) and admin.ModelAdmin.has_delete_permission(self, request, obj)


@admin.register(ApiToken)
class ApiTokenAdmin(Removable):
    list_display = ("name", "user", "scopes", "expires_at", "last_used_at", "created_at")
    list_only = ("name", "user__email", "user__name", "scopes", "expires_at", "last_used_at", "created_at")
    search_fields = ("name", "user__email")
    search_help_text = "Name, or the user's e-mail."
    fields = list_display


# Providers are configured by the environment; the rest holds secrets, or is each user's own to look at.
admin.site.unregister([EmailAddress, Group, SocialAccount, SocialApp, SocialToken, Authenticator, UserSession])


@admin.register(Group)
class GroupAdmin(BigTableAdmin, DjangoGroupAdmin):
    """A group's permissions are rights of its members: only superusers give them."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return request.user.is_superuser


@admin.register(EmailAddress)
class EmailAddressAdmin(ReadOnly, BigTableAdmin, allauth_admin.EmailAddressAdmin):
    """To be read only. A verified address resets its user's password, so whoever sets one takes the account over: a
    superuser changes the user's e-mail, or marks an address as verified that its user has typed in."""

    list_select_related = ("user",)
    lookups = ("primary__exact", "verified__exact")
    actions = ("make_verified",)

    def has_verify_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    @admin.action(description="Mark as verified", permissions=["verify"])
    def make_verified(self, request: HttpRequest, queryset: QuerySet[EmailAddress]) -> None:
        for address in queryset.filter(verified=False):
            record(request, address, "Marked as verified.")
        super().make_verified(request, queryset)


@admin.register(Authenticator)
class AuthenticatorAdmin(Removable):
    list_display = ("user", "type", "created_at", "last_used_at")
    list_only = ("user__email", "user__name", "type", "created_at", "last_used_at")
    fields = list_display


@admin.register(SocialAccount)
class SocialAccountAdmin(Removable):
    list_display = ("user", "provider", "uid", "last_login", "date_joined")
    list_only = ("user__email", "user__name", "provider", "uid", "last_login", "date_joined")
    fields = list_display
