import uuid
from collections.abc import Sequence

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.api.base import APIView, Request
from accounts.api.idempotency import run_idempotent
from chatstore.api.responses import row_to_dict
from chatstore.api.schema import IDEMPOTENCY_KEY
from conversations.columns import MESSAGE_FIELDS
from conversations.models import Message
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
        """Send a question to a model, and store the question and the answer.

        The question is stored before the model is called, and is kept if the call fails (502). To retry, send the same
        request with the same `Idempotency-Key`, or send the question to its conversation with the same `external_id`.
        The question is then stored and answered once."""
        body = QUESTION.run_validation(request.data)
        id = body.get("conversation_id")
        provider = exchanges.choose_provider(user=request.user, model=body.get("model", ""))

        def store() -> tuple[Sequence[Message], bool]:
            question, is_new = exchanges.store_question(
                user=request.user,
                text=body["content"],
                message_id=body.get("external_id"),
                name=str(id) if id else None,
                source="native",
                create_missing=False,
            )
            return [question], is_new

        outcome = run_idempotent(request, store)
        question_id = uuid.UUID(outcome.ids[0])
        exchange = exchanges.answer_question(user=request.user, question_id=question_id, provider=provider)
        response = {
            "conversation_id": str(exchange.conversation.id),
            "question": _message(exchange.question),
            "answer": _message(exchange.answer),
        }
        return Response(response, 201 if outcome.is_new else 200)


def _message(row: Message) -> dict[str, object]:
    return row_to_dict(row, MESSAGE_FIELDS, reactions=[])
