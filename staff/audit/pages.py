"""The admin's pages of the audit: the list with its filters, one event, and the filtered list as CSV."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.timezone import make_aware
from django.utils.translation import gettext_lazy

from accounts.models import User
from chatstore.ids import first_id, parse_uuid
from staff.big_tables import BigTableAdmin, NewestFirst, ReadOnly
from staff.csv_files import stream_csv
from staff.models import Action, AuditEvent

from .download import COLUMNS, details_text, read_batches
from .events import attach_names, record

FILTERS = ("actor", "owner", "object_id", "action", "since", "until")


class TextFilter(admin.SimpleListFilter):
    """A filter with a field for a value, such as an id. The template of the list shows all filters in one form."""

    parameter_name: str
    input_type = "text"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return []

    def has_output(self) -> bool:
        return True

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        text = (self.value() or "").replace("\0", "").strip()
        return self.narrow(queryset, text) if text else queryset

    def narrow(self, queryset: QuerySet, text: str) -> QuerySet:
        """Return the events that fit the value. Each filter has its own condition."""
        raise NotImplementedError


class UserFilter(TextFilter):
    """A filter by a user. The value is the user's id or e-mail address."""

    def narrow(self, queryset: QuerySet, text: str) -> QuerySet:
        id = parse_uuid(text) or User.objects.filter(email__lower=text.lower()).values_list("pk", flat=True).first()
        return queryset.filter(**{self.parameter_name: id}) if id else queryset.none()


class ActorFilter(UserFilter):
    title = gettext_lazy("staff member (id or e-mail)")
    parameter_name = "actor"


class OwnerFilter(UserFilter):
    title = gettext_lazy("owner (id or e-mail)")
    parameter_name = "owner"


class ObjectFilter(TextFilter):
    title = gettext_lazy("object (id)")
    parameter_name = "object_id"

    def narrow(self, queryset: QuerySet, text: str) -> QuerySet:
        return queryset.filter(object_id=str(parse_uuid(text) or text))


class SinceFilter(TextFilter):
    """Keeps the events of a day in UTC and of later days. Compares ids, because they rise with time."""

    title = gettext_lazy("first day")
    parameter_name = "since"
    input_type = "date"

    def narrow(self, queryset: QuerySet, text: str) -> QuerySet:
        day = _day(text)
        return queryset.filter(pk__gte=first_id(day)) if day else queryset.none()


class UntilFilter(TextFilter):
    title = gettext_lazy("last day")
    parameter_name = "until"
    input_type = "date"

    def narrow(self, queryset: QuerySet, text: str) -> QuerySet:
        day = _day(text)
        return queryset.filter(pk__lt=first_id(day + timedelta(days=1))) if day else queryset.none()


def _day(text: str) -> datetime | None:
    """Return the beginning of a day in UTC, or None unless the text is a date from 1970 to 9000."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return make_aware(datetime.combine(day, time.min)) if 1970 <= day.year <= 9000 else None


class ActionFilter(admin.SimpleListFilter):
    title = gettext_lazy("action")
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Action.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(action=self.value()) if self.value() in Action.values else queryset


class EventList(NewestFirst):
    """The list of events, with the names of actors and owners."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        attach_names(self.result_list)


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnly, BigTableAdmin):
    """The audit is read-only, also in the database. By default, only superusers and the group Privacy may read it."""

    change_list_template = "admin/audit_event_list.html"
    list_display = (
        "exact_time",
        "actor_link",
        "action",
        "object_link",
        "owner_link",
        "details_line",
        "reason",
        "address",
    )
    list_display_links = ("exact_time",)
    list_filter = (ActorFilter, OwnerFilter, ObjectFilter, ActionFilter, SinceFilter, UntilFilter)
    lookups = FILTERS
    fields = readonly_fields = (*list_display, "object_type", "object_id", "id")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return EventList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> AuditEvent | None:
        event: AuditEvent | None = super().get_object(request, object_id, from_field)
        attach_names([event] if event else [])
        return event

    def get_urls(self) -> list[Any]:
        download = self.admin_site.admin_view(self.download)
        return [path("csv/", download, name="staff_auditevent_csv"), *super().get_urls()]

    def download(self, request: HttpRequest) -> Any:
        """Send the events of the filtered list as CSV. Adds an event about the download. Raises PermissionDenied."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            changelist = self.get_changelist_instance(request)
        except IncorrectLookupParameters:  # such as a page that does not exist
            return redirect("admin:staff_auditevent_changelist")
        filters = [f"{name}={value}" for name in FILTERS if (value := request.GET.get(name))]
        record(request, Action.EXPORT, AuditEvent, filters=filters)
        name = f"audit-{timezone.now():%Y-%m-%d}.csv"
        return stream_csv(name, COLUMNS, read_batches(changelist.queryset))

    @admin.display(description=gettext_lazy("time"))
    def exact_time(self, event: AuditEvent) -> str:
        return f"{event.at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description=gettext_lazy("staff member"))
    def actor_link(self, event: AuditEvent) -> str:
        return _filter_link("actor", event.actor, event.actor_name)

    @admin.display(description=gettext_lazy("owner"))
    def owner_link(self, event: AuditEvent) -> str:
        return _filter_link("owner", event.owner, event.owner_name) if event.owner else "-"

    @admin.display(description=gettext_lazy("object"))
    def object_link(self, event: AuditEvent) -> str:
        model = event.object_type.rpartition(".")[2]
        if not event.object_id:
            return model
        return _filter_link("object_id", event.object_id, f"{model} …{event.object_id[-6:]}")

    @admin.display(description=gettext_lazy("details"))
    def details_line(self, event: AuditEvent) -> str:
        return details_text(event)


def _filter_link(name: str, value: object, text: str) -> str:
    """Return a link to the events of the same actor, owner or object."""
    url = reverse("admin:staff_auditevent_changelist", query={name: value})
    return format_html('<a href="{}" title="{}">{}</a>', url, value, text)
