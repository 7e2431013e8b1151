"""Where allauth asks us."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from .middleware import LockedOut
from .models import User


class AccountAdapter(DefaultAccountAdapter):
    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Who has tried too often is told so by the status, a 429, and not as if the form were wrong."""
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError as error:
            raise LockedOut from error


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
