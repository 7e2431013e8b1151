from typing import Any

import orjson
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.http import StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import negotiation

from accounts.api.base import APIView, Request
from accounts.api.serializers import MeSerializer, PreferencesSerializer, TokenSerializer
from accounts.models import User
from accounts.services import preferences_of
from transfer.exporters import archive


class IgnoreAccept(negotiation.DefaultContentNegotiation):
    """Ignores the Accept header: the response is a ZIP file, or an error in JSON."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


class ExportView(APIView):
    content_negotiation_class = IgnoreAccept

    @extend_schema(responses={(200, "application/zip"): OpenApiTypes.BINARY})
    def get(self, request: Request) -> StreamingHttpResponse:
        """Download all data of the caller as a ZIP file.

        `account.json` holds the account. `conversations.jsonl` holds one conversation per line, with the messages of
        all branches. It includes the conversations in the archive and in the trash.
        """
        account = orjson.dumps(_account(request.user), option=orjson.OPT_INDENT_2)
        # A HEAD request gets the headers only.
        stream = archive.stream(user=request.user, account=account) if request.method == "GET" else ()
        name = f"chatstore-{timezone.now():%Y-%m-%d}.zip"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return StreamingHttpResponse(stream, content_type="application/zip", headers=headers)


def _account(user: User) -> dict[str, Any]:
    """Return the account. `profile`, `preferences` and `tokens` are the responses of the API's routes for them."""
    addresses = EmailAddress.objects.filter(user=user).order_by("id")
    linked = SocialAccount.objects.filter(user=user).order_by("id")
    return {
        "profile": MeSerializer(user).data,
        "preferences": PreferencesSerializer(preferences_of(user)).data,
        "tokens": TokenSerializer(user.tokens.order_by("-id"), many=True).data,
        "emails": list(addresses.values("email", "verified", "primary")),
        "linked_accounts": list(linked.values("provider", "uid", "date_joined", "last_login", "extra_data")),
    }
