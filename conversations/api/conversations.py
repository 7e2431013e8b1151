"""The routes of conversations."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from accounts.api.base import APIView, Request, ViewSet
from accounts.api.idempotency import run_idempotent
from chatstore.api import pagination
from chatstore.api.responses import bool_param, get_or_404, row_to_dict
from chatstore.api.schema import CURSOR, IDEMPOTENCY_KEY, paged
from conversations import columns
from conversations.columns import CONVERSATION_FIELDS
from conversations.models import Conversation
from conversations.querysets import ConversationQuerySet
from conversations.services import branches, bulk_changes, conversations

from .filters import apply_filters, filter_parameters, read_filters
from .serializers import (
    BranchSerializer,
    BulkOutcomeSerializer,
    BulkSerializer,
    ConversationSerializer,
    NewConversationSerializer,
)

CURSOR_KIND = "conversations"
PAGE_SIZE = pagination.page_size(default=20, most=100)
NEW, WHOLE, CHANGES = NewConversationSerializer(), ConversationSerializer(), ConversationSerializer(partial=True)
BRANCH, BULK = BranchSerializer(), BulkSerializer()
# A PUT resets the fields that it leaves out to these values. The title and the client's id stay.
DEFAULTS: dict[str, Any] = {
    **columns.defaults(Conversation, columns.names(columns.CONVERSATION, columns.WRITE)),
    "is_archived": False,
}
del DEFAULTS["title"], DEFAULTS["external_id"]


class ConversationViewSet(ViewSet):
    def owned(self) -> ConversationQuerySet:
        return Conversation.objects.owned_by(self.request.user)

    def read_live(self, id: uuid.UUID | str) -> orjson.Fragment:
        return get_or_404(self.owned().live().filter(id=id).json_texts(), "conversation")

    @extend_schema(
        parameters=[PAGE_SIZE.parameter, CURSOR, *filter_parameters()],
        responses=paged("ConversationPage", ConversationSerializer),
    )
    def list(self, request: Request) -> Response:
        """List the caller's conversations, most recently active first, without archived and trashed ones.

        If a conversation becomes active while you read the pages, it moves to the first page. Reload that page
        to see it."""
        limit = PAGE_SIZE.read(request)
        after = pagination.read_cursor(request, CURSOR_KIND, _position)
        if filters := read_filters(request):
            rows = apply_filters(self.owned(), filters).by_activity()
            texts = (rows.before_activity(*after) if after else rows)[: limit + 1].json_texts()
        else:
            texts = Conversation.objects.sidebar(request.user, limit=limit + 1, after=after)
        return Response(pagination.page(request, texts, limit, _cursor))

    @extend_schema(
        parameters=[IDEMPOTENCY_KEY],
        request=NewConversationSerializer,
        responses={201: ConversationSerializer, 200: ConversationSerializer},
    )
    def create(self, request: Request) -> Response:
        """Create a conversation, optionally with its first messages.

        Without a `title`, the first line of the first user message becomes the title. Until there is such a message,
        the title is `New Chat` and the date."""
        fields = NEW.run_validation(request.data)
        drafts = fields.pop("messages", [])

        def make() -> tuple[Sequence[Conversation], bool]:
            conversation, is_new = conversations.create(user=request.user, fields=fields, drafts=drafts)
            return [conversation], is_new

        outcome = run_idempotent(request, make)
        if outcome.is_new:
            return Response(row_to_dict(outcome.rows[0], [*CONVERSATION_FIELDS, "is_archived"]), 201)
        return Response(self.read_live(outcome.ids[0]))

    @extend_schema(responses=ConversationSerializer)
    def retrieve(self, request: Request, id: uuid.UUID) -> Response:
        """Return a conversation, without its messages."""
        return Response(self.read_live(id))

    @extend_schema(request=ConversationSerializer, responses=ConversationSerializer)
    def partial_update(self, request: Request, id: uuid.UUID) -> Response:
        """Change the fields that are sent: rename, pin, archive or tag the conversation."""
        return self._update(id, CHANGES.run_validation(request.data))

    @extend_schema(request=ConversationSerializer, responses=ConversationSerializer)
    def update(self, request: Request, id: uuid.UUID) -> Response:
        """Replace all writable fields. A field that is left out gets its default; only `title` keeps its value."""
        return self._update(id, DEFAULTS | WHOLE.run_validation(request.data))

    def _update(self, id: uuid.UUID, changes: dict[str, Any]) -> Response:
        changes.pop("external_id", None)  # is set only when the conversation is created
        conversations.update(user=self.request.user, conversation_id=id, changes=changes)
        return Response(self.read_live(id))

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "permanent",
                bool,
                description="Delete the conversation immediately and permanently, even if it is in the trash.",
            )
        ],
        responses={204: None},
    )
    def destroy(self, request: Request, id: uuid.UUID) -> Response:
        """Move the conversation to the trash."""
        remove = conversations.purge if bool_param(request, "permanent") else conversations.trash
        remove(user=request.user, conversation_id=id)
        return Response(status=204)

    @extend_schema(request=None, responses=ConversationSerializer)
    def restore(self, request: Request, id: uuid.UUID) -> Response:
        """Restore the conversation from the trash."""
        conversations.restore(user=request.user, conversation_id=id)
        return Response(self.read_live(id))

    @extend_schema(request=BranchSerializer, responses=ConversationSerializer)
    def branch(self, request: Request, id: uuid.UUID) -> Response:
        """Display the branch of the given message, down to its newest answer."""
        branches.switch(user=request.user, conversation_id=id, **BRANCH.run_validation(request.data))
        return Response(self.read_live(id))


class BulkView(APIView):
    @extend_schema(operation_id="conversations_bulk", request=BulkSerializer, responses=BulkOutcomeSerializer)
    def post(self, request: Request) -> Response:
        """Apply one action to up to 100 conversations. The response has the result for each id.

        `results` are the ids of the conversations that changed, or were so already. So the request can be repeated.
        `conflicts` are those that cannot change, each with the reason: another conversation now has the `external_id`
        of one to restore, or one to tag has too many tags."""
        outcome = bulk_changes.change_all(user=request.user, **BULK.run_validation(request.data))
        refused = [{"id": id, "code": error.code, "message": error.message} for id, error in outcome.refused.items()]
        return Response({"results": outcome.done, "not_found": outcome.not_found, "conflicts": refused})


def _cursor(row: dict[str, Any]) -> str:
    return pagination.encode(CURSOR_KIND, [row["active_at"], row["id"]])


def _position(active_at: str, id: str) -> tuple[datetime, uuid.UUID]:
    return pagination.parse_datetime(active_at), uuid.UUID(id)
