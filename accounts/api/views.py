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
        """Create a token. Only this response contains its secret; an idempotent replay has `token: null`.

        A session must have signed in, or confirmed its password, within the last five minutes."""
        confirm_session(request)
        fields = TokenSerializer().run_validation(request.data)
        secrets: list[str | None] = [None]

        def make() -> tuple[Sequence[ApiToken], bool]:
            token, secrets[0] = services.issue_token(user=request.user, by=request.auth, **fields)
            return [token], True

        outcome = run_idempotent(request, make)
        token = outcome.rows[0] if outcome.is_new else self._stored(request, outcome.ids[0])
        return Response({**TokenSerializer(token).data, "token": secrets[0]}, 201 if outcome.is_new else 200)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, id: uuid.UUID) -> Response:
        """Revoke a token. It is invalid at once."""
        services.revoke_token(token=self._stored(request, id))
        return Response(status=204)

    @staticmethod
    def _stored(request: Request, id: Any) -> ApiToken:
        token = request.user.tokens.filter(id=id).first()
        if token is None:
            raise NotFound("token")
        return token
