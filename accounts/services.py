"""Reads and writes users, tokens and preferences."""

import uuid
from collections.abc import Iterable
from typing import Any

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext

from chatstore import limits
from chatstore.errors import Conflict, Forbidden, Invalid

from .models import ApiToken, Preferences, User, read_and_write

HOUR = 3600


def create_token(*, user: User, name: str, **fields: Any) -> tuple[ApiToken, str]:
    """Create a token, and return it with its secret. The secret is not stored."""
    secret = ApiToken.create_secret()
    return ApiToken.objects.create(user=user, name=name, digest=ApiToken.hash_secret(secret), **fields), secret


def issue_token(*, user: User, by: ApiToken | None, **fields: Any) -> tuple[ApiToken, str]:
    """Create a token for a user who requests one with the token `by`, or with a session if `by` is None.

    Raise RateLimited if the user has created TOKEN_RATE tokens in the last hour. Raise Forbidden if the new token would
    have a scope that `by` does not have, would expire later than `by`, or would give `act_as` to a managed user."""
    allowed = fields if by is None else _limit_to(user, by, fields)
    if settings.TOKEN_RATE:
        limit = gettext("{count} tokens an hour").format(count=settings.TOKEN_RATE)
        limits.take_place(f"tokens:{user.pk}", count=settings.TOKEN_RATE, seconds=HOUR, limit=limit)
    return create_token(user=user, **allowed)


def _limit_to(user: User, by: ApiToken, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a token that permits no more than `by`.

    Without `scopes`, the token has those of the scopes `read` and `write` that `by` has. Without `expires_at`, it
    expires when `by` does. It has the scope `act_as` only if `fields` contains this scope, and never for a managed
    user. Raise Forbidden if `fields` asks for more."""
    held = [scope for scope in by.scopes if scope != ApiToken.Scope.ACT_AS or not user.managed_by_id]
    scopes = fields.get("scopes", [scope for scope in read_and_write() if scope in held])
    expires_at = fields.get("expires_at", by.expires_at)
    if missing := [scope for scope in scopes if scope not in held]:
        message = gettext("This token cannot create a token with the scope '{scope}'.")
        raise Forbidden(message.format(scope=missing[0]), field="scopes")
    if by.expires_at and (expires_at is None or expires_at > by.expires_at):
        raise Forbidden(gettext("This token cannot create a token that expires later."), field="expires_at")
    return {**fields, "scopes": scopes, "expires_at": expires_at}


def managed_user(*, manager: User, external_id: str) -> User:
    """Return the managed user with this id. Create the user if necessary. Concurrent calls create only one user."""
    user = User(managed_by=manager, external_id=external_id, password=make_password(None))
    User.objects.bulk_create([user], ignore_conflicts=True)
    return User.objects.get(managed_by=manager, external_id=external_id)


def revoke_token(*, token: ApiToken) -> None:
    """Delete the token. It is invalid at once, because nothing caches tokens."""
    token.delete()


@transaction.atomic
def suspend(*, user: User) -> None:
    """Deactivate the user and end all sessions. From now on, nobody can sign in, use a token or act as this user.

    Raise Conflict if the user is being erased."""
    _set_active(user, False)
    end_sessions(user=user)


def unsuspend(*, user: User) -> None:
    """Activate the user again. Tokens are valid again, sessions are not. Raise Conflict if the user is being erased."""
    _set_active(user, True)


def _set_active(user: User, is_active: bool) -> None:
    if not User.objects.filter(pk=user.pk, erasing_at=None).update(is_active=is_active):
        raise Conflict(gettext("This user is being erased."))


@transaction.atomic
def end_sessions(*, user: User) -> None:
    """End all sessions of the user, in browsers and apps. Executes three statements, however many sessions exist.

    The change of `session_ends` makes every session invalid. The rows of the sessions that are known are deleted."""
    User.objects.filter(pk=user.pk).update(session_ends=F("session_ends") + 1)
    keys = UserSession.objects.filter(user=user).values("session_key")
    Session.objects.filter(session_key__in=keys).delete()
    UserSession.objects.filter(user=user).delete()


def revoke_tokens(*, user: User) -> int:
    """Delete all tokens of the user. Return how many there were."""
    return ApiToken.objects.filter(user=user).delete()[0]


def update_user(*, user: User, changes: dict[str, Any]) -> User:
    for name, value in changes.items():
        setattr(user, name, value)
    user.save(update_fields=[*changes, "updated_at"])
    return user


@transaction.atomic
def replace_addresses(*, user: User) -> None:
    """Replace all addresses of the user with the e-mail, which a superuser has changed. Otherwise the owner of an old
    address could reset the password. The new address is unverified. The user confirms it with a code at the next
    sign-in or password reset."""
    EmailAddress.objects.filter(user=user).delete()
    if user.email:
        EmailAddress.objects.create(user=user, email=user.email, primary=True)


def set_preferences(*, user: User, changes: dict[str, Any]) -> Preferences:
    """Store the changed preferences. Create the row if the user has none."""
    preferences, _ = Preferences.objects.update_or_create(user=user, defaults=changes)
    return preferences


def preferences_of(user: User) -> Preferences:
    """Return the stored preferences of the user, or the defaults if there are none. Writes nothing."""
    return Preferences.objects.filter(user=user).first() or Preferences(user=user)


def save_known(*, user: User, ids: Iterable[uuid.UUID], before: Iterable[uuid.UUID]) -> None:
    """Store the ids of the conversations that the client of contract D has read or sent. Write nothing if `ids` and
    `before` are the same ids."""
    if sorted(ids) != sorted(before):
        Preferences.objects.bulk_create(
            [Preferences(user=user, storage_known=sorted(ids))],
            update_conflicts=True,
            unique_fields=["user"],
            update_fields=["storage_known"],
        )


def read_known(user: User) -> list[uuid.UUID]:
    """Return the ids that `save_known` stored last."""
    ids = Preferences.objects.filter(user=user).values_list("storage_known", flat=True).first()
    return ids or []


def find_user(email: str, *, create: bool = False) -> User | None:
    """Return the user with this address, or None. With `create`, create a missing user. This user has no password and
    cannot sign in until one is set. Raise Invalid if the address of a new user is invalid."""
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
