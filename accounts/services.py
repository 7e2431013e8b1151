import uuid
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from chatstore.errors import Invalid

from .models import ApiToken, Preferences, User


def create_token(*, user: User, name: str, **fields: Any) -> tuple[ApiToken, str]:
    """The token and its secret, which is stored nowhere."""
    secret = ApiToken.new_secret()
    return ApiToken.objects.create(user=user, name=name, digest=ApiToken.digest_of(secret), **fields), secret


def revoke_token(*, token: ApiToken) -> None:
    """Gone from now on: nothing remembers a token that was good before."""
    token.delete()


def change_user(*, user: User, changes: dict[str, Any]) -> User:
    for name, value in changes.items():
        setattr(user, name, value)
    user.save(update_fields=[*changes, "updated_at"])
    return user


def set_preferences(*, user: User, changes: dict[str, Any]) -> Preferences:
    """Made on first use."""
    preferences, _ = Preferences.objects.update_or_create(user=user, defaults=changes)
    return preferences


def note_known(*, user: User, ids: Iterable[uuid.UUID], before: Iterable[uuid.UUID]) -> None:
    """Which conversations a client that saves everything at once now knows of; nothing is written where it knew."""
    if sorted(ids) != sorted(before):
        Preferences.objects.bulk_create(
            [Preferences(user=user, storage_known=sorted(ids))],
            update_conflicts=True,
            unique_fields=["user"],
            update_fields=["storage_known"],
        )


def known_to(user: User) -> list[uuid.UUID]:
    known = Preferences.objects.filter(user=user).values_list("storage_known", flat=True).first()
    return known or []


def user_by_email(email: str, *, create: bool = False) -> User | None:
    """A user made here has no password, so nobody signs in as them until one is set."""
    user = User.objects.filter(email__lower=email.lower()).first()
    if user is None and create:
        user = User(email=email.lower())
        user.set_unusable_password()
        try:
            validate_email(email)
            user.full_clean(exclude=["password"])
        except ValidationError as error:
            raise Invalid(" ".join(error.messages), field="email") from None
        user.save()
    return user
