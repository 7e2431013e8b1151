from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac
from pydantic import RootModel

from accounts.api.base import Request
from accounts.models import User
from compat.contract import Schema

# NextAuth always names an end. Its own sessions end 30 days after their last use.
WITHOUT_END = timedelta(days=30)
PROVIDER = "chatstore"


class AuthForm(Schema):
    """The form that the client sends to sign in or out. `json=true` and other fields are ignored."""

    csrfToken: str = ""
    callbackUrl: str = "/"


class AuthUser(Schema):
    name: str
    email: str | None
    image: str | None


class AuthSession(Schema):
    user: AuthUser
    expires: str


class NoAuthSession(Schema):
    """An empty object."""


class AuthState(RootModel[AuthSession | NoAuthSession]):
    """The session, or an empty object without one."""


class AuthProvider(Schema):
    id: str
    name: str
    type: str
    signinUrl: str
    callbackUrl: str


class AuthProviders(RootModel[dict[str, AuthProvider]]):
    """The ways to sign in, by id."""


class AuthToken(Schema):
    csrfToken: str


class AuthRedirect(Schema):
    url: str


def session(user: User, end: datetime | None) -> dict[str, Any]:
    """Return the session of the user. `end` is None for a session without an end."""
    end = end or timezone.now() + WITHOUT_END
    return {
        "user": {"name": user.name or str(user), "email": user.email, "image": user.image or None},
        "expires": end.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }


def end_of(request: Request) -> datetime | None:
    """Return when the token or the session of the request ends, or None if it has no end."""
    if request.auth is not None:
        return request.auth.expires_at
    key = request.session.session_key
    return Session.objects.filter(session_key=key).values_list("expire_date", flat=True).first() if key else None


def provider(request: HttpRequest) -> dict[str, str]:
    """Return our sign-in page as a provider. The page offers every configured way to sign in."""
    return {
        "id": PROVIDER,
        "name": PROVIDER,
        "type": "oauth",
        "signinUrl": request.build_absolute_uri(f"/api/auth/signin/{PROVIDER}"),
        "callbackUrl": request.build_absolute_uri(settings.LOGIN_URL),
    }


def csrf_token(request: HttpRequest) -> str:
    """Return the CSRF token of the session. Only this service can compute it, and other sites cannot read it."""
    return salted_hmac("compat.nextauth", request.session.session_key or "", algorithm="sha256").hexdigest()
