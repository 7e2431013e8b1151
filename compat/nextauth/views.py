from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpResponse, HttpResponseRedirect
from django.http.request import QueryDict
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import AllowAny
from rest_framework.response import Response

from accounts.api.base import Request
from accounts.authentication import SessionAuthentication
from accounts.permissions import IsSignedIn
from chatstore.api.parsers import JSONParser
from compat.contract import AnyMediaType, ContractView, PlainError, error

from . import schemas

in_docs_section = extend_schema(tags=["B and D: NextAuth"])
CALLBACK = OpenApiParameter("callbackUrl", str, description="The page to open afterwards, on this origin.")
NOT_STORED = {"Cache-Control": "private, no-store"}  # the answers belong to one session


class Form(JSONParser):
    """Parser of URL-encoded forms, with the limit of the view."""

    media_type = "application/x-www-form-urlencoded"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        return QueryDict(self.read(stream, parser_context)).dict()


class IsNobodyOrSignedIn(IsSignedIn):
    """Allows requests without a user, and requests that IsSignedIn allows."""

    def has_permission(self, request: Any, view: Any) -> bool:
        return not request.user.is_authenticated or super().has_permission(request, view)


class View(ContractView):
    error_body, error_schema = staticmethod(error), PlainError
    parser_classes = [Form, AnyMediaType]
    permission_classes = [AllowAny]
    authentication_classes: Sequence[type[BaseAuthentication]] = []
    body_limits = {"POST": 20_000}

    def safe_url(self, url: str) -> str:
        """Return the URL if it leads to our own origin or to a front end that the settings name, otherwise `/`."""
        hosts = {self.request.get_host(), *(urlsplit(origin).netloc for origin in settings.CORS_ALLOWED_ORIGINS)}
        is_safe = url_has_allowed_host_and_scheme(url, hosts, require_https=self.request.is_secure())
        return url if is_safe else "/"

    def page(self, name: str, callback_url: str) -> str:
        """Return the address of one of allauth's pages, which then leads to the callback URL if that is safe."""
        return f"{reverse(name)}?{urlencode({'next': self.safe_url(callback_url)})}"


@in_docs_section
class SessionView(View):
    authentication_classes = ContractView.authentication_classes
    permission_classes = [AllowAny, IsNobodyOrSignedIn]  # the schema reads AllowAny

    @extend_schema(operation_id="auth_session", responses=schemas.AuthState)
    def get(self, request: Request) -> Response:
        """Get the user of the request and the end of the session, or an empty object without a session."""
        is_known = request.user.is_authenticated
        body = schemas.session(request.user, schemas.end_of(request)) if is_known else {}
        return Response(body, headers=NOT_STORED)


@in_docs_section
class ProvidersView(View):
    @extend_schema(operation_id="auth_providers", responses=schemas.AuthProviders)
    def get(self, request: Request) -> Response:
        """List the ways to sign in. The only one is chatstore's own page, which offers all configured ways."""
        return Response({schemas.PROVIDER: schemas.provider(request._request)})


@in_docs_section
class CsrfView(View):
    @extend_schema(operation_id="auth_csrf", responses=schemas.AuthToken)
    def get(self, request: Request) -> Response:
        """Get the CSRF token with which this session can sign out."""
        return Response({"csrfToken": schemas.csrf_token(request._request)}, headers=NOT_STORED)


@in_docs_section
class SignInView(View):
    @extend_schema(operation_id="auth_signin_page", parameters=[CALLBACK], responses={302: None})
    def get(self, request: Request, provider: str = "") -> HttpResponse:
        """Redirect to the sign-in page."""
        return HttpResponseRedirect(self.page("account_login", request.query_params.get("callbackUrl", "/")))

    @extend_schema(operation_id="auth_signin", request=schemas.AuthForm, responses=schemas.AuthRedirect)
    def post(self, request: Request, provider: str = "") -> Response:
        """Get the address of the sign-in page. The client opens it."""
        return Response({"url": self.page("account_login", self.read(schemas.AuthForm).callbackUrl)})


@in_docs_section
@extend_schema_view(
    get=extend_schema(operation_id="auth_signin_provider_page"), post=extend_schema(operation_id="auth_signin_provider")
)
class ProviderSignInView(SignInView):
    """The page of a provider is our own page, too: it offers every configured provider."""


@in_docs_section
class SignOutView(View):
    authentication_classes = [SessionAuthentication]

    @extend_schema(operation_id="auth_signout_page", parameters=[CALLBACK], responses={302: None})
    def get(self, request: Request) -> HttpResponse:
        """Redirect to the sign-out page."""
        return HttpResponseRedirect(self.page("account_logout", request.query_params.get("callbackUrl", "/")))

    @extend_schema(operation_id="auth_signout", request=schemas.AuthForm, responses=schemas.AuthRedirect)
    def post(self, request: Request) -> Response:
        """End the session of the cookie. Needs the CSRF token of this session.

        Returns the address that the client opens next. A request without a session ends nothing."""
        form = self.read(schemas.AuthForm)
        if request.user.is_authenticated:
            self._check_token(form.csrfToken)
            logout(request._request)
        return Response({"url": self.safe_url(form.callbackUrl)})

    def _check_token(self, token: str) -> None:
        if not constant_time_compare(token, schemas.csrf_token(self.request._request)):
            raise PermissionDenied(gettext("The csrfToken is not that of this session. Read /api/auth/csrf again."))


@in_docs_section
class LogView(View):
    @extend_schema(operation_id="auth_log", request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        """Accept an error report of the client, and drop it unread."""
        return Response(status=204)
