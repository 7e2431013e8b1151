from django.conf import settings
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.api.base import Request
from chatstore.api.negotiation import IgnoreAccept
from compat import rows
from compat.contract import ContractView, ErrorAndDetail, PlainError, error, error_and_detail
from replies import providers
from replies.services import exchanges, streams

from . import schemas
from .events import HEADERS, Events

RESPONSES = {(200, "application/json"): schemas.ChatAnswer, (200, "text/event-stream"): OpenApiTypes.ANY}


@extend_schema(tags=["A, B and E: chat"])
class ChatView(ContractView):
    error_body, error_schema = staticmethod(error_and_detail), ErrorAndDetail
    content_negotiation_class = IgnoreAccept
    body_limits = {"POST": settings.HISTORY_BODY_LIMIT}

    @extend_schema(operation_id="chat", request=schemas.ChatBody, responses=RESPONSES)
    def post(self, request: Request) -> Response | StreamingHttpResponse:
        """Send a message to a model and get its reply.

        A body with `message` (contracts B and E) is stored with its reply. The model gets the last 10 messages of the
        conversation. If no conversation has the given id, a conversation with this id is created. Without an id, a new
        conversation is created. A message that is sent again to its conversation with the same `message_id` is stored
        and answered once.

        A body with `messages` (contract A) is a whole history. Nothing is stored, and the response is a stream of
        server-sent events. Each event is `{"text", "type"}`, and the type is `thinking` or `answer`. The last event is
        `[DONE]`. If the model fails before the first event, the response is an error. If it fails later, the last event
        has the field `error`.

        The default model answers for a model that is not configured."""
        return self._stream() if schemas.is_history(request.data) else self._exchange()

    def _stream(self) -> StreamingHttpResponse:
        question = self.read(schemas.StreamQuestion)
        model = providers.known(question.model or "")
        stream = streams.start(user=self.request.user, messages=question.texts, model=model)
        return StreamingHttpResponse(Events(stream), content_type="text/event-stream", headers=HEADERS)

    def _exchange(self) -> Response:
        question = self.read(schemas.ChatQuestion)
        exchange = exchanges.exchange(
            user=self.request.user,
            text=question.message,
            message_id=question.message_id or None,
            name=question.conversation,
            model=providers.known(question.model or ""),
            source=schemas.SOURCE,
            create_missing=True,
        )
        return Response(schemas.answer(exchange, self.request.user))


@extend_schema(tags=["B: chat with model routing"])
class HistoryView(ContractView):
    error_body, error_schema = staticmethod(error), PlainError

    @extend_schema(operation_id="chat_history", responses=schemas.ChatHistory)
    def get(self, request: Request) -> Response:
        """List the conversations, the most recent activity first."""
        chats = rows.read_list(schemas.SUMMARIES, request.user)
        return Response({"success": True, "chats": chats, "user": schemas.person(request.user)})
