from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.api.base import Request
from chatstore.api.negotiation import IgnoreAccept
from chatstore.api.streaming import EventStream
from compat import rows
from compat.contract import ContractView, ErrorAndDetail, PlainError, error, error_and_detail
from replies import providers
from replies.services import ask, exchanges
from replies.services.ask import Wishes

from . import events, schemas

RESPONSES = {(200, "application/json"): schemas.ChatAnswer, (200, "text/event-stream"): OpenApiTypes.ANY}


@extend_schema(tags=["A, B and E: chat"])
class ChatView(ContractView):
    error_body, error_schema = staticmethod(error_and_detail), ErrorAndDetail
    content_negotiation_class = IgnoreAccept
    body_limits = {"POST": settings.HISTORY_BODY_LIMIT}

    @extend_schema(operation_id="chat", request=schemas.ChatBody, responses=RESPONSES)
    def post(self, request: Request) -> Response | EventStream:
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

    def _stream(self) -> EventStream:
        question = self.read(schemas.StreamQuestion)
        model = providers.known(question.model or "")
        reply_id = ask.ask_with_history(user=self.request.user, history=question.texts, model=model)
        events.wait_for_first(reply_id)
        return EventStream(events.Events(reply_id))

    def _exchange(self) -> Response:
        question = self.read(schemas.ChatQuestion)
        asked = ask.ask(
            user=self.request.user,
            draft={"role": "user", "content": question.message, "external_id": question.message_id or None},
            name=question.conversation,
            fields={"source": schemas.SOURCE},
            wishes=Wishes(providers.known(question.model or "")),
            create_missing=True,
        )
        exchanges.wait(user=self.request.user, asked=asked)
        exchange = exchanges.read(user=self.request.user, asked=asked)
        return Response(schemas.answer(exchange, self.request.user))


@extend_schema(tags=["B: chat with model routing"])
class HistoryView(ContractView):
    error_body, error_schema = staticmethod(error), PlainError

    @extend_schema(operation_id="chat_history", responses=schemas.ChatHistory)
    def get(self, request: Request) -> Response:
        """List the conversations, the most recent activity first."""
        chats = rows.read_list(schemas.SUMMARIES, request.user)
        return Response({"success": True, "chats": chats, "user": schemas.person(request.user)})
