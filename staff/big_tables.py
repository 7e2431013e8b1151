"""Base classes for the admin pages of big tables. Lists have a fixed order, and counts stop at COUNT_LIMIT."""

from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.db.models.expressions import Combinable
from django.http import HttpRequest
from django.utils.functional import cached_property

from .audit import record

COUNT_LIMIT = 10_000


class AtLeast(int):
    """The result of a count that stopped at COUNT_LIMIT. Pages show it as 10,000+."""

    def __str__(self) -> str:
        return f"{self:,}+"


class BoundedPaginator(Paginator):
    @cached_property
    def count(self) -> int:
        rows = cast(QuerySet, self.object_list).order_by()[: COUNT_LIMIT + 1].count()
        return rows if rows <= COUNT_LIMIT else AtLeast(COUNT_LIMIT)


class NewestFirst(ChangeList):
    """A list with the newest rows first. It ignores the order in the URL, and reads only the columns in `list_only`."""

    model_admin: "BigTableAdmin"

    def get_ordering(self, request: HttpRequest, queryset: QuerySet) -> list[str | Combinable]:
        return ["-pk"]

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet:
        return super().get_queryset(request, exclude_parameters).only(*self.model_admin.list_only)


class BigTableAdmin(admin.ModelAdmin):
    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # each facet needs a count
    actions_selection_counter = False  # Django's counter offers to select all rows of all pages (actions.html has one)
    ordering = ("-pk",)  # newest first, because ids increase; the index of the primary key has this order
    sortable_by = ()
    list_only: tuple[str, ...] = ()  # empty: all columns
    lookups: tuple[str, ...] = ()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return NewestFirst

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow only the lookups that links and filters use. Another lookup in a URL could read the whole table."""
        return lookup in self.lookups

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry:
        return record(request, obj, message, ADDITION)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry:
        return record(request, obj, message, CHANGE)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet) -> list[LogEntry]:
        return [record(request, obj, "", DELETION) for obj in queryset]


class ReadOnly:
    """Permissions of an admin page on which nobody can add, change or delete rows."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
