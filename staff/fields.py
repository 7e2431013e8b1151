"""Columns and fields that several pages show."""

import json
from typing import Any

from django.contrib import admin
from django.db.models import JSONField, Model, Q, QuerySet, TextField
from django.db.models.functions import Cast, Left
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.text import Truncator
from django.utils.translation import gettext, gettext_lazy

from conversations.querysets import PURGING

LONGEST = 1_000_000  # the most characters of a field that the page of a row shows
INDENTED = 10_000  # the most characters of JSON that is indented
LIVE = Q(deleted_at__isnull=True)


def preformatted(name: str) -> Any:
    """Return a column that shows a field with its line breaks. It indents only short JSON. Each level of nesting
    indents its lines further, so 4 MB of nested brackets would become a page of 225 MB."""

    @admin.display(description=name.replace("_", " "))
    def show(obj: Model) -> str:
        text = _text(obj, name)
        return format_html('<div class="preformatted" dir="auto">{}</div>', text) if text else "-"

    show.__name__ = f"{name}_preformatted"
    return show


def _text(obj: Model, name: str) -> str:
    texts: dict[str, str | None] = getattr(obj, "long_texts", {})
    text = texts[name] if name in texts else _as_text(getattr(obj, name))
    if not text or text in ("{}", "[]"):
        return ""
    if isinstance(obj._meta.get_field(name), JSONField) and len(text) <= INDENTED:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return text if len(text) <= LONGEST else text[:LONGEST] + "\n" + cut_notice()


def cut_notice() -> str:
    return gettext("… (cut here: too long for a page)")


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)


class LongTextsAdmin(admin.ModelAdmin):
    """The page of one row. It reads only the first LONGEST characters of each of its `long_fields`."""

    long_fields: tuple[str, ...] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).defer(*self.long_fields)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        obj = super().get_object(request, object_id, from_field)
        if obj is not None:
            texts = {f"{name}_text": Left(Cast(name, TextField()), LONGEST + 1) for name in self.long_fields}
            row = self.model._base_manager.filter(pk=obj.pk).values(**texts).get()
            obj.long_texts = {name: row[f"{name}_text"] for name in self.long_fields}
        return obj


@admin.display(description=gettext_lazy("title"))
def short_title(conversation: Any) -> str:
    return Truncator(conversation.title).chars(80) or gettext("(no title)")


@admin.display(description=gettext_lazy("messages"))
def message_count(conversation: Any) -> str:
    return f"{conversation.message_count:,}"


@admin.display(description=gettext_lazy("active"))
def active(conversation: Any) -> str:
    return f"{conversation.active_at:%Y-%m-%d %H:%M}"


@admin.display(description=gettext_lazy("created"))
def created(obj: Any) -> str:
    return f"{obj.created_at:%Y-%m-%d %H:%M}"


@admin.display(description=gettext_lazy("state"))
def state(obj: Any) -> str:
    if obj.deleted_at:
        return gettext("in the trash") if obj.deleted_at > PURGING else gettext("deleted for good")
    return gettext("archived") if getattr(obj, "archived_at", None) else gettext("live")


class StateFilter(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "state"
    states = {"live": LIVE, "trash": ~LIVE}
    names = {"live": gettext_lazy("Live"), "archived": gettext_lazy("Archived"), "trash": gettext_lazy("In the trash")}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(key, str(self.names[key])) for key in self.states]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(self.states.get(self.value() or "", Q()))


class ConversationStateFilter(StateFilter):
    states = {
        "live": LIVE & Q(archived_at__isnull=True),
        "archived": LIVE & Q(archived_at__isnull=False),
        "trash": ~LIVE,
    }
