"""Admin pages for API tokens, e-mail addresses, second factors and linked accounts."""

from typing import Any

from allauth.account import admin as allauth_admin
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_lazy

from accounts.models import ApiToken

from .audit import record
from .big_tables import BigTableAdmin, ReadOnly
from .fields import badge, created, time_column, user_column
from .models import Action
from .users import may_change_data_of

expires = time_column("expires_at", gettext_lazy("expires"))
last_used = time_column("last_used_at", gettext_lazy("last used"))
last_login = time_column("last_login", gettext_lazy("last sign-in"))
linked = time_column("date_joined", gettext_lazy("linked"))

# The pages below replace allauth's pages of EmailAddress, SocialAccount and Authenticator. Three models get no
# page: SocialApp, because settings configure the identity providers; SocialToken, because it contains secrets; and
# UserSession, because only the user may see a session.
admin.site.unregister([EmailAddress, SocialAccount, SocialApp, SocialToken, Authenticator, UserSession])


class Removable(ReadOnly, BigTableAdmin):
    """Base of admin pages on which staff can delete rows, but not add or change them. Only superusers can delete rows
    that belong to staff."""

    list_select_related = ("user",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        owner = obj.user if obj else None
        return may_change_data_of(request, owner) and admin.ModelAdmin.has_delete_permission(self, request, obj)


@admin.register(ApiToken)
class ApiTokenAdmin(Removable):
    list_display = ("name", user_column, "scopes", expires, last_used, created)
    list_only = ("name", "user__email", "user__name", "scopes", "expires_at", "last_used_at", "created_at")
    search_fields = ("name", "user__email")
    search_help_text = gettext_lazy("A part of the token's name or of the user's e-mail address.")
    fields = ("name", "user", "scopes", "expires_at", "last_used_at", "created_at")


@admin.register(EmailAddress)
class EmailAddressAdmin(ReadOnly, BigTableAdmin, allauth_admin.EmailAddressAdmin):
    """E-mail addresses are read-only. With a verified address, a person can reset the user's password. So staff who
    could set an address could take over the account. Superusers can mark an address as verified here. They change the
    e-mail of a user on the page of the user."""

    list_display = ("email", user_column, "kind")
    list_select_related = ("user",)
    lookups = ("primary__exact", "verified__exact")
    actions = ("make_verified",)

    @admin.display(description=gettext_lazy("state"), empty_value="")
    def kind(self, address: EmailAddress) -> str:
        verified = badge(gettext("verified"), "ok") if address.verified else badge(gettext("not verified"), "warning")
        return format_html("{} {}", verified, badge(gettext("primary")) if address.primary else "")

    def has_verify_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    @admin.action(description=gettext_lazy("Mark as verified"), permissions=["verify"])
    @transaction.atomic
    def make_verified(self, request: HttpRequest, queryset: QuerySet[EmailAddress]) -> None:
        ids = list(queryset.filter(verified=False).values_list("pk", flat=True))
        super().make_verified(request, queryset)
        # allauth leaves an address unverified if it is already another user's verified address.
        for address in EmailAddress.objects.filter(pk__in=ids, verified=True):
            record(request, Action.CHANGE, address, fields=["verified"])


@admin.register(Authenticator)
class AuthenticatorAdmin(Removable):
    list_display = (user_column, "type", created, last_used)
    list_only = ("user__email", "user__name", "type", "created_at", "last_used_at")
    fields = ("user", "type", "created_at", "last_used_at")


@admin.register(SocialAccount)
class SocialAccountAdmin(Removable):
    list_display = (user_column, "provider", "uid", last_login, linked)
    list_only = ("user__email", "user__name", "provider", "uid", "last_login", "date_joined")
    fields = ("user", "provider", "uid", "last_login", "date_joined")
