"""Users, their preferences and tokens. Idempotency is not here: Django's admin takes no composite primary key."""

from typing import Any

from allauth.account import admin as allauth_admin
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.db.models import URLField
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from accounts.models import ApiToken, Preferences, User

from .big_tables import BigTableAdmin, ReadOnly

RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")


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
        """Who may change users may not give rights, to themselves least of all."""
        return self.readonly_fields if request.user.is_superuser else (*self.readonly_fields, *RIGHTS)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """A new password for a colleague would be the colleague's rights."""
        allowed = request.user.is_superuser or obj is None or not obj.is_staff
        return allowed and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """What they wrote refers to them. Deactivate them here; erasing goes conversation by conversation."""
        return False


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
    """Staff take away what a user has lost or must not have; they neither make it nor see its secrets."""

    list_select_related = ("user",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)


@admin.register(ApiToken)
class ApiTokenAdmin(Removable):
    list_display = ("name", "user", "scopes", "expires_at", "last_used_at", "created_at")
    list_only = ("name", "user__email", "user__name", "scopes", "expires_at", "last_used_at", "created_at")
    search_fields = ("name", "user__email")
    search_help_text = "Name, or the user's e-mail."
    fields = list_display


# Providers are configured by the environment; the rest holds secrets, or is each user's own to look at.
admin.site.unregister([EmailAddress, SocialAccount, SocialApp, SocialToken, Authenticator, UserSession])


@admin.register(EmailAddress)
class EmailAddressAdmin(BigTableAdmin, allauth_admin.EmailAddressAdmin):
    list_select_related = ("user",)
    lookups = ("primary__exact", "verified__exact")


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
