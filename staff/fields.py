"""Columns and fields that several pages show."""

import json
import re
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.humanize.templatetags.humanize import intcomma, naturaltime
from django.db.models import JSONField, Model, QuerySet, TextField
from django.db.models.functions import Cast, Left
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext, gettext_lazy

from conversations.querysets import PURGING

from .unread import unread_mark
from .visible import visible

LONGEST = 1_000_000  # the most characters of a field that the page of a row shows
INDENTED = 10_000  # the most characters of JSON that is indented
SHOWN_TAGS = 3
# The marks of Markdown for emphasis, code and tables, and for a heading at the start.
MARKS = re.compile(r"\*\*|`|\|[-:| ]*|^#+ ")
# The least days of an age, the days of its unit, and its text. `n` is 2 or more, so no text needs a singular.
AGES = (
    (730, 365, gettext_lazy("{n} years ago")),
    (60, 30, gettext_lazy("{n} months ago")),
    (14, 7, gettext_lazy("{n} weeks ago")),
    (2, 1, gettext_lazy("{n} days ago")),
    (1, 1, gettext_lazy("a day ago")),
)


def preformatted(name: str) -> Any:
    """Return a column that shows a field with its line breaks.

    It indents only short JSON, because each level of nesting adds spaces to its lines: 4 MB of nested brackets would
    become a page of 225 MB."""

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
        with suppress(RecursionError):  # nested more deeply than Python reads
            return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return text if len(text) <= LONGEST else text[:LONGEST] + "\n" + cut_notice()


def cut_notice() -> str:
    return gettext("… (cut here: too long for a page)")


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)


class LongTextsAdmin(admin.ModelAdmin):
    """Base of admin pages of rows with long texts. It reads only the beginning of each field in `long_fields`."""

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


def badge(text: Any, kind: str = "") -> SafeString:
    """Return a short text with a border. `kind` is "ok", "info", "warning", "danger", "tag" or ""."""
    return format_html('<span class="badge {}">{}</span>', kind, visible(text))


def hold_badge() -> SafeString:
    return badge(gettext("on hold"), "warning")


def ago(time: datetime) -> SafeString:
    """Return how long ago a time was, with the exact time as a title."""
    exact = f"{time:%Y-%m-%d %H:%M:%S %Z}"
    return format_html('<time datetime="{}" title="{}">{}</time>', time.isoformat(), exact, since(time))


def since(time: datetime) -> str:
    """Return how long ago a time was, in one unit, such as "3 days ago"."""
    days = (timezone.now() - time).days
    for least, days_of_unit, text in AGES:
        if days >= least:
            return text.format(n=days // days_of_unit)
    return naturaltime(time)


def label(text: Any) -> SafeString:
    """Return the label of a value. It is visible only on a narrow screen, where the columns have no headers."""
    return format_html('<span class="label">{}: </span>', text)


def number(value: int, name: str) -> SafeString:
    return format_html('<span class="number">{}{}</span>', label(name), intcomma(value))


def clipped(text: Any) -> SafeString:
    """Return a text that the browser ends with an ellipsis if it does not fit. Its title is the whole text."""
    return format_html('<span class="clipped" title="{}">{}</span>', text, visible(text))


def time_column(name: str, description: Any) -> Any:
    """Return a column that shows how long ago the time in a field was."""

    @admin.display(description=description, empty_value="")
    def show(obj: Model) -> str:
        time = getattr(obj, name)
        return label(description) + ago(time) if time else ""

    show.__name__ = name
    return show


def text_column(name: str, description: Any) -> Any:
    """Return a column that shows a field, and nothing if the field is empty."""

    @admin.display(description=description, empty_value="")
    def show(obj: Model) -> str:
        return visible(getattr(obj, name) or "")

    show.__name__ = name
    return show


model = text_column("model", gettext_lazy("model"))
user_column = text_column("user", gettext_lazy("user"))
created = time_column("created_at", gettext_lazy("created"))
updated = time_column("updated_at", gettext_lazy("updated"))


@admin.display(description=gettext_lazy("title"))
def short_title(conversation: Any) -> str:
    title = Truncator(conversation.title).chars(80) or gettext("(no title)")
    return format_html('<span class="title" dir="auto">{}</span>', visible(title))


@admin.display(description=gettext_lazy("title"))
def marked_title(conversation: Any) -> str:
    """Return the title. A mark before it says that staff have not read all messages."""
    return format_html("{}{}", unread_mark(conversation), short_title(conversation))


@admin.display(description=gettext_lazy("title"))
def title_and_preview(conversation: Any) -> str:
    """Return the title with its mark, and below it the preview without the marks of Markdown."""
    if settings.ADMIN_REQUIRE_REASON:  # the preview is content
        return marked_title(conversation)
    preview = format_html('<span class="preview" dir="auto">{}</span>', visible(MARKS.sub("", conversation.preview)))
    return format_html("{}{}", marked_title(conversation), preview)


def conversation_link(conversation: Any) -> SafeString:
    """Return the title as a link to the page of the conversation."""
    url = reverse("admin:conversations_conversation_change", args=[conversation.pk])
    return format_html('<a href="{}">{}</a>', url, short_title(conversation))


@admin.display(description=gettext_lazy("messages"))
def message_count(conversation: Any) -> str:
    return number(conversation.message_count, gettext("messages"))


@admin.display(description=gettext_lazy("tokens"))
def tokens(conversation: Any) -> str:
    return number(conversation.prompt_tokens + conversation.completion_tokens, gettext("tokens"))


@admin.display(description=gettext_lazy("owner"))
def owner(conversation: Any) -> str:
    """Return the owner, as a link to the list of the owner's conversations."""
    return format_html('<a href="?user={}">{}</a>', conversation.user_id, clipped(conversation.user))


@admin.display(description=gettext_lazy("model, source"))
def model_and_source(conversation: Any) -> str:
    return format_html('{}<span class="second">{}</span>', clipped(conversation.model), visible(conversation.source))


@admin.display(description=gettext_lazy("last activity"))
def activity_and_state(conversation: Any) -> str:
    shown = state(conversation)
    if getattr(conversation, "hold_rows", None):  # absent if the reader may not see holds
        shown = format_html("{} {}", shown, hold_badge())
    return format_html('{}<span class="second">{}</span>', ago(conversation.active_at), shown)


@admin.display(description=gettext_lazy("tags"), empty_value="")
def tags(conversation: Any) -> str:
    shown = format_html_join(" ", "{}", ((badge(tag, "tag"),) for tag in conversation.tags[:SHOWN_TAGS]))
    more = len(conversation.tags) - SHOWN_TAGS
    return format_html("{} +{}", shown, more) if more > 0 else shown


@admin.display(description=gettext_lazy("state"))
def state(obj: Any) -> str:
    if obj.deleted_at:
        return badge(gettext("in the trash") if obj.deleted_at > PURGING else gettext("deleted for good"), "danger")
    return badge(gettext("archived"), "info") if getattr(obj, "archived_at", None) else badge(gettext("live"))
