"""Base classes for pages of big tables. Lists have one order, and no count, sort or filter reads a whole table."""

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
    """The lower bound of a count that stopped at COUNT_LIMIT. Pages show it as 10,000+."""

    def __str__(self) -> str:
        return f"{self:,}+"


class BoundedPaginator(Paginator):
    @cached_property
    def count(self) -> int:
        rows = cast(QuerySet, self.object_list).order_by()[: COUNT_LIMIT + 1].count()
        return rows if rows <= COUNT_LIMIT else AtLeast(COUNT_LIMIT)


class NewestFirst(ChangeList):
    """A list in the order of the primary key, whatever order the URL names. It reads only the columns that it shows."""

    model_admin: "BigTableAdmin"

    def get_ordering(self, request: HttpRequest, queryset: QuerySet) -> list[str | Combinable]:
        return ["-pk"]

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet:
        return super().get_queryset(request, exclude_parameters).only(*self.model_admin.list_only)


class BigTableAdmin(admin.ModelAdmin):
    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # each facet is a count
    actions_selection_counter = False  # the counter offers to select all rows of all pages
    ordering = ("-pk",)  # UUIDv7: newest first, in the order of the primary key's index
    sortable_by = ()
    list_only: tuple[str, ...] = ()
    lookups: tuple[str, ...] = ()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return NewestFirst

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow only the lookups of links and filters. Any other lookup in a URL would search the whole table."""
        return lookup in self.lookups

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry:
        return record(request, obj, message, ADDITION)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry:
        return record(request, obj, message, CHANGE)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet) -> list[LogEntry]:
        return [record(request, obj, "", DELETION) for obj in queryset]


class ReadOnly:
    """The permissions of a page that shows rows and changes none."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
