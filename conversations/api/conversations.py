import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from accounts.api.base import Request, ViewSet
from accounts.api.idempotency import run_idempotent
from chatstore.api import pagination
from chatstore.api.responses import bool_param, get_or_404, row_to_dict
from chatstore.api.schema import IDEMPOTENCY_KEY, PAGING, paged
from conversations import columns
from conversations.models import Conversation
from conversations.querysets import CONVERSATION_FIELDS, ConversationQuerySet
from conversations.services import branches, conversations

from .filters import filter_parameters, filtered, filters_of
from .serializers import BranchSerializer, ConversationSerializer, NewConversationSerializer

CURSOR = "conversations"
NEW, WHOLE, CHANGES = NewConversationSerializer(), ConversationSerializer(), ConversationSerializer(partial=True)
CHOICE = BranchSerializer()
# A PUT resets the fields that it leaves out, except the title and the client's id.
RESET: dict[str, Any] = {
    **columns.defaults(Conversation, columns.names(columns.CONVERSATION, columns.WRITE)),
    "is_archived": False,
}
del RESET["title"], RESET["external_id"]


class ConversationViewSet(ViewSet):
    def owned(self) -> ConversationQuerySet:
        return Conversation.objects.owned_by(self.request.user)

    def live(self, id: uuid.UUID | str) -> orjson.Fragment:
        return get_or_404(self.owned().live().filter(id=id).json_texts(), "conversation")

    @extend_schema(
        parameters=[*PAGING, *filter_parameters()], responses=paged("ConversationPage", ConversationSerializer)
    )
    def list(self, request: Request) -> Response:
        """The caller's conversations, newest activity first, those in the archive and in the trash left out.

        Activity moves a conversation to the top while you page; start again at the top to see it."""
        limit = pagination.page_limit(request, default=20, most=100)
        after = pagination.read_cursor(request, CURSOR, _position)
        if asked := filters_of(request):
            rows = filtered(self.owned(), asked).by_activity()
            texts = (rows.before_activity(*after) if after else rows)[: limit + 1].json_texts()
        else:
            texts = Conversation.objects.sidebar(request.user, limit=limit + 1, after=after)
        return Response(
            pagination.page(request, texts, limit, lambda row: pagination.encode(CURSOR, [row["active_at"], row["id"]]))
        )

    @extend_schema(
        parameters=[IDEMPOTENCY_KEY],
        request=NewConversationSerializer,
        responses={201: ConversationSerializer, 200: ConversationSerializer},
    )
    def create(self, request: Request) -> Response:
        """A conversation, with its first messages where they are there already.

        Without a title it is titled by the first line that a user says, or `New Chat` and the date."""
        fields = NEW.run_validation(request.data)
        drafts = fields.pop("messages", [])

        def make() -> tuple[Sequence[Conversation], bool]:
            conversation, is_new = conversations.create(user=request.user, fields=fields, drafts=drafts)
            return [conversation], is_new

        outcome = run_idempotent(request, make)
        if outcome.is_new:
            return Response(row_to_dict(outcome.rows[0], [*CONVERSATION_FIELDS, "is_archived"]), 201)
        return Response(self.live(outcome.ids[0]))

    @extend_schema(responses=ConversationSerializer)
    def retrieve(self, request: Request, id: uuid.UUID) -> Response:
        return Response(self.live(id))

    @extend_schema(request=ConversationSerializer, responses=ConversationSerializer)
    def partial_update(self, request: Request, id: uuid.UUID) -> Response:
        return self._update(id, CHANGES.run_validation(request.data))

    @extend_schema(request=ConversationSerializer, responses=ConversationSerializer)
    def update(self, request: Request, id: uuid.UUID) -> Response:
        """Every field that can be written: one left out goes back to its default, but for the title, which stays."""
        return self._update(id, RESET | WHOLE.run_validation(request.data))

    def _update(self, id: uuid.UUID, changes: dict[str, Any]) -> Response:
        changes.pop("external_id", None)  # given once, when the conversation is made
        conversations.update(user=self.request.user, conversation_id=id, changes=changes)
        return Response(self.live(id))

    @extend_schema(
        parameters=[OpenApiParameter("permanent", bool, description="At once and for good, from the trash too.")],
        responses={204: None},
    )
    def destroy(self, request: Request, id: uuid.UUID) -> Response:
        """To the trash."""
        remove = conversations.purge if bool_param(request, "permanent") else conversations.trash
        remove(user=request.user, conversation_id=id)
        return Response(status=204)

    @extend_schema(request=None, responses=ConversationSerializer)
    def restore(self, request: Request, id: uuid.UUID) -> Response:
        """From the trash."""
        conversations.restore(user=request.user, conversation_id=id)
        return Response(self.live(id))

    @extend_schema(request=BranchSerializer, responses=ConversationSerializer)
    def branch(self, request: Request, id: uuid.UUID) -> Response:
        """Shows another branch, down to its newest message."""
        chosen = CHOICE.run_validation(request.data)
        branches.switch(user=request.user, conversation_id=id, **chosen)
        return Response(self.live(id))


def _position(active_at: str, id: str) -> tuple[datetime, uuid.UUID]:
    return pagination.parse_datetime(active_at), uuid.UUID(id)
