"""The pages that export conversations: one conversation, and the conversations that the filters of the list select.

A file of many conversations can take hours, if the client reads slowly. It is made of short statements: a batch of
conversations, ordered by id, and then the messages of each. So no transaction stays open, and one batch is in memory.
Before a conversation is sent, it gets an event in the audit, so that its history and its owner's list of readings
contain the export.
"""

from collections.abc import Iterator
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy

from accounts.models import User
from chatstore.database import release_connection
from chatstore.errors import Invalid
from chatstore.ids import parse_uuid
from conversations.models import Conversation
from conversations.querysets import ConversationQuerySet
from transfer.api.downloads import download
from transfer.exporters.conversations import FORMATS, Source, stream

from .audit import record, record_each
from .audit.reasons import reason_needed
from .big_tables import bounded_count, count_text
from .filters import without_address
from .matching import conversations_matching, without_paging
from .models import Action
from .rights import require_present_rights

PERMISSION = "conversations.export_conversation"
BATCH = 20  # conversations that get their events together, before the first of them is sent
COLUMNS = ("user__email", "user__name", "user__external_id")  # the name of the owner consists of them
DESCRIPTIONS = {
    "jsonl": (gettext_lazy("JSON Lines"), gettext_lazy("for programs: a conversation in each line, with all branches")),
    "json": (gettext_lazy("JSON"), gettext_lazy("for programs: one array of conversations, with all branches")),
    "csv": (gettext_lazy("CSV"), gettext_lazy("for spreadsheets: a message in each row")),
    "markdown": (gettext_lazy("Markdown"), gettext_lazy("for reading as text")),
    "html": (gettext_lazy("HTML"), gettext_lazy("for reading in a browser and for printing")),
}


def export_formats() -> list[tuple[str, str | Promise, str | Promise]]:
    """Return the key, the name and the use of each format."""
    return [(key, *DESCRIPTIONS[key]) for key in FORMATS]


class ConversationExports(admin.ModelAdmin):
    def get_urls(self) -> list[Any]:
        one = self.admin_site.admin_view(self.export_view)
        several = self.admin_site.admin_view(self.export_list_view)
        return [
            path("export/", several, name="conversations_conversation_export_list"),
            path("<uuid:object_id>/export/", one, name="conversations_conversation_export"),
            *super().get_urls(),
        ]

    def export_view(self, request: HttpRequest, object_id: UUID) -> HttpResponseBase:
        """Send a conversation in the format that the URL names. Raises PermissionDenied or Http404."""
        _check_permission(request)
        format = _read_format(request.GET.get("format", "jsonl"))
        rows = Conversation.objects.kept().select_related("user").only(*COLUMNS)
        conversation = get_object_or_404(rows, pk=object_id)
        record(request, Action.EXPORT, conversation, format=format)
        pieces = stream([Source(conversation.user, conversation.pk)], format, with_owners=True)
        return download(pieces, f"conversation-{object_id}", format)

    def export_list_view(self, request: HttpRequest) -> HttpResponseBase:
        """Send the conversations that the filters of the list select. Without a format, show the page to choose one.

        Raises PermissionDenied, or Http404 if there is no such format."""
        _check_permission(request)
        filters = without_address(without_paging(request.GET))
        format, owner = filters.pop("format", [""])[-1], filters.pop("owner", [""])[-1].replace("\0", "").strip()
        if owner and (user := User.objects.find(owner)):
            filters["user"] = str(user.pk)
        request.GET = filters  # type: ignore[assignment]  # the list takes each parameter for a filter
        if not format or (owner and not user) or lacks_owner(request):
            return self._ask_for_format(request, owner)
        return self._export(request, _read_format(format))

    def _ask_for_format(self, request: HttpRequest, owner: str) -> HttpResponse:
        """Show the formats, and the number of conversations. Add an event about search words, because it tells whether
        titles contain them."""
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Export conversations"),
            "count": count_text(bounded_count(_selected(request))),
            "query": request.GET.items(),
            "formats": export_formats(),
            "owner": owner,
            "lacks_owner": lacks_owner(request),
            "list_query": request.GET.urlencode(),
        }
        if words := request.GET.get("q"):
            record(request, Action.SEARCH, Conversation, words=words)
        return TemplateResponse(request, "admin/conversations/conversation/export.html", context)

    def _export(self, request: HttpRequest, format: str) -> HttpResponseBase:
        owner = parse_uuid(request.GET.get("user", ""))
        if owner and (question := reason_needed(request, owner)):
            return question
        rows = _selected(request)
        filters = [f"{name}={value}" for name, value in request.GET.items() if value]
        export = record(request, Action.EXPORT, Conversation, format=format, filters=filters)
        sources = _read_sources(request, rows, format=format, export=export.pk)
        return download(stream(sources, format, with_owners=True), f"conversations-{timezone.now():%Y-%m-%d}", format)


def _check_permission(request: HttpRequest) -> None:
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied


def _selected(request: HttpRequest) -> ConversationQuerySet:
    """Return the conversations that the filters of the request select. Raises Http404 if a filter is malformed."""
    try:
        rows: ConversationQuerySet = conversations_matching(cast(User, request.user), request.GET).kept()
    except Invalid:
        raise Http404 from None
    return rows


def _read_format(name: str) -> str:
    if name not in FORMATS:
        raise Http404
    return name


def lacks_owner(request: HttpRequest) -> bool:
    """Return whether the export is refused, because staff must give a reason for each owner but no owner is chosen."""
    return settings.ADMIN_REQUIRE_REASON and not parse_uuid(request.GET.get("user", ""))


def _read_sources(request: HttpRequest, rows: ConversationQuerySet, **details: Any) -> Iterator[Source]:
    """Yield the conversations, newest first. Executes three statements for each batch. Raises PermissionDenied."""
    rows, last = rows.select_related("user").only(*COLUMNS).order_by("-pk"), None
    while batch := list((rows.filter(pk__lt=last) if last else rows)[:BATCH]):
        require_present_rights(request, PERMISSION)
        record_each(request, Action.EXPORT, batch, **details)
        release_connection()  # the client can read slowly
        yield from (Source(row.user, row.pk) for row in batch)
        last = batch[-1].pk
