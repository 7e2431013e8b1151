"""The admin's actions on conversations: trash, restore, delete for good. Each calls a service and is audited."""

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext, gettext_lazy

from accounts.models import User
from chatstore.errors import ServiceError
from conversations.models import Conversation
from conversations.querysets import ConversationQuerySet
from conversations.services import conversations

from .audit import record
from .models import Action

Act = Callable[[HttpRequest, Conversation], object]


class ConversationActions(admin.ModelAdmin):
    actions = ("trash", "restore", "purge")

    def has_trash_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("conversations.delete_conversation")

    def has_purge_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    @admin.action(description=gettext_lazy("Move to trash"), permissions=["trash"])
    def trash(self, request: HttpRequest, queryset: ConversationQuerySet) -> None:
        self._run(request, queryset.live(), _trash, gettext("Conversations moved to the trash: {count}."))

    @admin.action(description=gettext_lazy("Restore"), permissions=["trash"])
    def restore(self, request: HttpRequest, queryset: ConversationQuerySet) -> None:
        self._run(request, queryset.trashed(), _restore, gettext("Conversations restored: {count}."))

    @admin.action(description=gettext_lazy("Delete for good"), permissions=["purge"])
    def purge(self, request: HttpRequest, queryset: ConversationQuerySet) -> HttpResponse | None:
        if "confirmed" in request.POST:
            self._run(request, queryset, _purge, gettext("Conversations deleted for good: {count}."))
            return None
        rows = [f"{row.title[:80]} ({row.user}, {row.message_count})" for row in queryset]
        return confirm(
            self,
            request,
            queryset,
            action="purge",
            title=gettext("Delete for good?"),
            warning=gettext("This deletes these conversations and all their messages. It cannot be undone."),
            rows=rows,
            submit=gettext("Delete for good"),
        )

    def _run(self, request: HttpRequest, queryset: ConversationQuerySet, act: Act, summary: str) -> None:
        """Run `act` on each conversation. Show a message for each error, then `summary` with the count of successes."""
        count = 0
        for conversation in queryset:
            try:
                act(request, conversation)
                count += 1
            except ServiceError as error:
                self.message_user(request, f"{conversation.pk}: {error.message}", messages.ERROR)
        self.message_user(request, summary.format(count=count))


def confirm(model_admin: admin.ModelAdmin, request: HttpRequest, queryset: QuerySet, **context: Any) -> HttpResponse:
    """Return the page that asks the user to confirm an action. Its button posts the action again, with `confirmed`.

    The context needs `action`, `title`, `warning`, `rows` and `submit`. An optional `form` adds fields to the page."""
    context |= {"ids": [row.pk for row in queryset], "opts": model_admin.opts}
    site_context = model_admin.admin_site.each_context(request)
    return TemplateResponse(request, "admin/confirm_action.html", site_context | context)


@transaction.atomic
def _trash(request: HttpRequest, conversation: Conversation) -> None:
    conversations.trash(user=conversation.user, conversation_id=conversation.pk)
    record(request, Action.TRASH, conversation)


@transaction.atomic
def _restore(request: HttpRequest, conversation: Conversation) -> None:
    conversations.restore(user=conversation.user, conversation_id=conversation.pk)
    record(request, Action.RESTORE, conversation)


def _purge(request: HttpRequest, conversation: Conversation) -> None:
    # The event is stored with the beginning of the purge, which runs many transactions.
    event = partial(record, request, Action.DELETE, conversation)
    asked_by = cast(User, request.user).pk
    conversations.purge(user=conversation.user, conversation_id=conversation.pk, asked_by=asked_by, on_begin=event)
