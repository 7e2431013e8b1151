import datetime
from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from rest_framework import authentication, exceptions
from rest_framework.request import Request

from chatstore.middleware import CrossSiteMiddleware

from .models import ApiToken, User

LAST_USE_EVERY = datetime.timedelta(hours=1)


class BearerAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer cs_…`, in one statement: the token and its user. `request.auth` is the token."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        scheme, _, secret = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = self._valid(secret.strip())
        if token is None:
            raise exceptions.AuthenticationFailed(gettext("The token is unknown, revoked or expired."))
        self._note_use(token)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"

    @staticmethod
    def _valid(secret: str) -> ApiToken | None:
        token = ApiToken.objects.with_user(ApiToken.digest_of(secret))
        if token is None or not token.user.is_active:
            return None
        return None if token.expires_at and token.expires_at <= timezone.now() else token

    @staticmethod
    def _note_use(token: ApiToken) -> None:
        # At most hourly: a row written per request would be the busiest of the database.
        stale = timezone.now() - LAST_USE_EVERY
        if token.last_used_at is None or token.last_used_at < stale:
            unnoted = Q(last_used_at__isnull=True) | Q(last_used_at__lt=stale)
            ApiToken.objects.filter(unnoted, pk=token.pk).update(last_used_at=timezone.now())


class SessionAuthentication(authentication.SessionAuthentication):
    """The browser's cookie, under the cross-site rule of chatstore.middleware."""

    def enforce_csrf(self, request: HttpRequest) -> None:
        check = _RefusalAsReason(lambda request: None)  # type: ignore[arg-type]
        check.process_request(request)
        reason = check.process_view(request, None, (), {})
        if reason:
            raise exceptions.PermissionDenied(
                gettext("Refused as cross-site: {reason}").format(reason=reason), code="cross_site"
            )


class _RefusalAsReason(CrossSiteMiddleware):
    def _reject(self, request: HttpRequest, reason: str) -> Any:
        return reason
