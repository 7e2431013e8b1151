"""The page that shows what housekeeping will delete."""

from collections.abc import Iterator

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext, gettext_lazy

from conversations.services.preview import COUNT_LIMIT, Preview, read_preview

from .audit.retention import count_old_events
from .big_tables import AtLeast

PERIODS = ((0, gettext_lazy("now")), (7, gettext_lazy("in 7 days")), (30, gettext_lazy("in 30 days")))


def counts(preview: Preview) -> Iterator[tuple[str, int]]:
    """Yield a label and a count for each reason why something goes or stays."""
    yield gettext("Erasures of users that are finished"), _at_least(preview.erasures)
    yield gettext("Conversations deleted from the trash"), _at_least(preview.purged)
    yield gettext("Messages deleted from the trash"), _at_least(preview.messages)
    for tag, count in sorted(preview.expired.items()):
        name = gettext("Conversations with the tag {tag} moved to the trash").format(tag=tag)
        yield name if tag else gettext("Conversations moved to the trash"), count
    yield gettext("Audit events deleted"), _at_least(count_old_events(preview.until, COUNT_LIMIT + 1))
    yield gettext("Conversations kept by a legal hold"), _at_least(preview.held)
    yield gettext("Messages kept by a legal hold"), _at_least(preview.held_messages)


def _at_least(count: int) -> int:
    return count if count <= COUNT_LIMIT else AtLeast(COUNT_LIMIT)


class PeriodForm(forms.Form):
    days = forms.TypedChoiceField(label=gettext_lazy("What goes"), choices=PERIODS, coerce=int)


def deletions_page(request: HttpRequest) -> HttpResponse:
    """Show what housekeeping will delete. Raises PermissionDenied."""
    if not request.user.has_perm("conversations.view_erasurereceipt"):
        raise PermissionDenied
    form = PeriodForm({"days": request.GET.get("days", "0")})
    preview = read_preview(days=form.cleaned_data["days"] if form.is_valid() else 0)
    context = {
        **admin.site.each_context(request),
        "title": gettext("What will be deleted"),
        "form": form,
        "preview": preview,
        "counts": list(counts(preview)),
        "may_read": request.user.has_perm("conversations.view_conversation"),
    }
    return TemplateResponse(request, "admin/deletions.html", context)
