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
from .big_tables import up_to

PERIODS = ((0, gettext_lazy("now")), (7, gettext_lazy("in 7 days")), (30, gettext_lazy("in 30 days")))


def counts(preview: Preview) -> Iterator[tuple[str, int]]:
    """Yield a label and a count for each reason why something is deleted or kept."""
    yield gettext("Interrupted erasures of users that housekeeping completes"), up_to(COUNT_LIMIT, preview.erasures)
    yield gettext("Conversations deleted from the trash"), up_to(COUNT_LIMIT, preview.purged)
    yield gettext("Messages deleted from the trash"), up_to(COUNT_LIMIT, preview.messages)
    for tag, count in sorted(preview.expired.items()):
        name = gettext("Conversations with the tag {tag} moved to the trash").format(tag=tag)
        yield name if tag else gettext("Conversations moved to the trash"), count
    yield gettext("Audit events deleted"), up_to(COUNT_LIMIT, count_old_events(preview.until, COUNT_LIMIT + 1))
    yield gettext("Conversations kept by a legal hold"), up_to(COUNT_LIMIT, preview.held)
    yield gettext("Messages kept by a legal hold"), up_to(COUNT_LIMIT, preview.held_messages)


class PeriodForm(forms.Form):
    days = forms.TypedChoiceField(label=gettext_lazy("What will be deleted"), choices=PERIODS, coerce=int)


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
