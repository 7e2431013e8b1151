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
    """Check the password, or that the user signed in within RECENTLY in this session.

    Raise Invalid for a wrong password, RateLimited after TRIES passwords, and PermissionDenied if there is neither a
    password nor a recent sign-in. A back end that acts for one of its users needs neither, because this user signs in
    there and has no password here.
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
    """Raise PermissionDenied if the user of a session did not sign in, or confirm a password or second factor, within
    RECENTLY. A token needs no confirmation."""
    if request.auth is None and not _signed_in_recently(request):
        raise PermissionDenied(
            gettext("Sign in again or confirm your password, and repeat the request within five minutes."),
            code="reauthentication_required",
        )


def _signed_in_recently(request: Request) -> bool:
    """Return whether the user signed in or reauthenticated in this session within RECENTLY."""
    records = get_authentication_records(request, request.user)
    return any(time.time() - record["at"] < RECENTLY for record in records)
