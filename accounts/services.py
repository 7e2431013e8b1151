import uuid
from collections.abc import Iterable
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext

from chatstore import limits
from chatstore.errors import Forbidden, Invalid

from .models import ApiToken, Preferences, User, read_and_write

HOUR = 3600


def create_token(*, user: User, name: str, **fields: Any) -> tuple[ApiToken, str]:
    """The token and its secret, which is stored nowhere."""
    secret = ApiToken.new_secret()
    return ApiToken.objects.create(user=user, name=name, digest=ApiToken.digest_of(secret), **fields), secret


def issue_token(*, user: User, by: ApiToken | None, **fields: Any) -> tuple[ApiToken, str]:
    """What users make themselves: so many an hour, and with a token (`by`) none that may more or lasts longer."""
    within = fields if by is None else _within(user, by, fields)
    if settings.TOKEN_RATE:
        limit = gettext("{count} tokens an hour").format(count=settings.TOKEN_RATE)
        limits.take_place(f"tokens:{user.pk}", count=settings.TOKEN_RATE, seconds=HOUR, limit=limit)
    return create_token(user=user, **within)


def _within(user: User, by: ApiToken, fields: dict[str, Any]) -> dict[str, Any]:
    """What is left out is as `by` has it, but for acting, which is asked for, and not for managed users."""
    held = [scope for scope in by.scopes if scope != ApiToken.Scope.ACT_AS or not user.managed_by_id]
    scopes = fields.get("scopes", [scope for scope in read_and_write() if scope in held])
    expires_at = fields.get("expires_at", by.expires_at)
    if more := [scope for scope in scopes if scope not in held]:
        refusal = gettext("With this token none can be made that has the scope '{scope}'.")
        raise Forbidden(refusal.format(scope=more[0]), field="scopes")
    if by.expires_at and (expires_at is None or expires_at > by.expires_at):
        refusal = gettext("With this token none can be made that expires later than it does.")
        raise Forbidden(refusal, field="expires_at")
    return {**fields, "scopes": scopes, "expires_at": expires_at}


def managed_user(*, manager: User, external_id: str) -> User:
    """Made on first use; of two first uses at once one makes it."""
    user = User(managed_by=manager, external_id=external_id, password=make_password(None))
    User.objects.bulk_create([user], ignore_conflicts=True)
    return User.objects.get(managed_by=manager, external_id=external_id)


def revoke_token(*, token: ApiToken) -> None:
    """Gone from now on: nothing remembers a token that was good before."""
    token.delete()


def change_user(*, user: User, changes: dict[str, Any]) -> User:
    for name, value in changes.items():
        setattr(user, name, value)
    user.save(update_fields=[*changes, "updated_at"])
    return user


@transaction.atomic
def replace_addresses(*, user: User) -> None:
    """Make the user's e-mail their only address, after a superuser changed it. An address that stayed would still
    reset the password. The new one counts as unverified: the next sign-in, or a reset, proves it by a code."""
    EmailAddress.objects.filter(user=user).delete()
    if user.email:
        EmailAddress.objects.create(user=user, email=user.email, primary=True)


def set_preferences(*, user: User, changes: dict[str, Any]) -> Preferences:
    """Made on first use."""
    preferences, _ = Preferences.objects.update_or_create(user=user, defaults=changes)
    return preferences


def preferences_of(user: User) -> Preferences:
    """Return the stored preferences of the user, or the defaults if there are none. Writes nothing."""
    return Preferences.objects.filter(user=user).first() or Preferences(user=user)


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
