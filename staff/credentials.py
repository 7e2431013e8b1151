"""The pages of everything that signs a user in: API tokens, e-mail addresses, second factors and linked accounts."""

from typing import Any

from allauth.account import admin as allauth_admin
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from accounts.models import ApiToken

from .audit import record
from .big_tables import BigTableAdmin, ReadOnly
from .users import may_change_data_of

# Settings configure the identity providers (SocialApp). SocialToken holds secrets. Only the
# user sees a UserSession.
admin.site.unregister([EmailAddress, SocialAccount, SocialApp, SocialToken, Authenticator, UserSession])


class Removable(ReadOnly, BigTableAdmin):
    """Rows that staff can delete for a user, such as a lost second factor, but cannot add or change. Only superusers
    delete rows of staff."""

    list_select_related = ("user",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        owner = obj.user if obj else None
        return may_change_data_of(request, owner) and admin.ModelAdmin.has_delete_permission(self, request, obj)


@admin.register(ApiToken)
class ApiTokenAdmin(Removable):
    list_display = ("name", "user", "scopes", "expires_at", "last_used_at", "created_at")
    list_only = ("name", "user__email", "user__name", "scopes", "expires_at", "last_used_at", "created_at")
    search_fields = ("name", "user__email")
    search_help_text = gettext_lazy("A part of the token's name or of the user's e-mail address.")
    fields = list_display


@admin.register(EmailAddress)
class EmailAddressAdmin(ReadOnly, BigTableAdmin, allauth_admin.EmailAddressAdmin):
    """Addresses are read-only. A verified address can reset its user's password, so a person who sets one can take the
    account over. A superuser can change the user's e-mail, or mark an address that the user entered as verified."""

    list_select_related = ("user",)
    lookups = ("primary__exact", "verified__exact")
    actions = ("make_verified",)

    def has_verify_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    @admin.action(description=gettext_lazy("Mark as verified"), permissions=["verify"])
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
