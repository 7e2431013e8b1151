"""Starts and cancels jobs, and deletes old ones."""

from datetime import timedelta
from typing import Any, cast

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils.translation import get_language, gettext

from accounts.client_address import address_of
from accounts.models import User
from chatstore.errors import Conflict
from chatstore.ids import new_id, parse_uuid
from staff.audit import record
from staff.models import UNFINISHED, Action, Job, JobState

MOST = 20  # unfinished jobs of a person
KEPT = timedelta(days=30)  # after the end of a job
BATCH = 1_000


@transaction.atomic
def start(request: HttpRequest, *, action: str, total: int | None, **fields: Any) -> Job:
    """Create a job for the user of the request, and its event. Return it.

    The page that asks for the confirmation contains the id of the job that its form starts. So a form that is sent
    twice starts one job. Raises Conflict if the person has MOST unfinished jobs, PermissionDenied for the id of another
    person's job."""
    id = parse_uuid(request.POST.get("job", "")) or new_id()
    actor: User = User.objects.select_for_update(no_key=True).get(pk=cast(User, request.user).pk)
    if known := Job.objects.filter(pk=id).first():
        if known.actor_id != actor.pk:
            raise PermissionDenied
        return known
    if Job.objects.filter(UNFINISHED, actor=actor).count() >= MOST:
        raise Conflict(gettext("You have {count} unfinished jobs. Wait for one, or cancel one.").format(count=MOST))
    job = Job(id=id, actor=actor, action=action, total=total, **fields)
    job.address, job.language = address_of(request), get_language() or ""
    job.save(force_insert=True)
    job.refresh_from_db()
    record(request, Action.START_JOB, job, action=action, tag=job.tag, filters=job.query, users=job.users)
    return job


@transaction.atomic
def cancel(request: HttpRequest, job: Job) -> bool:
    """Cancel a job and add an event. Undo nothing. Return False if the job has ended already."""
    unfinished = Job.objects.filter(UNFINISHED, pk=job.pk)
    if not unfinished.update(state=JobState.CANCELLED, finished_at=Now()):
        return False
    record(request, Action.CANCEL_JOB, job)
    return True


def delete_old_jobs() -> int:
    """Delete at most BATCH jobs that ended before the time KEPT. Return how many."""
    old = Job.objects.filter(finished_at__lt=Now() - KEPT).values("pk")[:BATCH]
    return Job.objects.filter(pk__in=old).delete()[0]
