"""The filters of the list of conversations."""

from collections.abc import Collection
from typing import Any

import django_filters as filters
from django import forms
from django.utils.translation import gettext
from django_filters import fields
from drf_spectacular.utils import OpenApiParameter
from rest_framework import exceptions
from rest_framework.request import Request

from chatstore import strict_json
from chatstore.errors import Invalid
from chatstore.times import to_utc
from conversations.querysets import ConversationQuerySet


class BooleanChoiceFilter(filters.ChoiceFilter):
    """A filter that accepts `true`, `false` and the values in `more`.

    Any other value is an error. The BooleanFilter of django-filter would ignore it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=[("true", "true"), ("false", "false"), *kwargs.pop("more", [])], **kwargs)


class Metadata(forms.CharField):
    """A form field that parses a JSON object."""

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            data = strict_json.loads(text.encode()) if text else None
        except Invalid as error:
            raise forms.ValidationError(gettext("Must be a JSON object: {error}").format(error=error)) from None
        if data is not None and not isinstance(data, dict):
            raise forms.ValidationError(gettext("Must be a JSON object."))
        return data


class Time(fields.IsoDateTimeField):
    """A time in ISO 8601, converted to UTC, because PostgreSQL refuses offsets of 16 hours and more."""

    def to_python(self, value: Any) -> Any:
        moment = super().to_python(value)
        try:
            return moment and to_utc(moment)
        except ValueError:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from None


class TimeFilter(filters.IsoDateTimeFilter):
    field_class = Time


class MetadataFilter(filters.Filter):
    field_class = Metadata


FORMATS = {TimeFilter: "date-time", MetadataFilter: "json-object"}


class ConversationFilters(filters.FilterSet):
    archived = BooleanChoiceFilter(
        method="filter_archived",
        more=[("any", "any")],
        help_text="The default is `false`; with `trashed=true` or `external_id` it is `any`.",
    )
    trashed = BooleanChoiceFilter(method="filter_trashed", help_text="`true` lists the conversations in the trash.")
    pinned = BooleanChoiceFilter(
        method="filter_pinned", help_text="`true` lists only pinned conversations, `false` only the others."
    )
    tag = filters.CharFilter(method="filter_label", help_text="A tag of the conversation. It must match exactly.")
    notebook = filters.CharFilter(
        method="filter_label", help_text="A notebook of the conversation. It must match exactly."
    )
    model = filters.CharFilter(help_text="The model. It must match exactly.")
    external_id = filters.CharFilter(help_text="The client's own id. It must match exactly.")
    updated_after = TimeFilter("updated_at", "gt", help_text="ISO 8601. The default time zone is UTC.")
    updated_before = TimeFilter("updated_at", "lt", help_text="ISO 8601. The default time zone is UTC.")
    metadata = MetadataFilter("metadata", "contains", help_text="A JSON object that the metadata must contain.")

    def filter_archived(self, rows: ConversationQuerySet, name: str, value: str) -> ConversationQuerySet:
        return rows if value == "any" else rows.filter(archived_at__isnull=value == "false")

    def filter_trashed(self, rows: ConversationQuerySet, name: str, value: str) -> ConversationQuerySet:
        return rows.trashed() if value == "true" else rows.live()

    def filter_pinned(self, rows: ConversationQuerySet, name: str, value: str) -> ConversationQuerySet:
        return rows.filter(is_pinned=value == "true")

    def filter_label(self, rows: ConversationQuerySet, name: str, value: str) -> ConversationQuerySet:
        return rows.filter(**{f"{name}s__contains": [value]})


def filter_parameters() -> list[OpenApiParameter]:
    """Return the filters for the OpenAPI document."""
    return [
        OpenApiParameter(
            name,
            _schema(filter),
            description=filter.extra.get("help_text", ""),
        )
        for name, filter in ConversationFilters.base_filters.items()
    ]


def _schema(filter: filters.Filter) -> dict[str, Any]:
    """Return the JSON schema of a filter. A filter without a value is ignored."""
    if choices := filter.extra.get("choices"):
        return {"type": "string", "enum": [*(value for value, _ in choices), ""]}
    name = FORMATS.get(type(filter))
    values = [{"type": "string", "format": name}, {"type": "string", "maxLength": 0}]
    return {"anyOf": values} if name else {"type": "string"}


PAGING = {"limit", "cursor"}


def read_filters(request: Request, other: Collection[str] = PAGING) -> dict[str, str]:
    """Return the filters in the query string that have a value. Raise ValidationError for unknown filters.

    Ignore the parameters in `other`."""
    values = {name: value for name, value in request.query_params.dict().items() if name not in other}
    if unknown := values.keys() - ConversationFilters.base_filters.keys():
        raise exceptions.ValidationError({name: [gettext("There is no such filter.")] for name in sorted(unknown)})
    return {name: value for name, value in values.items() if value}


def apply_filters(rows: ConversationQuerySet, values: dict[str, str]) -> ConversationQuerySet:
    """Return the rows that pass all filters. Raise ValidationError if a value is wrong."""
    # Trash listings and external_id lookups include archived conversations.
    archived = "any" if values.get("trashed") == "true" or "external_id" in values else "false"
    filterset = ConversationFilters({"trashed": "false", "archived": archived} | values, rows)
    if not filterset.is_valid():
        raise exceptions.ValidationError(filterset.errors)
    return filterset.qs
