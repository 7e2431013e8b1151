from typing import Any
from uuid import UUID

from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema

from accounts.api.base import APIView, Request
from chatstore.api.negotiation import IgnoreAccept
from chatstore.errors import Invalid, NotFound
from conversations.api.filters import apply_filters, filter_parameters, read_filters
from conversations.models import Conversation
from transfer.exporters import archive, conversations
from transfer.exporters.conversations import FORMATS, Source

from .downloads import download, download_archive

FILES: dict[Any, Any] = {(200, format.media_type.partition(";")[0]): OpenApiTypes.BINARY for format in FORMATS.values()}
FORMAT = OpenApiParameter("format", str, enum=list(FORMATS), description="The default is `jsonl`.")


class ExportView(APIView):
    content_negotiation_class = IgnoreAccept

    @extend_schema(responses={(200, "application/zip"): OpenApiTypes.BINARY})
    def get(self, request: Request) -> StreamingHttpResponse:
        """Download the account and the conversations of the caller as a ZIP file.

        `account.json` has the profile, the preferences, the tokens (without secrets), the e-mail addresses, the linked
        accounts and the shares (without their links). `conversations.jsonl` has one conversation per line, with the
        messages of all branches.
        Archived conversations and those in the trash are included.
        """
        # A HEAD request gets the headers only.
        account = archive.account_of(request.user)
        return download_archive(archive.stream(user=request.user, account=account) if request.method == "GET" else ())


class ConversationExportView(APIView):
    content_negotiation_class = IgnoreAccept

    @extend_schema(
        parameters=[FORMAT],
        responses=FILES | {(200, "application/json"): OpenApiTypes.OBJECT},
    )
    def get(self, request: Request, id: UUID) -> StreamingHttpResponse:
        """Download a conversation as a file.

        `jsonl` and `json` have the messages of all branches, in the form of the API. `csv`, `markdown` and `html` have
        the messages that are shown. `html` is a page for reading and printing.
        """
        format = _format(request)
        if not Conversation.objects.owned_by(request.user).live().filter(id=id).exists():
            raise NotFound("conversation")
        stream = conversations.stream([Source(request.user, id)], format) if request.method == "GET" else ()
        return download(stream, f"conversation-{id}", format)


class ConversationsExportView(APIView):
    content_negotiation_class = IgnoreAccept

    @extend_schema(
        operation_id="conversations_export_list",
        parameters=[FORMAT, *filter_parameters()],
        responses=FILES | {(200, "application/json"): {"type": "array", "items": {"type": "object"}}},
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """Download the conversations of the caller that pass the filters, newest first, as one file.

        The filters are those of the list of conversations. Without filters, the file has the conversations that are
        neither archived nor in the trash. The formats are those of the export of one conversation: `jsonl` has a
        conversation in each line, `json` is an array, and `csv` has the id and the title in each row.
        """
        format = _format(request)
        filters = read_filters(request, other={"format"})
        rows = apply_filters(Conversation.objects.owned_by(request.user), filters)
        sources = (Source(request.user, id) for id in conversations.read_ids(rows))
        stream = conversations.stream(sources, format) if request.method == "GET" else ()
        return download(stream, f"conversations-{timezone.now():%Y-%m-%d}", format)


def _format(request: Request) -> str:
    format = request.query_params.get("format", "jsonl")
    if format not in FORMATS:
        raise Invalid(gettext("Must be one of {names}.").format(names=", ".join(FORMATS)), field="format")
    return format
