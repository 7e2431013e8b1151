from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.api.requests import Request
from conversations.compat.contract import ContractView, PlainError, error
from conversations.models import Conversation
from conversations.services import conversations
from conversations.services.sync import sync

from . import wire

described = extend_schema(tags=["A: chat sessions"])


class View(ContractView):
    error_body, error_shape = staticmethod(error), PlainError
    body_limit = settings.HISTORY_BODY_LIMIT


@described
class SessionsView(View):
    @extend_schema(operation_id="sessions_list", responses=wire.Sessions)
    def get(self, request: Request) -> Response:
        rows = Conversation.objects.owned_by(request.user).listed().by_activity().with_first_question()
        return Response([wire.session(row, row.first_question) for row in rows])

    @extend_schema(operation_id="sessions_create", request=wire.SessionHistory, responses={201: wire.Session})
    def post(self, request: Request) -> Response:
        history = self.read(wire.SessionHistory)
        row, _ = conversations.create(user=request.user, fields={"source": wire.SOURCE}, drafts=wire.drafts(history))
        return Response(wire.session(row, wire.first_question(history)), 201)


@described
class SessionView(View):
    @extend_schema(operation_id="sessions_retrieve", responses=wire.SessionHistory)
    def get(self, request: Request, id: str) -> Response:
        shown = self.conversation(id).messages.shown()
        return Response({"messages": [wire.message(row) for row in shown if wire.is_visible(row)]})

    @extend_schema(operation_id="sessions_update", request=wire.SessionHistory, responses=wire.Session)
    def put(self, request: Request, id: str) -> Response:
        """The whole history. What is stored stays; what differs becomes a branch."""
        history = self.read(wire.SessionHistory)
        row = sync(
            user=request.user,
            conversation_id=self.conversation(id).id,
            drafts=wire.drafts(history),
            spoken=wire.SPOKEN,
            visible=wire.is_visible,
        )
        return Response(wire.session(row, wire.first_question(history)))

    @extend_schema(operation_id="sessions_destroy", responses={200: wire.Success})
    def delete(self, request: Request, id: str) -> Response:
        conversations.trash(user=request.user, conversation_id=self.conversation(id).id)
        return Response({"success": True})
