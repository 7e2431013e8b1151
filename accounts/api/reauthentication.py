"""Reauthentication before actions that cannot be undone."""

import time

from allauth.account.authentication import get_authentication_records
from django.utils.translation import gettext
from rest_framework.exceptions import PermissionDenied

from chatstore import limits
from chatstore.errors import Invalid

from .base import Request

RECENTLY = 300  # seconds
TRIES = 5  # within RECENTLY


def confirm(request: Request, password: str | None) -> None:
    """Confirm the user by the password, or by a session that signed in within RECENTLY.

    Raise Invalid for a wrong password, RateLimited after TRIES passwords, and PermissionDenied without either proof. A
    back end that acts for one of its users needs no proof, because this user signs in there and has no password here.
    """
    if request.auth is not None and request.auth.user_id != request.user.pk:
        return
    if password is not None:
        limit = gettext("{count} tries").format(count=TRIES)
        limits.take_place(f"password:{request.user.pk}", count=TRIES, seconds=RECENTLY, limit=limit)
        if not request.user.check_password(password):
            raise Invalid(gettext("The password is wrong."), code="wrong_password", field="password")
    elif request.auth is not None or not _signed_in_recently(request):
        raise PermissionDenied(
            gettext("Send your password, or sign in again and repeat the request within five minutes."),
            code="reauthentication_required",
        )


def confirm_session(request: Request) -> None:
    """Raise PermissionDenied for a session that neither signed in nor confirmed a password or second factor within
    RECENTLY. A token needs no confirmation."""
    if request.auth is None and not _signed_in_recently(request):
        raise PermissionDenied(
            gettext("Sign in again or confirm your password, and repeat the request within five minutes."),
            code="reauthentication_required",
        )


def _signed_in_recently(request: Request) -> bool:
    """Return whether this session signed in within RECENTLY. Other sessions of the user do not count."""
    records = get_authentication_records(request, request.user)
    return any(time.time() - record["at"] < RECENTLY for record in records)
