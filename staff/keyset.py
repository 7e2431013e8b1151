"""Lists without page numbers and counts. Their cost is bounded, whatever the filters keep.

A page begins after the last row of the page before, so a late page costs no more than the first. There is no count,
because a count reads as many rows as a page without results.

One statement finds the ids of a page within TIME_LIMIT, and another reads the rows. If the first takes longer, because
the filters keep few of many rows, the page looks only at the next WINDOW rows, and says how far it looked.
"""

from datetime import datetime
from typing import Any, NamedTuple

from django.contrib.admin.views.main import PAGE_VAR
from django.core.exceptions import EmptyResultSet, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from chatstore.errors import Invalid
from conversations.search import Budget

from .big_tables import NewestFirst
from .filters import Filter, TextFilter

TIME_LIMIT = 200  # milliseconds
WINDOW = 10_000  # rows


class ActiveFilter(NamedTuple):
    title: str
    value: str
    remove: str  # the query string without this filter


class KeysetList(NewestFirst):
    """A list of rows that have `created_at`. The parameter of Django's page number is the id of the row before."""

    older: Any = None  # the id of the row after which the next page begins; None if this is the last page
    searched_since: datetime | None = None  # set if the page is not full, because looking further takes too long

    def get_results(self, request: HttpRequest) -> None:
        self.start = self._parse_start(request.GET.get(PAGE_VAR, ""))
        rows = self._find_rows()
        if len(rows) > self.list_per_page:
            rows = rows[: self.list_per_page]
            self.older, self.searched_since = rows[-1].pk, None
        self.result_list = rows
        self.full_result_count = self.result_count = len(rows)
        self.show_admin_actions = True
        self.show_full_result_count = self.can_show_all = self.multi_page = False
        for spec in self.filters:
            if isinstance(spec, TextFilter):
                spec.suggest(self.result_list)

    @property
    def filters(self) -> list[Filter]:
        return [spec for spec in self.filter_specs if isinstance(spec, Filter)]

    @property
    def older_query(self) -> str:
        return self.get_query_string({PAGE_VAR: self.older})

    @property
    def active_filters(self) -> list[ActiveFilter]:
        return [
            ActiveFilter(
                str(spec.title),
                spec.describe(self.result_list),
                self.get_query_string(remove=[spec.parameter_name]),
            )
            for spec in self.filters
            if spec.text
        ]

    def _parse_start(self, text: str) -> Any:
        """Return the id in the URL, or None if it is not an id. The list then begins with the newest row."""
        try:
            return self.opts.pk.to_python(text) if text else None
        except ValidationError:
            return None

    def _find_rows(self) -> list[Any]:
        """Return the rows of a page, and one more if there is one.

        Set `older` and `searched_since` if it stops early."""
        rows = self._after_start(self.queryset)
        try:
            ids = self._fetch_ids(rows)
        except Invalid:
            return self._read_window(rows)
        return self.read_rows(self.root_queryset.filter(pk__in=ids).order_by("-pk").only(*self.model_admin.list_only))

    def _after_start(self, rows: QuerySet) -> QuerySet:
        return rows.filter(pk__lt=self.start) if self.start else rows

    def _fetch_ids(self, rows: QuerySet) -> list[Any]:
        """Return the ids of the first rows. Raise Invalid if that takes longer than TIME_LIMIT."""
        try:
            statement, params = rows.values("pk")[: self.list_per_page + 1].query.sql_with_params()
        except EmptyResultSet:
            return []
        return [id for (id,) in Budget().fetch(statement, params, limit=TIME_LIMIT)]

    def _read_window(self, rows: QuerySet) -> list[Any]:
        end = self._after_start(self.model._base_manager.order_by("-pk"))
        last = end.values_list("pk", "created_at")[WINDOW - 1 : WINDOW].first()
        if last:
            self.older, self.searched_since = last
            rows = rows.filter(pk__gte=self.older)
        return self.read_rows(rows)

    def read_rows(self, rows: QuerySet) -> list[Any]:
        """Return the rows of a page, and one more, with everything that the columns show."""
        return list(rows[: self.list_per_page + 1])
