"""The conversations of a job: those that match the list's filters and search, in batches, newest first.

A job uses the list of the admin itself, so it refuses and understands the same filters. It selects only conversations
that existed when it was created. A conversation must still match when the job gets to it."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext

from accounts.models import User
from chatstore.errors import Invalid
from conversations.models import Conversation
from staff.conversations import ConversationAdmin
from staff.models import Job

from .acts import Act

BATCH = 50


class JobConversations(ConversationAdmin):
    """The list of conversations without its rows and its page, and without events of searches."""

    get_search_results = ConversationAdmin.find

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        class WithoutRows(super().get_changelist(request, **kwargs)):  # type: ignore[misc]
            def get_results(self, request: HttpRequest) -> None:
                """Read nothing. Only the runner reads rows, and it counts none."""

        return WithoutRows


def next_batch(job: Job, act: Act, actor: User) -> list[Conversation]:
    """Return the next BATCH conversations after the job's cursor. Raises Invalid if the list refuses a filter."""
    rows = act.select(_matching(job, actor), job.tag).filter(created_at__lte=job.created_at)
    if job.cursor:
        rows = rows.filter(pk__lt=job.cursor)
    return list(rows.order_by("-pk")[:BATCH])


def _matching(job: Job, actor: User) -> Any:
    request = HttpRequest()
    request.method, request.user, request.GET = "GET", actor, QueryDict(job.query)
    try:
        return JobConversations(Conversation, admin.site).get_changelist_instance(request).queryset
    except (SuspiciousOperation, IncorrectLookupParameters):
        raise Invalid(gettext("The list of conversations does not know one of the filters.")) from None
