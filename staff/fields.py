"""Columns and fields that several pages show."""

import json
from typing import Any

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.text import Truncator

from conversations.querysets import PURGING

LIVE = Q(deleted_at__isnull=True)


def preformatted(name: str) -> Any:
    """A field shown with its line breaks, or as JSON laid out."""

    @admin.display(description=name.replace("_", " "))
    def show(obj: Model) -> str:
        value = getattr(obj, name)
        if value in (None, "", {}, []):
            return "-"
        text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
        return format_html('<div class="preformatted" dir="auto">{}</div>', text)

    show.__name__ = f"{name}_preformatted"
    return show


@admin.display(description="title")
def short_title(conversation: Any) -> str:
    return Truncator(conversation.title).chars(80) or "(no title)"


@admin.display(description="messages")
def message_count(conversation: Any) -> str:
    return f"{conversation.message_count:,}"


@admin.display(description="active")
def active(conversation: Any) -> str:
    return f"{conversation.active_at:%Y-%m-%d %H:%M}"


@admin.display(description="created")
def created(obj: Any) -> str:
    return f"{obj.created_at:%Y-%m-%d %H:%M}"


@admin.display(description="state")
def state(obj: Any) -> str:
    if obj.deleted_at:
        return "in the trash" if obj.deleted_at > PURGING else "removed for good"
    return "archived" if getattr(obj, "archived_at", None) else "live"


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"
    states = {"live": LIVE, "trash": ~LIVE}
    names = {"live": "Live", "archived": "Archived", "trash": "In the trash"}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(key, self.names[key]) for key in self.states]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(self.states.get(self.value() or "", Q()))


class ConversationStateFilter(StateFilter):
    states = {
        "live": LIVE & Q(archived_at__isnull=True),
        "archived": LIVE & Q(archived_at__isnull=False),
        "trash": ~LIVE,
    }
