from typing import Any, TypeVar

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from accounts.api.base import Request
from chatstore.api.pagination import int_param
from chatstore.errors import NotFound
from chatstore.ids import as_uuid
from compat.contract import ContractView
from conversations.models import Conversation, Message
from conversations.services import conversations, messages

from . import schemas

Rows = TypeVar("Rows", bound=QuerySet[Any])
in_docs_section = extend_schema(tags=["C: chats and messages"])
PAGING = [
    OpenApiParameter(name, int, description="Without `page` and `page_size`, all rows are listed.")
    for name in schemas.IN_QUERY
]


class View(ContractView):
    error_body, error_schema = staticmethod(schemas.error), schemas.Detail
    error_statuses = {400: 422}

    def message(self, id: str) -> Message:
        """Return the caller's message with this id. Raises NotFound, also if this contract cannot represent it."""
        owned = Message.objects.owned_by(self.request.user).in_live_conversations().texts(*schemas.FROM_STORE)
        message: Message | None = owned.filter(id=as_uuid(id)).select_related("conversation").first()
        if message is None:
            raise NotFound("message")
        return message


def paged(request: Request, rows: Rows) -> Rows:
    """Return the requested page of the rows, or all rows if the query names no page. Raises ValidationError."""
    if not request.query_params.keys() & schemas.IN_QUERY:
        return rows
    page = int_param(request, "page", default=1, most=1_000_000)
    size = int_param(request, "page_size", default=20, most=1_000)
    return rows[(page - 1) * size : page * size]


def transcript(conversation: Conversation) -> Any:
    return conversation.messages.shown().texts(*schemas.FROM_STORE)


@in_docs_section
class ChatsView(View):
    @extend_schema(operation_id="chats_list", parameters=PAGING, responses=schemas.Chats)
    def get(self, request: Request) -> Response:
        """List the chats, the newest first: all of them, or one page if `page` or `page_size` is given."""
        rows = paged(request, Conversation.objects.owned_by(request.user).listed().by_creation())
        return Response([schemas.chat(row) for row in rows])

    @extend_schema(operation_id="chats_create", request=schemas.NewChat, responses={201: schemas.Chat})
    def post(self, request: Request) -> Response:
        """Create a chat. Without a name, it gets one from the first message of the user."""
        fields = schemas.fields(self.read(schemas.NewChat))
        row, _ = conversations.create(user=request.user, fields={"source": schemas.SOURCE, **fields})
        return Response(schemas.chat(row), 201)


@in_docs_section
class ChatView(View):
    @extend_schema(operation_id="chats_retrieve", responses=schemas.ChatDetail)
    def get(self, request: Request, id: str) -> Response:
        """Get a chat and its messages."""
        row = self.conversation(id)
        return Response(
            {**schemas.chat(row), "messages": [schemas.message(message, row) for message in transcript(row)]}
        )

    @extend_schema(operation_id="chats_update", request=schemas.NewChat, responses=schemas.Chat)
    def put(self, request: Request, id: str) -> Response:
        """Change the name or the notebooks of a chat. A field that is not sent stays as it is."""
        changes = schemas.fields(self.read(schemas.NewChat))
        row = conversations.update(user=request.user, conversation_id=self.conversation(id).id, changes=changes)
        return Response(schemas.chat(row))

    @extend_schema(operation_id="chats_destroy", responses={204: None})
    def delete(self, request: Request, id: str) -> Response:
        """Move a chat to the trash, with its messages."""
        conversations.trash(user=request.user, conversation_id=self.conversation(id).id)
        return Response(status=204)


@in_docs_section
class ChatMessagesView(View):
    @extend_schema(operation_id="chat_messages_list", parameters=PAGING, responses=schemas.ChatMessages)
    def get(self, request: Request, id: str) -> Response:
        """List the messages of a chat in order: all of them, or one page if `page` or `page_size` is given."""
        row = self.conversation(id)
        return Response([schemas.message(message, row) for message in paged(request, transcript(row))])


@in_docs_section
class MessagesView(View):
    @extend_schema(
        operation_id="chat_messages_create", request=schemas.NewMessage, responses={201: schemas.ChatMessage}
    )
    def post(self, request: Request) -> Response:
        """Add a message to the end of a chat."""
        message = self.read(schemas.NewMessage)
        row = self.conversation(message.chat_id)
        (stored,), _ = messages.append(user=request.user, conversation_id=row.id, drafts=[schemas.draft(message)])
        return Response(schemas.message(stored, row), 201)


@in_docs_section
class MessageView(View):
    @extend_schema(operation_id="chat_messages_retrieve", responses=schemas.ChatMessage)
    def get(self, request: Request, id: str) -> Response:
        """Get a message."""
        message = self.message(id)
        return Response(schemas.message(message, message.conversation))

    @extend_schema(operation_id="chat_messages_update", request=schemas.MessageChanges, responses=schemas.ChatMessage)
    def put(self, request: Request, id: str) -> Response:
        """Change the role or the content of a message, in place. A field that is not sent stays as it is."""
        changes = schemas.changes(self.read(schemas.MessageChanges))
        message = self.message(id)
        changed = messages.update(user=request.user, message_id=message.id, changes=changes)
        return Response(schemas.message(changed, message.conversation))

    @extend_schema(operation_id="chat_messages_destroy", responses={204: None})
    def delete(self, request: Request, id: str) -> Response:
        """Move a message to the trash."""
        messages.trash(user=request.user, message_id=self.message(id).id)
        return Response(status=204)
