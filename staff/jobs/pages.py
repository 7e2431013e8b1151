"""The admin's pages of jobs: the list, and the page of a job with its progress, which reloads itself."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.humanize.templatetags.humanize import intcomma
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy

from staff.big_tables import BigTableAdmin, ReadOnly, count_text
from staff.conversation_filters import describe_filters
from staff.fields import badge, created
from staff.filters import ChoiceFilter
from staff.models import Job, JobState
from staff.visible import visible

from . import creation, erasures
from .actions import ACTIONS

KINDS = {
    JobState.WAITING: "",
    JobState.RUNNING: "info",
    JobState.DONE: "ok",
    JobState.FAILED: "danger",
    JobState.CANCELLED: "warning",
}


def title(job: Job) -> str:
    name = gettext("Erase users") if job.action == erasures.ACTION else str(ACTIONS[job.action].label)
    return f"{name}: {job.tag}" if job.tag else name


class JobStateFilter(ChoiceFilter):
    title = gettext_lazy("state")
    parameter_name = "state"
    options = {state.value: (state.label, Q(state=state.value)) for state in JobState}


@admin.register(Job)
class JobAdmin(ReadOnly, BigTableAdmin):
    """The jobs. Staff see their own ones, superusers see all."""

    list_display = ("what", "who", "state_badge", "progress", created)
    list_select_related = ("actor",)
    list_display_links = ("what",)
    list_filter = (JobStateFilter,)
    lookups = ("state",)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request).select_related("actor").defer("users", "errors")
        return rows if request.user.is_superuser else rows.filter(actor=request.user.pk)

    def has_view_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        """Allow everybody to see a job of their own: a right to act is enough to start one."""
        is_own = obj is not None and obj.actor_id == request.user.pk
        return is_own or super().has_view_permission(request, obj)

    def get_urls(self) -> list[Any]:
        cancel = self.admin_site.admin_view(self.cancel)
        return [path("<uuid:job_id>/cancel/", cancel, name="staff_job_cancel"), *super().get_urls()]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        job = kwargs.get("obj")
        if job is not None:
            context |= describe(job)
        return super().render_change_form(request, context, *args, **kwargs)

    def cancel(self, request: HttpRequest, job_id: UUID) -> HttpResponse:
        """Cancel a job, and return to its page. Raises PermissionDenied, or Http404 for the job of another person."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        job = self.get_queryset(request).filter(pk=job_id).first()
        if not self.has_view_permission(request, job):
            raise PermissionDenied
        if creation.cancel(request, get_object_or_404(self.get_queryset(request), pk=job_id)):
            self.message_user(request, gettext("The job is cancelled."))
        else:
            self.message_user(request, gettext("The job has ended already."), messages.WARNING)
        return redirect("admin:staff_job_change", job_id)

    @admin.display(description=gettext_lazy("action"))
    def what(self, job: Job) -> str:
        return visible(title(job))

    @admin.display(description=gettext_lazy("staff member"))
    def who(self, job: Job) -> str:
        return str(job.actor)

    @admin.display(description=gettext_lazy("state"))
    def state_badge(self, job: Job) -> SafeString:
        return badge(job.get_state_display(), KINDS[JobState(job.state)])

    @admin.display(description=gettext_lazy("conversations done"))
    def progress(self, job: Job) -> str:
        return gettext("{done} of {total}").format(done=intcomma(job.done), total=count_text(job.total))


def describe(job: Job) -> dict[str, Any]:
    """Return what the page of a job shows."""
    finished = job.done + (0 if job.users else job.failed)
    return {
        "title": title(job),
        "job": job,
        "state": badge(job.get_state_display(), KINDS[JobState(job.state)]),
        "total": count_text(job.total),
        "most": max(job.total or 0, finished),
        "finished": finished,
        "filters": describe_filters(job.query),
        "is_erasure": job.action == erasures.ACTION,
        "user_count": len(job.users),
        "reloads": job.is_unfinished,
    }
