"""The account route that deletes conversations. The other account routes are in `accounts.api`."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from accounts.api import views
from accounts.api.base import Request
from accounts.api.reauthentication import confirm
from accounts.api.serializers import ErasureSerializer
from conversations.services import erase

ERASURE = ErasureSerializer()


class ErasedSerializer(serializers.Serializer[Any]):
    """The number of objects that were deleted."""

    users = serializers.IntegerField(help_text="The caller and the users that the caller managed.")
    conversations = serializers.IntegerField()
    messages = serializers.IntegerField()
    tokens = serializers.IntegerField()


class MeView(views.MeView):
    @extend_schema(request=ErasureSerializer, responses={200: ErasedSerializer})
    def delete(self, request: Request) -> Response:
        """Delete the account and all its data immediately and permanently.

        Requires a body `{"password": "…"}`, or a session that signed in within the last five minutes."""
        confirm(request, ERASURE.run_validation(request.data).get("password"))
        return Response(ErasedSerializer(erase.erase(user=request.user)).data)
