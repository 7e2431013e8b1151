"""Runs the actions on conversations (`jobs/actions.py`): at once for the ticked rows, as a job for all that match."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import SuspiciousOperation
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy

from chatstore.errors import ServiceError
from chatstore.ids import new_id
from conversations.querysets import ConversationQuerySet

from .big_tables import bounded_count, count_text, is_for_all
from .conversation_filters import describe_filters
from .filters import without_address
from .jobs import creation
from .jobs.actions import ACTIONS, ConversationAction, perform
from .matching import without_paging


class TagForm(forms.Form):
    tag = forms.CharField(label=gettext_lazy("Tag"), max_length=100)


def _as_action(name: str) -> Any:
    def run(model_admin: Any, request: HttpRequest, queryset: ConversationQuerySet) -> HttpResponse | None:
        return model_admin.run_action(request, queryset, name)

    run.__name__ = name
    return admin.action(run, description=ACTIONS[name].label)


class ConversationActions(admin.ModelAdmin):
    actions = tuple(_as_action(name) for name in ACTIONS)
    has_actions_for_all = True

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        refused = {name for name, action in ACTIONS.items() if not action.is_allowed_to(request.user)}
        return {name: action for name, action in super().get_actions(request).items() if name not in refused}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Show the list, or run an action. Django runs no action without a ticked row, even if it is for all rows."""
        if is_for_all(request) and ACTION_CHECKBOX_NAME not in request.POST:
            form = request.POST.copy()
            form[ACTION_CHECKBOX_NAME] = "all"
            request.POST = form  # type: ignore[assignment]
        return super().changelist_view(request, extra_context)

    def run_action(self, request: HttpRequest, queryset: ConversationQuerySet, name: str) -> HttpResponse | None:
        """Run the action, or show the page that asks for a tag or a confirmation."""
        action, for_all = ACTIONS[name], is_for_all(request)
        is_confirmed = "confirmed" in request.POST
        form = TagForm(request.POST if is_confirmed else None) if action.has_tag else None
        needs_page = for_all or action.is_final or action.has_tag
        if needs_page and not (is_confirmed and (form is None or form.is_valid())):
            return self._ask(request, queryset, name, form)
        tag = form.cleaned_data["tag"] if form else ""
        if for_all:
            return self._start(request, action.select(queryset, tag), name, tag)
        self._run(request, action.select(queryset, tag), action, tag)
        return None

    def _ask(
        self, request: HttpRequest, queryset: ConversationQuerySet, name: str, form: TagForm | None
    ) -> HttpResponse:
        action = ACTIONS[name]
        texts = {
            "action": name,
            "title": f"{action.label}?",
            "warning": action.effect,
            "submit": action.label,
            "form": form,
        }
        if is_for_all(request):
            count = count_text(bounded_count(queryset if action.has_tag else action.select(queryset, "")))
            return confirm(self, request, queryset.none(), **texts, job=new_id(), count=count, rows=[])
        rows = [f"{row.title[:80]} ({row.user}, {row.message_count})" for row in queryset]
        return confirm(self, request, queryset, **texts, rows=rows)

    def _start(self, request: HttpRequest, rows: QuerySet, name: str, tag: str) -> HttpResponse | None:
        if "%00" in request.GET.urlencode():
            raise SuspiciousOperation("a NUL in a filter")  # the list ignores such a filter, and shows all rows
        total = bounded_count(rows)
        query = without_address(without_paging(request.GET))
        try:
            job = creation.start(request, action=name, total=total, tag=tag, query=query.urlencode())
        except ServiceError as error:  # the person has too many jobs
            self.message_user(request, error.message, messages.ERROR)
            return None
        return redirect("admin:staff_job_change", job.pk)

    def _run(self, request: HttpRequest, rows: QuerySet, action: ConversationAction, tag: str) -> None:
        """Run the action on each row. Show a message for each error, then one with the count of successes."""
        count = 0
        for conversation in rows:
            try:
                perform(action, request, conversation, tag)
                count += 1
            except ServiceError as error:
                self.message_user(request, f"{conversation.pk}: {error.message}", messages.ERROR)
        self.message_user(request, action.summary.format(count=count))


def confirm(model_admin: admin.ModelAdmin, request: HttpRequest, queryset: QuerySet, **context: Any) -> HttpResponse:
    """Return the page that asks the user to confirm an action. Its button posts the action again, with `confirmed`.

    The context needs `action`, `title`, `warning`, `rows` and `submit`. An optional `form` adds fields to the page. An
    optional `job`, the id of a new job, and `count` say that the action is for all rows that match."""
    context |= {"ids": [row.pk for row in queryset], "opts": model_admin.opts}
    context["filters"] = describe_filters(without_paging(request.GET).urlencode())
    site_context = model_admin.admin_site.each_context(request)
    return TemplateResponse(request, "admin/confirm_action.html", site_context | context)
