"""Base classes for the admin pages of big tables. Lists have a fixed order, and counts stop at COUNT_LIMIT."""

from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ChangeList
from django.contrib.humanize.templatetags.humanize import intcomma
from django.core.exceptions import EmptyResultSet, PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.db.models.expressions import Combinable
from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext

from chatstore.errors import Invalid
from conversations.search import Budget

from .audit import record
from .models import Action

COUNT_LIMIT = 10_000


class AtLeast(int):
    """The result of a count that stopped at this number. Pages show it with a plus, such as 10,000+."""

    def __str__(self) -> str:
        return f"{intcomma(int(self))}+"


def up_to(limit: int, count: int) -> int:
    """Return a count for a page. A count above `limit` has stopped there, and becomes AtLeast."""
    return count if count <= limit else AtLeast(limit)


def bounded_count(rows: QuerySet) -> int | None:
    """Return the number of rows, or None if there are more than COUNT_LIMIT or if the count takes too long."""
    try:
        sql, params = rows.order_by().values("pk")[: COUNT_LIMIT + 1].query.sql_with_params()
        count: int = Budget().fetch(f"SELECT count(*) FROM ({sql}) AS rows", params)[0][0]
    except EmptyResultSet:  # Django knows without a statement that nothing fits
        return 0
    except Invalid:  # too slow
        return None
    return count if count <= COUNT_LIMIT else None


def count_text(count: int | None) -> str:
    """Return the result of `bounded_count` as a text for a page."""
    return gettext("many") if count is None else intcomma(count)


class BoundedPaginator(Paginator):
    @cached_property
    def count(self) -> int:
        return up_to(COUNT_LIMIT, cast(QuerySet, self.object_list).order_by()[: COUNT_LIMIT + 1].count())


class NewestFirst(ChangeList):
    """A list with the newest rows first. It ignores the order in the URL, and reads only the columns in `list_only`."""

    model_admin: "BigTableAdmin"

    def get_ordering(self, request: HttpRequest, queryset: QuerySet) -> list[str | Combinable]:
        return ["-pk"]

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet:
        return super().get_queryset(request, exclude_parameters).only(*self.model_admin.list_only)


class BigTableAdmin(admin.ModelAdmin):
    paginator = BoundedPaginator
    list_per_page = 50  # half of the time of a page is the HTML of its rows
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # each facet needs a count
    # Django's counter of selected rows offers to select the rows of all pages. actions.html has a counter of its own.
    actions_selection_counter = False
    # Whether actions.html offers to run an action on all rows that match. Such an action must be a job.
    has_actions_for_all = False
    ordering = ("-pk",)  # newest first, because ids increase; the index of the primary key has this order
    sortable_by = ()
    list_only: tuple[str, ...] = ()  # empty: all columns
    lookups: tuple[str, ...] = ()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return NewestFirst

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow only the lookups that links and filters use. Another lookup in a URL could read the whole table."""
        return lookup in self.lookups

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Show the list, or run an action. Raises PermissionDenied for a forbidden action, which Django ignores."""
        if set(request.POST.getlist("action")) - {""} - self.get_actions(request).keys():
            raise PermissionDenied
        if is_for_all(request) and not self.has_actions_for_all:
            raise PermissionDenied
        return super().changelist_view(request, extra_context)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        """Record the words of a search, then search. Subclasses that search in another way override `find`."""
        if search_term:
            record(request, Action.SEARCH, self.model, words=search_term)
        return self.find(request, queryset, search_term)

    def find(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        return super().get_search_results(request, queryset, search_term)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponseRedirect:
        """Redirect to the events about this row. Django's page shows Django's log, which is empty.

        Raises PermissionDenied."""
        if not request.user.has_perm("staff.view_auditevent"):
            raise PermissionDenied
        return redirect(reverse("admin:staff_auditevent_changelist", query={"object_id": unquote(object_id)}))

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        return record(request, Action.ADD, obj)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """Record which fields were changed. Do nothing if none was."""
        fields = [name for part in message for name in part["changed"]["fields"]]
        return record(request, Action.CHANGE, obj, fields=fields) if fields else None

    def log_deletions(self, request: HttpRequest, queryset: QuerySet) -> Any:
        return [record(request, Action.DELETE, obj) for obj in queryset]


def is_for_all(request: HttpRequest) -> bool:
    """Return whether the form selects all rows that match the filters, and not only the ticked ones."""
    return any(value not in ("", "0") for value in request.POST.getlist("select_across"))


class ReadOnly:
    """Permissions of an admin page on which nobody can add, change or delete rows."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
