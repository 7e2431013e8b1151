"""The admin's pages of the audit: the list with its filters, one event, and the filtered list as CSV."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy

from chatstore.ids import first_id, parse_uuid
from staff.big_tables import BigTableAdmin, NewestFirst, ReadOnly
from staff.csv_files import stream_csv
from staff.filters import A_DAY, ChoiceFilter, DayFilter, TextFilter, UserFilter, without_address
from staff.models import Action, AuditEvent
from staff.visible import visible

from .download import COLUMNS, details_text, read_batches
from .events import attach_names, record

FILTERS = ("actor", "owner", "object_id", "action", "since", "until")


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


class SinceFilter(DayFilter):
    """Keeps the events of a day and of later days. Compares ids, because they rise with time."""

    title = gettext_lazy("first day")
    parameter_name = "since"

    def condition(self, day: datetime) -> Q:
        return Q(pk__gte=first_id(day))


class UntilFilter(DayFilter):
    title = gettext_lazy("last day")
    parameter_name = "until"

    def condition(self, day: datetime) -> Q:
        return Q(pk__lt=first_id(day + A_DAY))


class ActionFilter(ChoiceFilter):
    title = gettext_lazy("action")
    parameter_name = "action"
    options = {value: (name, Q(action=value)) for value, name in Action.choices}


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
        query = without_address(request.GET, "actor", "owner")
        filters = [f"{name}={value}" for name in FILTERS if (value := query.get(name))]
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
        return visible(details_text(event))


def _filter_link(name: str, value: object, text: str) -> str:
    """Return a link to the events of the same actor, owner or object."""
    url = reverse("admin:staff_auditevent_changelist", query={name: value})
    return format_html('<a href="{}" title="{}">{}</a>', url, value, visible(text))
