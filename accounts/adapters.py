"""Adapters for allauth. They change how it signs people in and sends mails."""

from types import SimpleNamespace
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext

from chatstore import limits
from chatstore.errors import RateLimited

from . import backends
from .middleware import LockedOut
from .models import User

# Templates of the mails that anybody can trigger for any address, by entering the address in a form.
PUBLIC_MAILS = {
    f"account/email/{name}"
    for name in (
        "account_already_exists",
        "email_confirmation",
        "email_confirmation_signup",
        "password_reset_code",
        "unknown_account",
    )
}
MAILS_AN_HOUR = 10  # mails with a template of PUBLIC_MAILS, to one address
# Mails contain this name instead of the Host header, because the sender of a request can choose that header.
SITE = SimpleNamespace(name="chatstore", domain="chatstore")
PAGES = {"signup_url": "account_signup", "password_reset_url": "account_reset_password"}


class AccountAdapter(DefaultAccountAdapter):
    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Raise LockedOut (a 429) after too many attempts. Without this override, allauth would show a form error."""
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError as error:
            raise LockedOut from error

    def login(self, request: HttpRequest, user: User) -> None:
        """Start a session whose user SessionBackend reads."""
        user.backend = backends.PATH
        super().login(request, user)

    def post_login(self, request: HttpRequest, user: User, *, signup: bool, **details: Any) -> HttpResponse:
        """Record a sign-up as a sign-in by password, because allauth does not. Without the record, actions that need a
        recent sign-in would refuse a new user."""
        response: HttpResponse = super().post_login(request, user, signup=signup, **details)
        if signup and not get_authentication_records(request, user):
            record_authentication(request, user, method="password", email=user.email)
        return response

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Return a key that depends only on the entered address. allauth's key also contains the Host header, so a
        client could restart the count with another port in that header."""
        return hash_address(credentials.get("email") or credentials.get("username") or "")

    def send_account_already_exists_mail(self, email: str) -> None:
        """Hash a password first, as a sign-up with a new address does. Both then take equally long, so that the time of
        the response does not show whether the address is known."""
        make_password("")
        super().send_account_already_exists_mail(email)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a mail that contains no host name. Raise LockedOut if the address already got MAILS_AN_HOUR of
        PUBLIC_MAILS in the last hour."""
        if template_prefix in PUBLIC_MAILS:
            _limit_mails(email)
        paths = {name: reverse(page) for name, page in PAGES.items() if name in context}
        super().send_mail(template_prefix, email, {**context, "current_site": SITE, **paths})


def hash_address(address: str) -> str:
    """Return a hash of the address for cache keys. Only a process with the SECRET_KEY can compute it."""
    return salted_hmac("chatstore.address", address.lower()).hexdigest()


def _limit_mails(email: str) -> None:
    limit = gettext("{count} mails an hour").format(count=MAILS_AN_HOUR)
    try:
        limits.take_place(f"mails:{hash_address(email)}", count=MAILS_AN_HOUR, seconds=3600, limit=limit)
    except RateLimited as error:
        raise LockedOut(error.wait) from error


class SocialAccountAdapter(DefaultSocialAccountAdapter):
    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> User:
        user: User = super().populate_user(request, sociallogin, data)
        full_name = " ".join(filter(None, [data.get("first_name"), data.get("last_name")]))
        user.name = (data.get("name") or full_name)[:255]
        user.image = _valid_image_url(data.get("picture") or sociallogin.account.get_avatar_url())
        for address in sociallogin.email_addresses:
            # Some providers send the string "false". It is truthy and would open the account with that address.
            address.verified = str(address.verified).lower() == "true"
        return user


def _valid_image_url(url: object) -> str:
    return url if isinstance(url, str) and url.startswith("https://") and len(url) <= 2000 else ""
