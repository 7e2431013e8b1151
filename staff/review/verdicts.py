"""The column and the filter "verdict" of the list of conversations."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import JSONObject
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.translation import gettext, gettext_lazy

from staff.filters import Filter
from staff.keyset import KeysetList
from staff.models import Label, Review

from .changes import VIEW
from .panel import verdict_badge

SHOWN = 3  # verdicts of a conversation and its messages in the list
NONE = "none"  # the value of the filter for conversations without a verdict


class ListWithVerdicts(KeysetList):
    """A list of conversations with `verdicts`: name and tone of its verdict, then of those of its newest messages."""

    def read_rows(self, rows: QuerySet) -> list[Any]:
        judged = Review.objects.filter(conversation=OuterRef("pk"), label__isnull=False)
        # In PostgreSQL, nulls are the highest values. A message of null is the conversation itself.
        names = judged.order_by("-message").values(json=JSONObject(name="label__name", tone="label__tone"))
        return super().read_rows(rows.annotate(verdicts=ArraySubquery(names[:SHOWN])))


@admin.display(description=gettext_lazy("verdict"), empty_value="")
def verdict(conversation: Any) -> str:
    return format_html_join(" ", "{}", ((verdict_badge(**row),) for row in conversation.verdicts))


class VerdictFilter(Filter):
    """Keeps the conversations with a verdict: their own, or one of a message."""

    title = gettext_lazy("verdict")
    parameter_name = "verdict"
    input_type = "select"
    permission = VIEW

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*((str(label.pk), str(label)) for label in read_labels(request)), (NONE, gettext("None"))]

    def narrow(self, queryset: QuerySet, text: str) -> QuerySet:
        if text == NONE:
            judged = Review.objects.filter(label__isnull=False, conversation=OuterRef("pk"))
            return queryset.exclude(Exists(judged))
        if text.isdecimal() and len(text) < 10:
            return queryset.filter(pk__in=Review.objects.filter(label=int(text)).values("conversation"))
        return queryset.none()

    def describe(self, rows: Iterable[Any]) -> str:
        return str(dict(self.lookup_choices).get(self.text, self.text))


def read_labels(request: HttpRequest) -> list[Label]:
    """Return all labels. Runs one statement for a request."""
    if not hasattr(request, "review_labels"):
        request.review_labels = list(Label.objects.all())  # type: ignore[attr-defined]
    return request.review_labels  # type: ignore[attr-defined]
