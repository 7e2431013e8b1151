from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.api.base import Request
from compat.contract import ContractView, ErrorAndDetail, PlainError, error, error_and_detail
from conversations.models import Conversation
from replies.services import exchanges

from . import schemas


@extend_schema(tags=["B and E: chat"])
class ChatView(ContractView):
    error_body, error_schema = staticmethod(error_and_detail), ErrorAndDetail

    @extend_schema(operation_id="chat", request=schemas.ChatQuestion, responses=schemas.ChatAnswer)
    def post(self, request: Request) -> Response:
        """Send a message to a model and get its reply.

        The model gets the last 10 messages of the conversation. If no conversation has the given id, a conversation
        with this id is created. Without an id, a new conversation is created. A message that is sent again to its
        conversation with the same `message_id` is stored and answered once."""
        question = self.read(schemas.ChatQuestion)
        exchange = exchanges.exchange(
            user=request.user,
            text=question.message,
            message_id=question.message_id or None,
            name=question.conversation,
            model=question.model or "",
            source=schemas.SOURCE,
            create_missing=True,
        )
        return Response(schemas.answer(exchange))


@extend_schema(tags=["B: chat with model routing"])
class HistoryView(ContractView):
    error_body, error_schema = staticmethod(error), PlainError

    @extend_schema(operation_id="chat_history", responses=schemas.ChatHistory)
    def get(self, request: Request) -> Response:
        """List the conversations, the most recent activity first."""
        rows = Conversation.objects.owned_by(request.user).listed().by_activity()
        return Response({"success": True, "chats": [schemas.summary(row) for row in rows]})
