from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.api.base import Request
from chatstore.api.pagination import IntParam
from chatstore.errors import NotFound
from compat import rows
from compat.contract import ContractView
from conversations.models import Message
from conversations.services import conversations, histories, messages
from replies.services import ask, exchanges
from replies.services.ask import Wishes

from . import schemas

in_docs_section = extend_schema(tags=["C: chats and messages"])
WITHOUT = "Without `page` and `page_size`, all rows are listed."
PAGE = IntParam("page", default=1, most=1_000_000, description=WITHOUT)
PAGE_SIZE = IntParam("page_size", default=20, most=100, description=WITHOUT)
PAGING = [PAGE.parameter, PAGE_SIZE.parameter]


class View(ContractView):
    error_body, error_schema = staticmethod(schemas.error), schemas.Detail
    error_statuses = {400: 422}

    def message(self, id: str) -> Message:
        """Return the caller's message with this id. Raises NotFound, also if this contract cannot represent it."""
        owned = Message.objects.owned_by(self.request.user).in_live_conversations().texts(*schemas.FROM_STORE)
        message: Message | None = owned.filter(**schemas.message_key(id)).select_related("conversation").first()
        if message is None:
            raise NotFound("message")
        return message


def read_page(request: Request, statement: str, **params: Any) -> dict[str, Any]:
    """Return the requested page, or one page with all rows if the query names none.

    Raises ValidationError for an invalid page, and NotFound if the statement finds no chat."""
    number = size = None
    if request.query_params.keys() & schemas.IN_QUERY:
        number, size = PAGE.read(request), PAGE_SIZE.read(request)
    offset = (number - 1) * size if number and size else 0
    counted = rows.read_counted(statement, limit=size, offset=offset, **params)
    if counted is None:
        raise NotFound("conversation")
    return schemas.page(*counted, number, size)


@in_docs_section
class ChatsView(View):
    @extend_schema(operation_id="chats_list", parameters=PAGING, responses=schemas.Chats)
    def get(self, request: Request) -> Response:
        """List the chats, the newest first: all of them, or one page if `page` or `page_size` is given."""
        return Response(read_page(request, schemas.CHATS, user=request.user.pk))

    @extend_schema(operation_id="chats_create", request=schemas.NewChat, responses={201: schemas.Chat})
    def post(self, request: Request) -> Response:
        """Create a chat. Its id is an integer."""
        fields = schemas.fields(self.read(schemas.NewChat))
        row = conversations.create_numbered(user=request.user, fields={"source": schemas.SOURCE, **fields})
        return Response(schemas.chat(row), 201)


@in_docs_section
class ChatView(View):
    @extend_schema(operation_id="chats_retrieve", responses=schemas.ChatDetail)
    def get(self, request: Request, id: str) -> Response:
        """Get a chat and its messages."""
        for chat in rows.read_with_messages(schemas.ONE_CHAT, **rows.named(request.user, id)).values():
            return Response({**chat, "messages_count": len(chat["messages"])})
        raise NotFound("conversation")

    @extend_schema(operation_id="chats_update", request=schemas.NewChat, responses=schemas.Chat)
    def put(self, request: Request, id: str) -> Response:
        """Change the name or the notebooks of a chat. A field that is not sent stays as it is. The name null removes
        the name."""
        changes = schemas.fields(self.read(schemas.NewChat))
        row = conversations.update(user=request.user, conversation_id=self.conversation_id(id), changes=changes)
        return Response(schemas.chat(row))

    @extend_schema(operation_id="chats_destroy", responses={204: None})
    def delete(self, request: Request, id: str) -> Response:
        """Move a chat to the trash, with its messages."""
        conversations.trash(user=request.user, conversation_id=self.conversation_id(id))
        return Response(status=204)


@in_docs_section
class ChatMessagesView(View):
    @extend_schema(operation_id="chat_messages_list", parameters=PAGING, responses=schemas.ChatMessages)
    def get(self, request: Request, id: str) -> Response:
        """List the messages of a chat in order: all of them, or one page if `page` or `page_size` is given."""
        return Response(read_page(request, schemas.MESSAGES, **rows.named(request.user, id)))


@in_docs_section
class MessagesView(View):
    @extend_schema(
        operation_id="chat_messages_create", request=schemas.NewMessage, responses={201: schemas.ChatMessage}
    )
    def post(self, request: Request) -> Response:
        """Add a message to the end of a chat."""
        message = self.read(schemas.NewMessage)
        id = self.conversation_id(message.chat_id)
        (stored,), _ = messages.append(user=request.user, conversation_id=id, drafts=[schemas.draft(message)])
        return Response(schemas.message(stored, stored.conversation), 201)


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


@in_docs_section
class NotebooksView(View):
    @extend_schema(operation_id="notebooks_list", responses=schemas.NotebookNames)
    def get(self, request: Request) -> Response:
        """List the names of the notebooks that the user's chats are in."""
        return Response(rows.read_column(schemas.NOTEBOOKS, user=request.user.pk))


@in_docs_section
class CompletionView(View):
    body_limits = {"POST": settings.HISTORY_BODY_LIMIT}

    @extend_schema(operation_id="chat_completion", request=schemas.CompletionRequest, responses=schemas.Completion)
    def post(self, request: Request) -> Response:
        """Send a history that ends with a question to the default model, and get its reply.

        The question and the reply are stored. The client sends the whole history each time: it continues the chat that
        displays exactly the messages before the question, or becomes a new chat with these notebooks."""
        sent = self.read(schemas.CompletionRequest)
        fields = {"source": schemas.SOURCE, "notebooks": sent.notebooks or []}
        question = histories.continue_history(user=request.user, drafts=schemas.history(sent), fields=fields)
        asked = ask.answer(user=request.user, question_id=question.id, wishes=Wishes())
        exchanges.wait(user=request.user, asked=asked)
        exchange = exchanges.read(user=request.user, asked=asked)
        return Response({"response": exchange.answer.content, "prefetch_content": None, "tool_calls": []})
