"""What the admin's pages share. Tables are big: nothing is counted, sorted or filtered without a bound."""

import json
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.admin.views.main import ChangeList
from django.contrib.contenttypes.models import ContentType
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.db.models.expressions import Combinable
from django.utils.functional import cached_property
from django.utils.html import format_html

if TYPE_CHECKING:
    from django.http import HttpRequest

COUNTED = 10_000


def record(request: "HttpRequest", obj: Model, message: str | list[Any], flag: int = CHANGE) -> LogEntry:
    """Write an entry of the admin's log. It names the row by its id alone: the row's own text is often an e-mail
    address, a name or a title, and the log outlives the row."""
    return LogEntry.objects.create(
        user=cast(Any, request.user),
        content_type=ContentType.objects.get_for_model(obj),
        object_id=str(obj.pk),
        object_repr=str(obj.pk),
        action_flag=flag,
        change_message=message if isinstance(message, str) else json.dumps(message),
    )


class AtLeast(int):
    """A count that was given up; pages show it as 10,000+."""

    def __str__(self) -> str:
        return f"{self:,}+"


class BoundedPaginator(Paginator):
    @cached_property
    def count(self) -> int:
        rows = cast(QuerySet, self.object_list).order_by()[: COUNTED + 1].count()
        return rows if rows <= COUNTED else AtLeast(COUNTED)


class NewestFirst(ChangeList):
    """In the order of the primary key whatever the address asks for, and with the columns that the list shows."""

    model_admin: "BigTableAdmin"

    def get_ordering(self, request: "HttpRequest", queryset: QuerySet) -> list[str | Combinable]:
        return ["-pk"]

    def get_queryset(self, request: "HttpRequest", exclude_parameters: Any = None) -> QuerySet:
        return super().get_queryset(request, exclude_parameters).only(*self.model_admin.list_only)


class BigTableAdmin(admin.ModelAdmin):
    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # each one is a count
    actions_selection_counter = False  # it offers to select all rows of all pages
    ordering = ("-pk",)  # UUIDv7: the newest first, by the primary key's index
    sortable_by = ()
    list_only: tuple[str, ...] = ()
    lookups: tuple[str, ...] = ()

    def get_changelist(self, request: "HttpRequest", **kwargs: Any) -> type[ChangeList]:
        return NewestFirst

    def lookup_allowed(self, lookup: str, value: str, request: "HttpRequest | None" = None) -> bool:
        """Those that links and filters use. Any other, typed into an address, would search the table."""
        return lookup in self.lookups

    def log_addition(self, request: "HttpRequest", obj: Model, message: Any) -> LogEntry:
        return record(request, obj, message, ADDITION)

    def log_change(self, request: "HttpRequest", obj: Model, message: Any) -> LogEntry:
        return record(request, obj, message, CHANGE)

    def log_deletions(self, request: "HttpRequest", queryset: QuerySet) -> list[LogEntry]:
        return [record(request, obj, "", DELETION) for obj in queryset]


class ReadOnly:
    """Permissions of an admin that shows rows and changes none."""

    def has_add_permission(self, request: "HttpRequest") -> bool:
        return False

    def has_change_permission(self, request: "HttpRequest", obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: "HttpRequest", obj: Any = None) -> bool:
        return False


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnly, BigTableAdmin):
    """The audit: what staff changed, and whose conversations they read."""

    list_display = ("action_time", "user", "message", "content_type", "object_link")
    list_select_related = ("user", "content_type")
    fields = list_display
    readonly_fields = ("message", "object_link")

    def message(self, entry: LogEntry) -> str:
        return entry.get_change_message()

    @admin.display(description="object")
    def object_link(self, entry: LogEntry) -> str:
        url = entry.get_admin_url()
        return format_html('<a href="{}">{}</a>', url, entry.object_repr) if url else entry.object_repr
