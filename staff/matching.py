"""The conversations that the list of conversations selects: jobs, saved queues and exports work on them."""

from copy import copy
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext

from accounts.models import User
from chatstore.errors import Invalid
from conversations.models import Conversation

PAGING = ("p", "o", "all", "_facets", "e")  # parameters of the list that select no rows


def without_paging(query: QueryDict) -> QueryDict:
    """Return the filters and the search words of a query of the list, without the parameters that select no rows."""
    filters = query.copy()
    for name in PAGING:
        filters.pop(name, None)
    return filters


class _WithoutRows(ChangeList):
    """A list that only computes its queryset."""

    def get_results(self, request: HttpRequest) -> None:
        self.result_list = self.queryset.none()


def conversations_matching(user: User, query: QueryDict) -> Any:
    """Return the conversations that the list shows to a member of the staff for a query, those of all pages.

    Adds no event about a search. Executes no statement, except to find users by e-mail address. Raises Invalid if the
    list does not know one of the filters, or if one contains a NUL: the list ignores such a filter, and would select
    more rows than the person asked for."""
    if "%00" in query.urlencode():
        raise _unknown_filter()
    request = HttpRequest()
    request.method, request.user = "GET", user
    request.GET = query  # type: ignore[assignment]
    request.review_labels = []  # type: ignore[attr-defined]  # the choices of the filter "verdict", which are not shown
    model_admin: Any = copy(admin.site.get_model_admin(Conversation))
    model_admin.get_queryset = lambda request: Conversation.objects.all()  # without what only the columns need
    model_admin.get_search_results = model_admin.find
    model_admin.get_changelist = lambda *_, **__: _WithoutRows
    try:
        return model_admin.get_changelist_instance(request).queryset
    except (SuspiciousOperation, IncorrectLookupParameters):
        raise _unknown_filter() from None


def _unknown_filter() -> Invalid:
    return Invalid(gettext("The list of conversations does not know one of the filters."))
