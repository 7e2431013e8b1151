from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from accounts.api.base import Request
from compat import rows
from compat.contract import ContractView, ErrorAndDetail, error_and_detail
from conversations.services import conversations

from . import schemas

in_docs_section = extend_schema(tags=["E: conversations"])


class View(ContractView):
    error_body, error_schema = staticmethod(error_and_detail), ErrorAndDetail


@in_docs_section
class ThreadsView(View):
    @extend_schema(operation_id="threads_list", responses=schemas.Threads)
    def get(self, request: Request) -> Response:
        """List the ten conversations with the most recent activity."""
        return Response(rows.read_list(schemas.THREADS, request.user, limit=schemas.LISTED))


@in_docs_section
class ThreadMessagesView(View):
    @extend_schema(operation_id="threads_messages", responses=schemas.ThreadMessages)
    def get(self, request: Request, id: str) -> Response:
        """List the messages of the user and of the assistant in a conversation, in order."""
        return Response(rows.read_messages(schemas.MESSAGES, request.user, id))


@in_docs_section
class ThreadView(View):
    @extend_schema(operation_id="threads_destroy", responses={200: schemas.ThreadStatus})
    def delete(self, request: Request, id: str) -> Response:
        """Move a conversation to the trash."""
        conversations.trash(user=request.user, conversation_id=self.conversation_id(id))
        return Response({"status": "deleted"})


@in_docs_section
class TitleView(View):
    @extend_schema(
        operation_id="threads_title",
        parameters=[OpenApiParameter("title", str, description="The new title, if the body is empty.")],
        request=schemas.ThreadTitle,
        responses=schemas.ThreadStatus,
    )
    def put(self, request: Request, id: str) -> Response:
        """Change the title of a conversation.

        The title is read from the body or, if the body is empty, from the query."""
        title = schemas.ThreadTitle.of(request.data or request.query_params.dict()).title
        conversations.update(user=request.user, conversation_id=self.conversation_id(id), changes={"title": title})
        return Response({"status": "updated"})
