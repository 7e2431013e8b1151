"""The admin's pages of messages: the list, and the page of a message with all its fields."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, gettext_lazy

from chatstore.ids import parse_uuid
from conversations.models import Message, Status

from .audit import record
from .audit.reasons import ShowsContent
from .big_tables import BigTableAdmin, ReadOnly
from .fields import (
    LongTextsAdmin,
    badge,
    conversation_link,
    created,
    model,
    preformatted,
    state,
    user_column,
)
from .filters import StateFilter
from .models import Action
from .transcript.message_views import MessageViews

LONG = ("content", "reasoning", "parts", "tool_calls", "error", "usage", "metadata")
CONTENT, REASONING, PARTS, TOOL_CALLS, ERROR, USAGE, METADATA = map(preformatted, LONG)
CONTENTS = ("conversation", "user", "role", "name", CONTENT, REASONING, PARTS, TOOL_CALLS, "tool_call_id")
POSITION = ("seq", "parent_seq", "is_active")
GENERATION = ("model", "status", "finish_reason", ERROR, "prompt_tokens", "completion_tokens", USAGE)
ORIGIN = ("id", "external_id", "item_type", METADATA, "created_at", "updated_at", "deleted_at")


@admin.register(Message)
class MessageAdmin(ShowsContent, MessageViews, ReadOnly, LongTextsAdmin, BigTableAdmin):
    """Messages are read-only. Staff can move a whole conversation to the trash, but not a single message.

    The list shows no text. Staff must open a message to read it, and each opening adds an event to the audit. Filters
    and the search use only indexed columns, because the table is too big for a full scan.
    """

    long_fields = LONG
    list_display = (
        "__str__",
        "conversation_title",
        user_column,
        model,
        created,
        "progress",
        "is_on_active_path",
        state,
    )
    list_only = tuple(
        """seq role conversation__title user__email user__name user__external_id model status is_active deleted_at
        created_at""".split()
    )
    list_filter = (StateFilter,)
    lookups = ("state", "conversation")
    search_fields = ("id",)  # shows the search field; `find` searches
    search_help_text = gettext_lazy("The id of a message or of a conversation.")
    fieldsets = (
        (None, {"fields": CONTENTS}),
        (gettext_lazy("Position"), {"fields": POSITION}),
        (gettext_lazy("Generation"), {"fields": GENERATION}),
        (gettext_lazy("Origin"), {"fields": ORIGIN, "classes": ("collapse",)}),
    )
    readonly_fields = (*CONTENTS, *POSITION, *GENERATION, *ORIGIN)

    class Media:
        css = {"all": ["staff/transcript.css"]}

    @admin.display(description=gettext_lazy("conversation"))
    def conversation_title(self, message: Message) -> str:
        return conversation_link(message.conversation)

    @admin.display(description=gettext_lazy("status"))
    def progress(self, message: Message) -> str:
        label = message.get_status_display()
        if message.status == Status.COMPLETED:
            return label
        return badge(label, "danger" if message.status == Status.FAILED else "warning")

    @admin.display(description=gettext_lazy("branch"))
    def is_on_active_path(self, message: Message) -> str:
        return gettext("shown") if message.is_active else badge(gettext("not shown"))

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("conversation", "user")

    def find(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        if not search_term:
            return queryset, False
        id = parse_uuid(search_term.strip())
        return (queryset.filter(Q(id=id) | Q(conversation=id)) if id else queryset.none()), False

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        row = kwargs["obj"]
        record(request, Action.READ_MESSAGE, row, conversation=row.conversation_id)
        return super().render_change_form(request, context, *args, **kwargs)
