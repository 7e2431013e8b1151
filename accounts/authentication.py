"""How the API identifies its callers: by a bearer token, by an app's session token, or by a browser's session. In
single-user mode it also answers callers without credentials."""

import datetime
from typing import Any

from allauth.headless.contrib.rest_framework.authentication import XSessionTokenAuthentication
from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils.translation import gettext
from rest_framework import authentication, exceptions
from rest_framework.request import Request

from chatstore.middleware import CrossSiteMiddleware

from . import single_user
from .models import ApiToken, User

LAST_USE_INTERVAL = datetime.timedelta(hours=1)
ACT_AS = "X-Act-As"
EXPECTED_USER = "X-Expected-User"
ID_LENGTH = User._meta.get_field("external_id").max_length or 0


def is_bearer(header: str) -> bool:
    """Return whether an Authorization header has the scheme Bearer. The token can be missing or wrong."""
    return header.partition(" ")[0].lower() == "bearer"


class BearerAuthentication(authentication.BaseAuthentication):
    """Authentication by `Authorization: Bearer cs_…`. Looks up token and user in one statement.

    `request.auth` is the token. `request.user` is the user of the token. With `X-Act-As`, it is the managed user whom
    the header names."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        header = request.META.get("HTTP_AUTHORIZATION", "")
        if not is_bearer(header):
            return None
        digest = ApiToken.hash_secret(header.partition(" ")[2].strip())
        id = _read_act_as(request)
        if id is None:
            return self._authenticate_owner(ApiToken.objects.find_with_user(digest))
        return self._authenticate_managed(ApiToken.objects.find_with_managed_user(digest, id), id)

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"

    def _authenticate_owner(self, token: ApiToken | None) -> tuple[User, ApiToken]:
        if token is None or not _can_sign_in(token.user):
            raise exceptions.AuthenticationFailed(gettext("The token is unknown, revoked or expired."))
        self._record_use(token)
        return token.user, token

    def _authenticate_managed(self, row: tuple[ApiToken, User | None] | None, id: str) -> tuple[User, ApiToken]:
        token, managed = row or (None, None)
        user, token = self._authenticate_owner(token)
        if ApiToken.Scope.ACT_AS not in token.scopes:
            raise exceptions.PermissionDenied(gettext("X-Act-As needs a token with the scope 'act_as'."))
        if user.managed_by_id:
            raise exceptions.PermissionDenied(gettext("Users whom a back end manages cannot use X-Act-As."))
        # If the user does not exist yet, this is an unsaved User without a primary key. The view saves it if nothing
        # refuses the request (accounts.api.base).
        managed = managed or User(id=None, managed_by=user, external_id=id)
        if not managed.is_active:
            raise exceptions.AuthenticationFailed(gettext("The user whom X-Act-As names is deactivated."))
        return managed, token

    @staticmethod
    def _record_use(token: ApiToken) -> None:
        # Write at most once an hour. A write for each request would make this the busiest row of the database.
        if token.use_is_old:
            # The condition lets only one of several concurrent requests write.
            is_old = Q(last_used_at__isnull=True) | Q(last_used_at__lt=Now() - LAST_USE_INTERVAL)
            ApiToken.objects.filter(is_old, pk=token.pk).update(last_used_at=Now())


def _can_sign_in(user: User) -> bool:
    """Return whether the user, and the back end that manages the user, are active."""
    return user.is_active and (user.managed_by is None or user.managed_by.is_active)


def _read_act_as(request: Request) -> str | None:
    """Return the id in X-Act-As, or None without the header. Raise ValidationError for an invalid id."""
    header = request.META.get("HTTP_X_ACT_AS")
    if header is None:
        return None
    try:
        id = header.encode("latin-1").decode()  # WSGI decodes the bytes of a header as Latin-1
    except UnicodeError:
        raise exceptions.ValidationError({ACT_AS: [gettext("Must be UTF-8.")]}) from None
    if not 1 <= len(id) <= ID_LENGTH:
        raise exceptions.ValidationError({ACT_AS: [gettext("Must have 1 to 255 characters.")]})
    if "\0" in id:
        raise exceptions.ValidationError({ACT_AS: [gettext("Must not contain a NUL character.")]})
    return id


class AppAuthentication(XSessionTokenAuthentication):
    """Authentication by the `X-Session-Token` of a native app, with the same rights as a browser's session."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        result = super().authenticate(request)
        if result is None:
            return None
        _refuse_act_as(request)
        # allauth looks up the time of the sign-in in `request.session`.
        user, request._request.session = result
        return user, None


class SessionAuthentication(authentication.SessionAuthentication):
    """Authentication by a session cookie, with the cross-site rule of `chatstore.middleware`.

    All tabs of a browser share the cookie. A page names its user in X-Expected-User, so that nothing is read or written
    for another person who has signed in since in another tab."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        result = super().authenticate(request)
        if result:
            _refuse_act_as(request)
            _refuse_other_user(request, result[0])
        return result

    def enforce_csrf(self, request: HttpRequest) -> None:
        check = _ReasonOnly(lambda request: None)  # type: ignore[arg-type]
        check.process_request(request)
        reason = check.process_view(request, None, (), {})
        if reason:
            raise exceptions.PermissionDenied(
                gettext("Refused as a cross-site request: {reason}").format(reason=reason), code="cross_site"
            )


class SingleUserAuthentication(authentication.BaseAuthentication):
    """Authentication of requests without credentials in single-user mode (accounts.single_user)."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        """Return the single user. Raise PermissionDenied for a request that the mode does not admit."""
        if not settings.SINGLE_USER or single_user.has_credentials(request._request):
            return None
        if reason := single_user.find_refusal(request._request):
            raise exceptions.PermissionDenied(reason, code="single_user")
        user = single_user.find_active_user()
        if user is None:
            raise exceptions.AuthenticationFailed(
                gettext("The user of SINGLE_USER is deactivated, or does not exist yet. Restart chatstore.")
            )
        _refuse_act_as(request)
        return user, None


def _refuse_act_as(request: Request) -> None:
    if "HTTP_X_ACT_AS" in request.META:
        raise exceptions.PermissionDenied(gettext("X-Act-As needs a token with the scope 'act_as'."))


def _refuse_other_user(request: Request, user: User) -> None:
    if request.headers.get(EXPECTED_USER, str(user.pk)) != str(user.pk):
        raise exceptions.AuthenticationFailed(gettext("Another user is signed in by now."), code="other_user")


class _ReasonOnly(CrossSiteMiddleware):
    """The middleware, but with the reason of a refusal as its result instead of a response."""

    def _reject(self, request: HttpRequest, reason: str) -> Any:
        return reason
