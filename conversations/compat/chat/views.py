from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.api.requests import Request
from conversations.compat.contract import ContractView, ErrorAndDetail, PlainError, error, error_and_detail
from conversations.models import Conversation
from conversations.services import replies

from . import wire


@extend_schema(tags=["B and E: chat"])
class ChatView(ContractView):
    error_body, error_shape = staticmethod(error_and_detail), ErrorAndDetail

    @extend_schema(operation_id="chat", request=wire.ChatQuestion, responses=wire.ChatAnswer)
    def post(self, request: Request) -> Response:
        """A question, answered by a model that sees the last 10 messages. A conversation that is not there is made."""
        question = self.read(wire.ChatQuestion)
        exchange = replies.exchange(
            user=request.user,
            text=question.message,
            message_id=question.message_id or None,
            name=question.conversation,
            model=question.model or "",
            source=wire.SOURCE,
            makes=True,
        )
        return Response(wire.answer(exchange))


@extend_schema(tags=["B: chat with model routing"])
class HistoryView(ContractView):
    error_body, error_shape = staticmethod(error), PlainError

    @extend_schema(operation_id="chat_history", responses=wire.ChatHistory)
    def get(self, request: Request) -> Response:
        rows = Conversation.objects.owned_by(request.user).listed().by_activity()
        return Response({"success": True, "chats": [wire.summary(row) for row in rows]})
