"""The filters of the lists: a choice, a typed value, or a condition that is on or off.

A filter names its parameter in the URL, and its title. `narrow` returns the rows that it keeps. No filter reads the
values that exist, because that would read the whole table. A text field can suggest the values of the rows on the page.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext_lazy

from accounts.models import User
from chatstore.ids import parse_uuid

LIVE = Q(deleted_at__isnull=True)
A_DAY = timedelta(days=1)
MOST_SUGGESTIONS = 50


class Filter(admin.SimpleListFilter, ABC):
    """Base of all filters. `filter_fields.html` shows its field, which depends on `input_type`."""

    parameter_name: str
    input_type: str
    permission = ""  # the permission that staff need to use the filter; empty if the one of the list is enough
    suggestions: Iterable[str] = ()

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return []

    def has_output(self) -> bool:
        return True

    @property
    def text(self) -> str:
        """Return the value in the URL, without the character that PostgreSQL refuses."""
        return (self.value() or "").replace("\0", "").strip()

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return self.narrow(queryset, self.text) if self.text else queryset

    @abstractmethod
    def narrow(self, queryset: QuerySet, text: str) -> QuerySet:
        """Return the rows that fit the value."""

    def describe(self, rows: Iterable[Any]) -> str:
        """Return the value as a person reads it. `rows` are the rows on the page."""
        return self.text


class ChoiceFilter(Filter):
    """A filter with a choice of names. A value that is not a choice finds nothing, so no job changes all rows."""

    input_type = "select"
    options: Mapping[str, tuple[Any, Q]]  # each value with its name and its condition

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(value, name) for value, (name, _) in self.options.items()]

    def narrow(self, queryset: QuerySet, text: str) -> QuerySet:
        return queryset.filter(self.options[text][1]) if text in self.options else queryset.none()

    def describe(self, rows: Iterable[Any]) -> str:
        return str(self.options[self.text][0]) if self.text in self.options else self.text


class FlagFilter(Filter):
    """A filter that is on or off. Every value turns it on."""

    input_type = "checkbox"
    condition: Q

    def narrow(self, queryset: QuerySet, text: str) -> QuerySet:
        return queryset.filter(self.condition)

    def describe(self, rows: Iterable[Any]) -> str:
        return ""  # the title says it


class TextFilter(Filter):
    """A filter with a field for a value, such as an id."""

    input_type = "text"

    def values_of(self, row: Any) -> Iterable[str]:
        """Return the values of a row that the field suggests."""
        return ()

    def suggest(self, rows: Iterable[Model]) -> None:
        """Suggest the values of these rows."""
        values = sorted({value for row in rows for value in self.values_of(row) if value})
        self.suggestions = values[:MOST_SUGGESTIONS]  # a row can have many long tags


class UserFilter(TextFilter):
    """A filter by a user. The value is the user's id or e-mail address. An address needs a statement."""

    def narrow(self, queryset: QuerySet, text: str) -> QuerySet:
        id = _parse_user(text)
        return queryset.filter(**{self.parameter_name: id}) if id else queryset.none()


def _parse_user(text: str) -> UUID | None:
    """Return an id, or the id of the user with an e-mail address. Return None if there is no such user."""
    if id := parse_uuid(text):
        return id
    user = User.objects.find(text)
    return user.pk if user else None


def without_address(query: QueryDict, *names: str) -> QueryDict:
    """Return the query of a list with ids in place of e-mail addresses. The parameters `names` name users.

    Whatever is stored for longer than a request needs this, because an erasure could not remove an address."""
    query = query.copy()
    for name in names or ("user",):
        text = query.get(name, "").replace("\0", "").strip()
        if text and (id := _parse_user(text)):
            query[name] = str(id)
    return query


class DayFilter(TextFilter):
    """A filter by a day in UTC. A value that is not a day finds nothing."""

    input_type = "date"

    def narrow(self, queryset: QuerySet, text: str) -> QuerySet:
        day = _parse_day(text)
        return queryset.filter(self.condition(day)) if day else queryset.none()

    @abstractmethod
    def condition(self, day: datetime) -> Q:
        """Return the condition for the beginning of the day."""


def _parse_day(text: str) -> datetime | None:
    """Return the beginning of a day in UTC, or None unless the text is a date from 1970 to 9000."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return start_of(day) if 1970 <= day.year <= 9000 else None


def start_of(day: date) -> datetime:
    """Return the beginning of a day in UTC."""
    return datetime.combine(day, time.min, UTC)


class StateFilter(ChoiceFilter):
    title = gettext_lazy("state")
    parameter_name = "state"
    options: Mapping[str, tuple[Any, Q]] = {
        "live": (gettext_lazy("Live"), LIVE),
        "trash": (gettext_lazy("In the trash"), ~LIVE),
    }
