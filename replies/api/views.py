import uuid
from collections.abc import Callable, Sequence
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from accounts.api.base import APIView, Request
from accounts.api.idempotency import run_idempotent
from chatstore.api.negotiation import IgnoreAccept
from chatstore.api.pagination import IntParam
from chatstore.api.schema import IDEMPOTENCY_KEY
from chatstore.api.streaming import EventStream
from chatstore.errors import NotFound
from conversations.api.messages import message_dict
from conversations.models import Message
from replies import providers
from replies.following import Follower
from replies.services import ask, exchanges, stop
from replies.services.ask import Asked, Wishes

from .events import Events
from .serializers import (
    ExchangeSerializer,
    ModelSerializer,
    QuestionSerializer,
    ReplySerializer,
    StoppedSerializer,
    StopSerializer,
)

QUESTION, REPLY, STOP = QuestionSerializer(), ReplySerializer(), StopSerializer()
EVENTS = "text/event-stream"
ANSWERS: dict[Any, Any] = {
    (201, "application/json"): ExchangeSerializer,
    (200, "application/json"): ExchangeSerializer,
    (200, EVENTS): OpenApiTypes.ANY,
}
AFTER = IntParam("after", default=0, least=0, most=999_999_999, description="The id of the last event that you have.")
LAST_EVENT_ID = OpenApiParameter(
    "Last-Event-ID", int, OpenApiParameter.HEADER, description="The same as `after`; browsers send it."
)


class AskingView(APIView):
    """A view whose response is an answer, whole or as a stream of events."""

    content_negotiation_class = IgnoreAccept

    def respond(self, body: dict[str, Any], make: Callable[[Wishes], Asked]) -> Any:
        """Request a reply once, also if the request is repeated with its Idempotency-Key, and send it."""
        asked = self._ask_once(make, Wishes(body.get("model", ""), body.get("model_options", {})))
        if body.get("stream", EVENTS in self.request.headers.get("Accept", "")):
            return _stream(asked)
        exchanges.wait(user=self.request.user, asked=asked)
        return self._exchange(asked)

    def _ask_once(self, make: Callable[[Wishes], Asked], wishes: Wishes) -> Asked:
        made: list[Asked] = []

        def run() -> tuple[Sequence[Message], bool]:
            made.append(make(wishes))
            return [Message(id=made[0].question_id)], made[0].is_new

        outcome = run_idempotent(self.request, run)
        if made:
            return made[0]
        return ask.answer(user=self.request.user, question_id=uuid.UUID(outcome.ids[0]), wishes=wishes)

    def _exchange(self, asked: Asked) -> Response:
        exchange = exchanges.read(user=self.request.user, asked=asked)
        response = {
            "conversation_id": str(exchange.conversation.id),
            "question": message_dict(exchange.question),
            "answer": message_dict(exchange.answer),
        }
        return Response(response, 201 if asked.is_new else 200)


class ChatView(AskingView):
    @extend_schema(parameters=[IDEMPOTENCY_KEY], request=QuestionSerializer, responses=ANSWERS)
    def post(self, request: Request) -> Any:
        """Send a question to a model, in a new conversation or at the end of one, and get the answer.

        With `stream`, the response is a stream of server-sent events, which grows while the model writes. The question
        and the answer are stored. The answer does not depend on the connection: a client that loses it reads the rest
        from `conversations/{id}/messages/{id}/stream/`.

        The question is kept if the model fails (502). To retry, send the same request with the same `Idempotency-Key`,
        or send the question to its conversation with the same `external_id`. The question is then stored once, and
        answered once."""
        body = QUESTION.run_validation(request.data)
        id = body.get("conversation_id")

        def make(wishes: Wishes) -> Asked:
            name = str(id) if id else None
            fields = {"source": "native"}
            return ask.ask(user=request.user, draft=_question(body), name=name, fields=fields, wishes=wishes)

        return self.respond(body, make)


class ReplyView(AskingView):
    @extend_schema(
        operation_id="conversations_reply", parameters=[IDEMPOTENCY_KEY], request=ReplySerializer, responses=ANSWERS
    )
    def post(self, request: Request, id: uuid.UUID) -> Any:
        """Get an answer of a model: to a new question, to an edited question, or another answer to the same question.

        With `content` or `parts`, a new question is stored at the end of the conversation. With `message_id` too, the
        new question is an alternative of that message. With `message_id` alone, the answer is written again, as an
        alternative. Responses, streams and retries are those of `chat/`."""
        body = REPLY.run_validation(request.data)
        make = self._edit_or_repeat if "message_id" in body else self._ask
        return self.respond(body, lambda wishes: make(id, body, wishes))

    def _ask(self, id: uuid.UUID, body: dict[str, Any], wishes: Wishes) -> Asked:
        return ask.ask(user=self.request.user, draft=_question(body), name=str(id), fields={}, wishes=wishes)

    def _edit_or_repeat(self, id: uuid.UUID, body: dict[str, Any], wishes: Wishes) -> Asked:
        which: dict[str, Any] = {"conversation_id": id, "message_id": body["message_id"], "wishes": wishes}
        if changes := _content(body):
            return ask.answer_edited(user=self.request.user, changes=changes, **which)
        return ask.answer_again(user=self.request.user, **which)


class StopView(APIView):
    @extend_schema(operation_id="conversations_stop", request=StopSerializer, responses={202: StoppedSerializer})
    def post(self, request: Request, id: uuid.UUID) -> Response:
        """Stop the replies under way in the conversation, or one of them. Each keeps the text that it has."""
        ids = stop.stop(user=request.user, conversation_id=id, **STOP.run_validation(request.data))
        return Response({"message_ids": [str(id) for id in ids]}, 202)


class StreamView(APIView):
    content_negotiation_class = IgnoreAccept

    @extend_schema(
        operation_id="conversations_messages_stream",
        parameters=[AFTER.parameter, LAST_EVENT_ID],
        responses={(200, EVENTS): OpenApiTypes.ANY},
    )
    def get(self, request: Request, id: uuid.UUID, message_id: uuid.UUID) -> EventStream:
        """Follow a reply: get the events that are missing, and each new one as soon as it is there.

        The stream ends with the event `end`. Some minutes after the end of a reply its events are deleted; the stream
        is then one event `message` with the whole message, without an id."""
        owned = Message.objects.owned_by(request.user).in_live_conversations()
        if not owned.filter(id=message_id, conversation=id).exists():
            raise NotFound("message")
        return EventStream(Events(Follower(message_id, _after(request))))


class ModelsView(APIView):
    @extend_schema(operation_id="models_list", responses=ModelSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List the models that can answer. The built-in `echo` repeats the question and is no language model."""
        default = ask.default_model(request.user)
        return Response([model._asdict() | {"is_default": model.name == default} for model in providers.models()])


def _stream(asked: Asked) -> EventStream:
    response = EventStream(Events(Follower(asked.answer_id)))
    path = f"/api/v1/conversations/{asked.conversation_id}/messages/{asked.answer_id}/stream/"
    response["Content-Location"] = path  # where a client that loses the connection gets the rest
    return response


def _after(request: Request) -> int:
    """Return the number of the last event that the client has. A browser sends it as a header when it reconnects."""
    sent = request.headers.get("Last-Event-ID", "")
    return int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 10 else AFTER.read(request)


def _content(body: dict[str, Any]) -> dict[str, Any]:
    return {name: body[name] for name in ("content", "parts") if name in body}


def _question(body: dict[str, Any]) -> Any:
    return {"role": "user", "external_id": body.get("external_id"), **_content(body)}
