"""The backend that reads the user of a session, with preferences and permissions, in one statement."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Permission
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, OuterRef, Q, Value, When
from django.db.models.functions import Concat

from .models import User

PATH = "accounts.backends.SessionBackend"  # `AccountAdapter` writes it into the session at sign-in
# The permissions of a user and of the user's groups, as has_perm() names them.
PERMISSIONS = (
    Permission.objects.filter(Q(user=OuterRef("pk")) | Q(group__user=OuterRef("pk")))
    .order_by()
    .values(full_name=Concat("content_type__app_label", Value("."), "codename"))
)
# Only the pages of the admin ask for permissions. A superuser has all of them.
PERMISSIONS_OF_STAFF = Case(When(is_staff=True, is_superuser=False, then=ArraySubquery(PERMISSIONS)))
RARELY_USED = ("preferences__storage_known", "preferences__extra")  # these can be large


class SessionBackend(ModelBackend):
    """Reads users who have signed in. The other backends check passwords, and read the users of older sessions."""

    def authenticate(self, *args: Any, **credentials: Any) -> None:
        """Return None, so that the next backend decides."""

    def get_user(self, user_id: Any) -> User | None:
        """Return the active user, or None."""
        rows = User.objects.select_related("preferences").defer(*RARELY_USED)
        user: Any = rows.annotate(permission_names=PERMISSIONS_OF_STAFF).filter(pk=user_id).first()
        if user is None or not self.user_can_authenticate(user):
            return None
        if user.permission_names is not None:
            user._perm_cache = set(user.permission_names)  # all ModelBackends read this before the database
        return user
