"""Trash, restore, delete for good: what staff may do to conversations, each through its service and into the log."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, DELETION
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext

from chatstore.errors import ServiceError
from conversations.models import Conversation
from conversations.querysets import ConversationQuerySet
from conversations.services import conversations

from . import audit

Act = Callable[[HttpRequest, Conversation], object]


class ConversationActions(admin.ModelAdmin):
    actions = ("trash", "restore", "purge")

    def has_trash_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("conversations.delete_conversation")

    def has_purge_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    @admin.action(description="Move to trash", permissions=["trash"])
    def trash(self, request: HttpRequest, queryset: ConversationQuerySet) -> None:
        self._each(request, queryset.live(), _trash, "moved to the trash")

    @admin.action(description="Restore", permissions=["trash"])
    def restore(self, request: HttpRequest, queryset: ConversationQuerySet) -> None:
        self._each(request, queryset.trashed(), _restore, "restored")

    @admin.action(description="Delete for good", permissions=["purge"])
    def purge(self, request: HttpRequest, queryset: ConversationQuerySet) -> HttpResponse | None:
        if "confirmed" in request.POST:
            self._each(request, queryset, _purge, "deleted for good")
            return None
        rows = [f"{row.title[:80]} ({row.user}, {row.message_count})" for row in queryset]
        return confirm(
            self,
            request,
            queryset,
            action="purge",
            title=gettext("Delete for good?"),
            warning=gettext("These conversations and all their messages will be gone. This cannot be taken back."),
            rows=rows,
            submit=gettext("Delete for good"),
        )

    def _each(self, request: HttpRequest, queryset: ConversationQuerySet, act: Act, done: str) -> None:
        count = 0
        for conversation in queryset:
            try:
                act(request, conversation)
                count += 1
            except ServiceError as refused:
                self.message_user(request, f"{conversation.pk}: {refused.message}", messages.ERROR)
        self.message_user(request, f"Conversations {done}: {count}.")


def confirm(model_admin: admin.ModelAdmin, request: HttpRequest, queryset: QuerySet, **context: Any) -> HttpResponse:
    """What cannot be taken back is asked once more: the action comes again with `confirmed`."""
    context |= {"ids": [row.pk for row in queryset], "opts": model_admin.opts}
    whole = model_admin.admin_site.each_context(request) | context
    return TemplateResponse(request, "admin/confirm_action.html", whole)


@transaction.atomic
def _trash(request: HttpRequest, conversation: Conversation) -> None:
    conversations.trash(user=conversation.user, conversation_id=conversation.pk)
    audit.record(request, conversation, "Moved to the trash.", CHANGE)


@transaction.atomic
def _restore(request: HttpRequest, conversation: Conversation) -> None:
    conversations.restore(user=conversation.user, conversation_id=conversation.pk)
    audit.record(request, conversation, "Restored.", CHANGE)


def _purge(request: HttpRequest, conversation: Conversation) -> None:
    # Many transactions: the line is in the log before the first of them.
    audit.record(request, conversation, "Deleted for good.", DELETION)
    conversations.purge(user=conversation.user, conversation_id=conversation.pk)
