import uuid
from collections.abc import Sequence

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.api.base import APIView, Request
from accounts.api.idempotency import run_idempotent
from chatstore.api.responses import row_to_dict
from chatstore.api.schema import IDEMPOTENCY_KEY
from conversations.models import Message
from conversations.querysets import MESSAGE_FIELDS
from replies.services import exchanges

from .serializers import ExchangeSerializer, QuestionSerializer

QUESTION = QuestionSerializer()


class ChatView(APIView):
    @extend_schema(
        parameters=[IDEMPOTENCY_KEY],
        request=QuestionSerializer,
        responses={201: ExchangeSerializer, 200: ExchangeSerializer},
    )
    def post(self, request: Request) -> Response:
        """A question, and a model's answer to it, both stored.

        The question is stored before the model is asked: when that fails (502) it is kept. Sent again to its
        conversation under the same `external_id`, or under the same `Idempotency-Key`, it is stored and answered
        once."""
        asked = QUESTION.run_validation(request.data)
        id = asked.get("conversation_id")
        provider = exchanges.provider_for(user=request.user, model=asked.get("model", ""))

        def ask() -> tuple[Sequence[Message], bool]:
            question, is_new = exchanges.ask(
                user=request.user,
                text=asked["content"],
                message_id=asked.get("external_id"),
                name=str(id) if id else None,
                source="native",
                makes=False,
            )
            return [question], is_new

        outcome = run_idempotent(request, ask)
        question_id = uuid.UUID(outcome.ids[0])
        exchange = exchanges.answer(user=request.user, question_id=question_id, provider=provider)
        told = {"conversation_id": str(exchange.conversation.id), "question": _told(exchange.question)}
        return Response({**told, "answer": _told(exchange.answer)}, 201 if outcome.is_new else 200)


def _told(row: Message) -> dict[str, object]:
    return row_to_dict(row, MESSAGE_FIELDS, reactions=[])
