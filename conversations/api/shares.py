"""The routes of shares: those of the owner, and those of everyone who has a link."""

import uuid
from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotAuthenticated, PermissionDenied
from rest_framework.permissions import AllowAny
from rest_framework.response import Response

from accounts.api.base import Request, ViewSet
from accounts.api.idempotency import run_idempotent
from accounts.client_address import address_of
from accounts.permissions import IsSignedIn
from chatstore.api import pagination
from chatstore.api.responses import row_to_dict
from chatstore.api.schema import CURSOR, IDEMPOTENCY_KEY, paged
from chatstore.errors import NotFound
from conversations.models import Conversation, Share
from conversations.querysets import ShareQuerySet
from conversations.services import shares

from .serializers import NewShareSerializer, SharedMessageSerializer, SharedSerializer, ShareSerializer

NEW = NewShareSerializer()
PAGE = paged("SharePage", ShareSerializer)
CURSOR_KIND, MESSAGES_CURSOR_KIND = "shares", "shared"
PAGE_SIZE = pagination.page_size(default=20, most=100)
MESSAGES_PAGE_SIZE = pagination.page_size(default=100, most=1_000)
TOKEN = OpenApiParameter("token", str, OpenApiParameter.PATH, description="The secret part of the link.")
FIELDS = (
    "id",
    "token",
    "conversation_id",
    "title",
    "message_count",
    "sign_in_required",
    "expires_at",
    "created_at",
)
PUBLIC_FIELDS = ("title", "created_at", "expires_at", "message_count")
# Headers of each response about a link, also of an error: search engines do not list it, sites that it links to do not
# learn the token from the address, and caches do not answer after the share has been revoked or has expired.
HEADERS = {"X-Robots-Tag": "noindex", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}


class ShareViewSet(ViewSet):
    @extend_schema(parameters=[PAGE_SIZE.parameter, CURSOR], responses=PAGE)
    def list(self, request: Request) -> Response:
        """List the shares of the user that have not expired, newest first.

        Shares of conversations in the trash are included. Nobody can read them until the conversation is restored."""
        return _page(request, CURSOR_KIND, Share.objects.owned_by(request.user))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, id: uuid.UUID) -> Response:
        """Revoke a share. Its link stops working at once."""
        shares.revoke(user=request.user, share_id=id, address=address_of(request))
        return Response(status=204)


class ConversationShareViewSet(ViewSet):
    @extend_schema(parameters=[PAGE_SIZE.parameter, CURSOR], responses=PAGE)
    def list(self, request: Request, id: uuid.UUID) -> Response:
        """List the shares of a conversation that have not expired, newest first."""
        if not Conversation.objects.owned_by(request.user).live().filter(id=id).exists():
            raise NotFound("conversation")
        return _page(request, f"{CURSOR_KIND}-{id}", Share.objects.owned_by(request.user).filter(conversation=id))

    @extend_schema(
        parameters=[IDEMPOTENCY_KEY],
        request=NewShareSerializer,
        responses={201: ShareSerializer, 200: ShareSerializer},
    )
    def create(self, request: Request, id: uuid.UUID) -> Response:
        """Share a conversation: copy its messages, and create an unguessable link to the copy.

        The share has the messages of users, assistants and tools on the path to `message_id`. It has no instructions
        (`system`, `developer`), no reasoning, and no message that is in progress. Later messages and edits do not
        change it. A message that is deleted disappears from it."""
        fields = NEW.run_validation(request.data)

        def make() -> tuple[Sequence[Share], bool]:
            address = address_of(request)
            return [shares.create(user=request.user, conversation_id=id, address=address, **fields)], True

        outcome = run_idempotent(request, make)
        share = outcome.rows[0] if outcome.is_new else self._stored(outcome.ids[0])
        return Response(_to_dict(request, share), 201 if outcome.is_new else 200)

    def _stored(self, id: str) -> Share:
        share: Share | None = Share.objects.owned_by(self.request.user).filter(id=id).first()
        if share is None:
            raise NotFound("share")
        return share


class SharedViewSet(ViewSet):
    """A share, for everyone who has its link. All links that do not work get the same 404."""

    permission_classes = [AllowAny]

    @extend_schema(parameters=[TOKEN], responses=SharedSerializer)
    def retrieve(self, request: Request, token: str) -> Response:
        """Return a shared conversation. The request needs no credentials, unless the share requires a sign-in (401)."""
        return Response(row_to_dict(self._open(token), PUBLIC_FIELDS))

    @extend_schema(
        operation_id="shared_messages_list",
        parameters=[TOKEN, MESSAGES_PAGE_SIZE.parameter, CURSOR],
        responses=paged("SharedMessagePage", SharedMessageSerializer),
    )
    def messages(self, request: Request, token: str) -> Response:
        """List the messages of a shared conversation, in order. A page ends at `limit` messages or at 8 MB of JSON."""
        limit = MESSAGES_PAGE_SIZE.read(request)
        after = pagination.read_cursor(request, MESSAGES_CURSOR_KIND, _parse_seq) or 0
        rows = Share.objects.page(self._open(token), after=after, limit=limit + 1)

        def cursor(_: Any) -> str:
            last, _ = rows[min(limit, len(rows) - 1) - 1]  # the row before the one that begins the next page
            return pagination.encode(MESSAGES_CURSOR_KIND, [last])

        return Response(pagination.page(request, [text for _, text in rows], limit, cursor))

    def _open(self, token: str) -> Share:
        share = Share.objects.open(token)
        if share is None:
            raise NotFound("share")
        permission = IsSignedIn()
        if share.sign_in_required and not permission.has_permission(self.request, self):
            raise PermissionDenied(permission.message) if self.request.user.is_authenticated else NotAuthenticated()
        return share

    def finalize_response(self, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(*args, **kwargs)
        for name, value in HEADERS.items():
            response[name] = value
        return response


def _page(request: Request, kind: str, rows: ShareQuerySet) -> Response:
    limit = PAGE_SIZE.read(request)
    after = pagination.read_cursor(request, kind, uuid.UUID)
    listed = rows.listed()
    found = list((listed.filter(id__lt=after) if after else listed)[: limit + 1])
    next_page = None
    if len(found) > limit:
        found = found[:limit]
        next_page = pagination.next_url(request, pagination.encode(kind, [str(found[-1].id)]))
    return Response({"results": [_to_dict(request, share) for share in found], "next": next_page})


def _to_dict(request: Request, share: Share) -> dict[str, Any]:
    return row_to_dict(share, FIELDS, url=request.build_absolute_uri(f"/share/{share.token}"))


def _parse_seq(value: Any) -> int:
    if type(value) is not int or not 0 < value < 2**31:
        raise ValueError(value)
    return value
