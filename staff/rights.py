"""The rights of a person during a long download."""

from typing import cast

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from accounts.backends import SessionBackend
from accounts.models import User


def require_present_rights(request: HttpRequest, *permissions: str) -> None:
    """Raise PermissionDenied if the user of the request has no right to this any more. Executes one statement.

    A download that takes hours calls this again and again. It breaks off if the user is suspended meanwhile, so the
    client sees that the file is not complete."""
    user = SessionBackend().get_user(cast(User, request.user).pk)
    if user is None or not user.is_staff or not user.has_perms(permissions):
        raise PermissionDenied
