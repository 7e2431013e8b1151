from datetime import datetime
from typing import Any

import django_filters as filters
from django import forms
from django.utils.translation import gettext
from drf_spectacular.utils import OpenApiParameter
from rest_framework import exceptions
from rest_framework.request import Request

from chatstore import strict_json
from chatstore.errors import Invalid
from conversations.querysets import ConversationQuerySet


class BooleanChoiceFilter(filters.ChoiceFilter):
    """django-filter's own BooleanFilter takes junk for "not asked"."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=[("true", "true"), ("false", "false"), *kwargs.pop("more", [])], **kwargs)


class Metadata(forms.CharField):
    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            data = strict_json.loads(text.encode()) if text else None
        except Invalid as error:
            raise forms.ValidationError(gettext("Must be a JSON object: {error}").format(error=error)) from None
        if data is not None and not isinstance(data, dict):
            raise forms.ValidationError(gettext("Must be a JSON object."))
        return data


class MetadataFilter(filters.Filter):
    field_class = Metadata


class ConversationFilters(filters.FilterSet):
    archived = BooleanChoiceFilter(
        method="filter_archived",
        more=[("any", "any")],
        help_text="Left out: false, but any with `trashed=true` or an `external_id`.",
    )
    trashed = BooleanChoiceFilter(method="filter_trashed", help_text="true: what is in the trash instead.")
    pinned = BooleanChoiceFilter(method="filter_pinned")
    tag = filters.CharFilter(method="filter_label")
    notebook = filters.CharFilter(method="filter_label")
    model = filters.CharFilter()
    external_id = filters.CharFilter()
    updated_after = filters.IsoDateTimeFilter("updated_at", "gt")
    updated_before = filters.IsoDateTimeFilter("updated_at", "lt")
    metadata = MetadataFilter("metadata", "contains", help_text="A JSON object that the metadata contains.")

    def filter_archived(self, rows: ConversationQuerySet, name: str, value: str) -> ConversationQuerySet:
        return rows if value == "any" else rows.filter(archived_at__isnull=value == "false")

    def filter_trashed(self, rows: ConversationQuerySet, name: str, value: str) -> ConversationQuerySet:
        return rows.trashed() if value == "true" else rows.live()

    def filter_pinned(self, rows: ConversationQuerySet, name: str, value: str) -> ConversationQuerySet:
        return rows.filter(is_pinned=value == "true")

    def filter_label(self, rows: ConversationQuerySet, name: str, value: str) -> ConversationQuerySet:
        return rows.filter(**{f"{name}s__contains": [value]})


def filter_parameters() -> list[OpenApiParameter]:
    return [
        OpenApiParameter(
            name,
            datetime if isinstance(filter, filters.IsoDateTimeFilter) else str,
            description=filter.extra.get("help_text", ""),
            enum=[value for value, _ in filter.extra.get("choices", ())] or None,
        )
        for name, filter in ConversationFilters.base_filters.items()
    ]


PAGING = {"limit", "cursor"}


def filters_of(request: Request) -> dict[str, str]:
    asked = {name: value for name, value in request.query_params.dict().items() if name not in PAGING}
    if unknown := asked.keys() - ConversationFilters.base_filters.keys():
        raise exceptions.ValidationError({name: [gettext("There is no such filter.")] for name in sorted(unknown)})
    return {name: value for name, value in asked.items() if value}  # an empty one is none


def filtered(rows: ConversationQuerySet, asked: dict[str, str]) -> ConversationQuerySet:
    # Who looks into the trash, or for one that they know, means the archived, too.
    archived = "any" if asked.get("trashed") == "true" or "external_id" in asked else "false"
    filterset = ConversationFilters({"trashed": "false", "archived": archived} | asked, rows)
    if not filterset.is_valid():
        raise exceptions.ValidationError(filterset.errors)
    return filterset.qs
