"""Where allauth asks us."""

from types import SimpleNamespace
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext

from chatstore import limits
from chatstore.errors import RateLimited

from .middleware import LockedOut
from .models import User

# Mails that anybody can have sent, to any address, by typing it in.
ASKED_BY_ANYBODY = {
    f"account/email/{name}"
    for name in (
        "account_already_exists",
        "email_confirmation",
        "email_confirmation_signup",
        "password_reset_code",
        "unknown_account",
    )
}
MAILS_AN_HOUR = 10  # of these, to one address
# In place of the Host header, which the client writes: a mail must not carry a stranger's name or port.
SITE = SimpleNamespace(name="chatstore", domain="")
PAGES = {"signup_url": "account_signup", "password_reset_url": "account_reset_password"}


class AccountAdapter(DefaultAccountAdapter):
    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Raise LockedOut, a 429, after too many attempts; allauth's own error looks as if the form were wrong."""
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError as error:
            raise LockedOut from error

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Key the limit of attempts by the login alone. allauth's own key has the Host header in it, so each port that
        a client writes there would begin a new count."""
        return keyed(credentials.get("email") or credentials.get("username") or "")

    def send_account_already_exists_mail(self, email: str) -> None:
        """Hash a password first, as the sign-up of a new address does: the time must not tell the two apart."""
        make_password("")
        super().send_account_already_exists_mail(email)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a mail that names no host. Raises LockedOut where strangers asked for too many to this address."""
        if template_prefix in ASKED_BY_ANYBODY:
            _count_mail(email)
        paths = {name: reverse(page) for name, page in PAGES.items() if name in context}
        super().send_mail(template_prefix, email, {**context, "current_site": SITE, **paths})


def keyed(address: str) -> str:
    """Return a name for the address that nobody without the SECRET_KEY can compute, for the keys of the cache."""
    return salted_hmac("chatstore.address", address.lower()).hexdigest()


def _count_mail(email: str) -> None:
    limit = gettext("{count} mails an hour").format(count=MAILS_AN_HOUR)
    try:
        limits.take_place(f"mails:{keyed(email)}", count=MAILS_AN_HOUR, seconds=3600, limit=limit)
    except RateLimited as error:
        raise LockedOut(error.wait) from error


class SocialAccountAdapter(DefaultSocialAccountAdapter):
    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> User:
        user: User = super().populate_user(request, sociallogin, data)
        full = " ".join(filter(None, [data.get("first_name"), data.get("last_name")]))
        user.name = (data.get("name") or full)[:255]
        user.image = _picture(data.get("picture") or sociallogin.account.get_avatar_url())
        for address in sociallogin.email_addresses:
            # Some providers say it in words, and "false" would be true: the account of whoever has that address.
            address.verified = str(address.verified).lower() == "true"
        return user


def _picture(url: object) -> str:
    return url if isinstance(url, str) and url.startswith("https://") and len(url) <= 2000 else ""
