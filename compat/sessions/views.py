from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.api.base import Request
from compat import rows
from compat.contract import ContractView, PlainError, error
from conversations.services import conversations
from conversations.services.sync import sync

from . import schemas

in_docs_section = extend_schema(tags=["A: chat sessions"])


class View(ContractView):
    error_body, error_schema = staticmethod(error), PlainError
    body_limits = {"POST": settings.HISTORY_BODY_LIMIT, "PUT": settings.HISTORY_BODY_LIMIT}


@in_docs_section
class SessionsView(View):
    @extend_schema(operation_id="sessions_list", responses=schemas.Sessions)
    def get(self, request: Request) -> Response:
        """List the sessions, the most recent activity first."""
        return Response(rows.read_list(schemas.SESSIONS, request.user))

    @extend_schema(operation_id="sessions_create", request=schemas.SessionHistory, responses={201: schemas.Session})
    def post(self, request: Request) -> Response:
        """Create a session from a history of messages."""
        history = self.read(schemas.SessionHistory)
        row, _ = conversations.create(
            user=request.user, fields={"source": schemas.SOURCE}, drafts=schemas.drafts(history)
        )
        return Response(schemas.session(row, schemas.first_question(history)), 201)


@in_docs_section
class SessionView(View):
    @extend_schema(operation_id="sessions_retrieve", responses=schemas.SessionHistory)
    def get(self, request: Request, id: str) -> Response:
        """Get the messages of a session, in order."""
        return Response({"messages": rows.read_messages(schemas.MESSAGES, request.user, id)})

    @extend_schema(operation_id="sessions_update", request=schemas.SessionHistory, responses=schemas.Session)
    def put(self, request: Request, id: str) -> Response:
        """Save the whole history of a session.

        Stored messages are kept. A history that differs from the stored one becomes a branch, which is displayed from
        now on."""
        history = self.read(schemas.SessionHistory)
        row = sync(
            user=request.user,
            conversation_id=self.conversation_id(id),
            drafts=schemas.drafts(history),
            profile=schemas.SYNC_PROFILE,
        )
        return Response(schemas.session(row, schemas.first_question(history)))

    @extend_schema(operation_id="sessions_destroy", responses={200: schemas.Success})
    def delete(self, request: Request, id: str) -> Response:
        """Move a session to the trash."""
        conversations.trash(user=request.user, conversation_id=self.conversation_id(id))
        return Response({"success": True})
