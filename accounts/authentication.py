import datetime
from typing import Any

from allauth.headless.contrib.rest_framework.authentication import XSessionTokenAuthentication
from django.db.models import Q
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils.translation import gettext
from rest_framework import authentication, exceptions
from rest_framework.request import Request

from chatstore.middleware import CrossSiteMiddleware

from .models import ApiToken, User

LAST_USE_EVERY = datetime.timedelta(hours=1)
ACT_AS = "X-Act-As"
ID_LENGTH = User._meta.get_field("external_id").max_length or 0


class BearerAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer cs_…`, in one statement: the token and its user, or with `X-Act-As` the user it acts for.
    `request.auth` is the token."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        scheme, _, secret = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        digest = ApiToken.digest_of(secret.strip())
        id = _acted_for(request)
        if id is None:
            return self._as_its_user(ApiToken.objects.find_with_user(digest))
        return self._as_managed(ApiToken.objects.find_with_managed_user(digest, id), id)

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"

    def _as_its_user(self, token: ApiToken | None) -> tuple[User, ApiToken]:
        if token is None or not _may_sign_in(token.user):
            raise exceptions.AuthenticationFailed(gettext("The token is unknown, revoked or expired."))
        self._note_use(token)
        return token.user, token

    def _as_managed(self, found: tuple[ApiToken, User | None] | None, id: str) -> tuple[User, ApiToken]:
        token, managed = found or (None, None)
        user, token = self._as_its_user(token)
        if ApiToken.Scope.ACT_AS not in token.scopes:
            raise exceptions.PermissionDenied(gettext("X-Act-As needs a token with the scope 'act_as'."))
        if user.managed_by_id:
            raise exceptions.PermissionDenied(gettext("X-Act-As is not for users whom a back end manages."))
        # A user who does not exist yet has no id. The view creates the user if nothing refuses the request
        # (accounts.api.base).
        managed = managed or User(id=None, managed_by=user, external_id=id)
        if not managed.is_active:
            raise exceptions.AuthenticationFailed(gettext("The user whom X-Act-As names is not active any more."))
        return managed, token

    @staticmethod
    def _note_use(token: ApiToken) -> None:
        # At most hourly: a row written per request would be the busiest of the database.
        if token.use_is_old:
            # Of several requests at once, one writes.
            unnoted = Q(last_used_at__isnull=True) | Q(last_used_at__lt=Now() - LAST_USE_EVERY)
            ApiToken.objects.filter(unnoted, pk=token.pk).update(last_used_at=Now())


def _may_sign_in(user: User) -> bool:
    """With a back end, those whom it manages are out as well."""
    return user.is_active and (user.managed_by is None or user.managed_by.is_active)


def _acted_for(request: Request) -> str | None:
    """The id in the header, which is UTF-8; None without the header."""
    sent = request.META.get("HTTP_X_ACT_AS")
    if sent is None:
        return None
    try:
        id = sent.encode("latin-1").decode()  # WSGI gives bytes as characters
    except UnicodeError:
        raise exceptions.ValidationError({ACT_AS: [gettext("Must be UTF-8.")]}) from None
    if not 1 <= len(id) <= ID_LENGTH:
        raise exceptions.ValidationError({ACT_AS: [gettext("Must have 1 to 255 characters.")]})
    if "\0" in id:
        raise exceptions.ValidationError({ACT_AS: [gettext("Must not contain NUL.")]})
    return id


class AppAuthentication(XSessionTokenAuthentication):
    """A native app's `X-Session-Token`: its session, which may do what a browser's may."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        found = super().authenticate(request)
        if found is None:
            return None
        _refuse_acting(request)
        user, request._request.session = found  # as in allauth's own views, which ask it when its user signed in
        return user, None


class SessionAuthentication(authentication.SessionAuthentication):
    """The browser's cookie, under the cross-site rule of chatstore.middleware."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        found = super().authenticate(request)
        if found:
            _refuse_acting(request)
        return found

    def enforce_csrf(self, request: HttpRequest) -> None:
        check = _RefusalAsReason(lambda request: None)  # type: ignore[arg-type]
        check.process_request(request)
        reason = check.process_view(request, None, (), {})
        if reason:
            raise exceptions.PermissionDenied(
                gettext("Refused as cross-site: {reason}").format(reason=reason), code="cross_site"
            )


def _refuse_acting(request: Request) -> None:
    if "HTTP_X_ACT_AS" in request.META:
        raise exceptions.PermissionDenied(gettext("X-Act-As needs a token with the scope 'act_as'."))


class _RefusalAsReason(CrossSiteMiddleware):
    def _reject(self, request: HttpRequest, reason: str) -> Any:
        return reason
