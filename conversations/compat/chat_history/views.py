from typing import Any, TypeVar

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from accounts.api.requests import Request
from chatstore.api.pagination import whole_number
from chatstore.errors import NotFound
from chatstore.ids import as_uuid
from conversations.compat.contract import ContractView
from conversations.models import Conversation, Message
from conversations.services import conversations, messages

from . import wire

Rows = TypeVar("Rows", bound=QuerySet[Any])
described = extend_schema(tags=["C: chats and messages"])
PAGING = [OpenApiParameter(name, int, description="Without both: all.") for name in wire.IN_QUERY]


class View(ContractView):
    error_body, error_shape = staticmethod(wire.error), wire.Detail
    error_statuses = {400: 422}

    def message(self, id: str) -> Message:
        owned = Message.objects.owned_by(self.request.user).in_live_conversations().texts(*wire.FROM_STORE)
        found: Message | None = owned.filter(id=as_uuid(id)).select_related("conversation").first()
        if found is None:
            raise NotFound("message")
        return found


def paged(request: Request, rows: Rows) -> Rows:
    if not request.query_params.keys() & wire.IN_QUERY:
        return rows
    page = whole_number(request, "page", default=1, most=1_000_000)
    size = whole_number(request, "page_size", default=20, most=1_000)
    return rows[(page - 1) * size : page * size]


def transcript(conversation: Conversation) -> Any:
    return conversation.messages.shown().texts(*wire.FROM_STORE)


@described
class ChatsView(View):
    @extend_schema(operation_id="chats_list", parameters=PAGING, responses=wire.Chats)
    def get(self, request: Request) -> Response:
        rows = paged(request, Conversation.objects.owned_by(request.user).listed().by_creation())
        return Response([wire.chat(row) for row in rows])

    @extend_schema(operation_id="chats_create", request=wire.NewChat, responses={201: wire.Chat})
    def post(self, request: Request) -> Response:
        fields = wire.fields(self.read(wire.NewChat))
        row, _ = conversations.create(user=request.user, fields={"source": wire.SOURCE, **fields})
        return Response(wire.chat(row), 201)


@described
class ChatView(View):
    @extend_schema(operation_id="chats_retrieve", responses=wire.ChatDetail)
    def get(self, request: Request, id: str) -> Response:
        row = self.conversation(id)
        return Response({**wire.chat(row), "messages": [wire.message(said, row) for said in transcript(row)]})

    @extend_schema(operation_id="chats_update", request=wire.NewChat, responses=wire.Chat)
    def put(self, request: Request, id: str) -> Response:
        """What is left out stays."""
        changes = wire.fields(self.read(wire.NewChat))
        row = conversations.update(user=request.user, conversation_id=self.conversation(id).id, changes=changes)
        return Response(wire.chat(row))

    @extend_schema(operation_id="chats_destroy", responses={204: None})
    def delete(self, request: Request, id: str) -> Response:
        conversations.trash(user=request.user, conversation_id=self.conversation(id).id)
        return Response(status=204)


@described
class ChatMessagesView(View):
    @extend_schema(operation_id="chat_messages_list", parameters=PAGING, responses=wire.ChatMessages)
    def get(self, request: Request, id: str) -> Response:
        row = self.conversation(id)
        return Response([wire.message(said, row) for said in paged(request, transcript(row))])


@described
class MessagesView(View):
    @extend_schema(operation_id="chat_messages_create", request=wire.NewMessage, responses={201: wire.ChatMessage})
    def post(self, request: Request) -> Response:
        message = self.read(wire.NewMessage)
        row = self.conversation(message.chat_id)
        (said,), _ = messages.append(user=request.user, conversation_id=row.id, drafts=[wire.draft(message)])
        return Response(wire.message(said, row), 201)


@described
class MessageView(View):
    @extend_schema(operation_id="chat_messages_retrieve", responses=wire.ChatMessage)
    def get(self, request: Request, id: str) -> Response:
        said = self.message(id)
        return Response(wire.message(said, said.conversation))

    @extend_schema(operation_id="chat_messages_update", request=wire.MessageChanges, responses=wire.ChatMessage)
    def put(self, request: Request, id: str) -> Response:
        """In place. What is left out stays."""
        changes = wire.changes(self.read(wire.MessageChanges))
        found = self.message(id)
        said = messages.update(user=request.user, message_id=found.id, changes=changes)
        return Response(wire.message(said, found.conversation))

    @extend_schema(operation_id="chat_messages_destroy", responses={204: None})
    def delete(self, request: Request, id: str) -> Response:
        messages.trash(user=request.user, message_id=self.message(id).id)
        return Response(status=204)
