"""Is it really them? Asked before what cannot be taken back."""

import time

from allauth.account.authentication import get_authentication_records
from django.utils.translation import gettext
from rest_framework.exceptions import PermissionDenied

from chatstore import limits
from chatstore.errors import Invalid

from .base import Request

RECENTLY = 300  # seconds
TRIES = 5  # in that time


def confirm(request: Request, password: str | None) -> None:
    """By their password, or by a session that signed in just now. A back end that acts for one of its users answers for
    them: they sign in there, and have no password here. Whoever guesses is limited, as at the door."""
    if request.auth is not None and request.auth.user_id != request.user.pk:
        return
    if password is not None:
        limit = gettext("{count} tries").format(count=TRIES)
        limits.take_place(f"password:{request.user.pk}", count=TRIES, seconds=RECENTLY, limit=limit)
        if not request.user.check_password(password):
            raise Invalid(gettext("The password is wrong."), code="wrong_password", field="password")
    elif request.auth is not None or not _signed_in_recently(request):
        raise PermissionDenied(
            gettext("Send your password, or sign in again and ask within five minutes."),
            code="reauthentication_required",
        )


def confirm_session(request: Request) -> None:
    """Raise PermissionDenied for a session that neither signed in nor confirmed a password or second factor within
    RECENTLY. A token needs no more than itself."""
    if request.auth is None and not _signed_in_recently(request):
        raise PermissionDenied(
            gettext("Sign in again, or confirm your password, and ask within five minutes."),
            code="reauthentication_required",
        )


def _signed_in_recently(request: Request) -> bool:
    """As this session says: another one of the same user proves nothing about who holds this."""
    records = get_authentication_records(request, request.user)
    return any(time.time() - record["at"] < RECENTLY for record in records)
