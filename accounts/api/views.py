import uuid
from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts import services
from accounts.models import ApiToken, Preferences
from chatstore.api.schema import IDEMPOTENCY_KEY
from chatstore.errors import NotFound

from .base import APIView, Request, ViewSet
from .idempotency import run_idempotent
from .reauthentication import confirm_session
from .serializers import MeSerializer, NewTokenSerializer, PreferencesSerializer, TokenSerializer


class MeView(APIView):
    @extend_schema(responses=MeSerializer)
    def get(self, request: Request) -> Response:
        """Return the user of the request."""
        return Response(MeSerializer(request.user).data)

    @extend_schema(request=MeSerializer, responses=MeSerializer)
    def patch(self, request: Request) -> Response:
        """Change the name or the image of the user."""
        changes = MeSerializer(partial=True).run_validation(request.data)
        return Response(MeSerializer(services.update_user(user=request.user, changes=changes)).data)


class PreferencesView(APIView):
    @extend_schema(responses=PreferencesSerializer)
    def get(self, request: Request) -> Response:
        """Return the preferences. A user who has set none gets the defaults."""
        return Response(PreferencesSerializer(services.preferences_of(request.user)).data)

    @extend_schema(request=PreferencesSerializer, responses=PreferencesSerializer)
    def patch(self, request: Request) -> Response:
        """Change some of the preferences."""
        return self._set(request, {})

    @extend_schema(request=PreferencesSerializer, responses=PreferencesSerializer)
    def put(self, request: Request) -> Response:
        """Replace the preferences. A field that is left out gets its default."""
        defaults = Preferences()
        fields = PreferencesSerializer().fields
        return self._set(request, {n: getattr(defaults, n) for n, field in fields.items() if not field.read_only})

    def _set(self, request: Request, defaults: dict[str, Any]) -> Response:
        changes = defaults | PreferencesSerializer().run_validation(request.data)
        return Response(PreferencesSerializer(services.set_preferences(user=request.user, changes=changes)).data)


class TokenViewSet(ViewSet):
    @extend_schema(responses=TokenSerializer(many=True))
    def list(self, request: Request) -> Response:
        """List the user's tokens without their secrets, newest first."""
        return Response(TokenSerializer(request.user.tokens.order_by("-id"), many=True).data)

    @extend_schema(
        parameters=[IDEMPOTENCY_KEY],
        request=TokenSerializer,
        responses={201: NewTokenSerializer, 200: NewTokenSerializer},
    )
    def create(self, request: Request) -> Response:
        """Create a token. Only the response with status 201 contains its secret, in the field `token`. An idempotent
        replay has status 200 and `token: null`.

        A request with a session is allowed only if the user signed in, or confirmed a password or second factor, in
        this session within the last five minutes."""
        confirm_session(request)
        fields = TokenSerializer().run_validation(request.data)
        secret: str | None = None  # stays None in an idempotent replay, which does not call make()

        def make() -> tuple[Sequence[ApiToken], bool]:
            nonlocal secret
            token, secret = services.issue_token(user=request.user, by=request.auth, **fields)
            return [token], True

        outcome = run_idempotent(request, make)
        token = outcome.rows[0] if outcome.is_new else self._get_token(request, outcome.ids[0])
        return Response({**TokenSerializer(token).data, "token": secret}, 201 if outcome.is_new else 200)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, id: uuid.UUID) -> Response:
        """Revoke a token. It is invalid at once."""
        services.revoke_token(token=self._get_token(request, id))
        return Response(status=204)

    @staticmethod
    def _get_token(request: Request, id: Any) -> ApiToken:
        token = request.user.tokens.filter(id=id).first()
        if token is None:
            raise NotFound("token")
        return token
