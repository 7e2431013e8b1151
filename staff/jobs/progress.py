"""The runner of a job, and its progress.

Hazards: a runner is killed; two runners have the same job, because one of them was stopped for longer than LEASE; the
job is cancelled in the meantime.

Principle: each round has a new id in `Job.runner`. Everything that a round stores about the job goes through
`store`, which changes the row only if it still contains this id. Otherwise `store` raises Lost, and the transaction of
the caller changes nothing."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Coalesce, Now

from chatstore.errors import ServiceError
from chatstore.ids import new_id
from staff.models import UNFINISHED, Job, JobState

LEASE = timedelta(seconds=60)  # without progress; then another runner takes the job
MOST_ERRORS = 20


class Lost(Exception):
    """The job was cancelled, or another runner has it."""


def due() -> Any:
    """Return the jobs that a runner may take, the one that has waited longest first."""
    return Job.objects.filter(UNFINISHED, due_at__lte=Now()).order_by("due_at", "id")


@transaction.atomic
def claim() -> Job | None:
    """Take the first due job that no other runner is taking, for LEASE. Return None if there is none."""
    job: Job | None = due().select_for_update(skip_locked=True).first()
    if job is None:
        return None
    job.runner = new_id()
    Job.objects.filter(pk=job.pk).update(
        runner=job.runner, state=JobState.RUNNING, due_at=Now() + LEASE, started_at=Coalesce("started_at", Now())
    )
    return job


def store(job: Job, **changes: Any) -> None:
    """Store new values of the job's columns, and keep the job for LEASE. Raises Lost. Locks the row."""
    _store(job, {"due_at": Now() + LEASE, **changes}, [JobState.RUNNING])


def store_finished(job: Job, **changes: Any) -> None:
    """Store as `store` does, also if the job was cancelled: a deletion was under way, and is finished now."""
    _store(job, {"due_at": Now() + LEASE, **changes}, [JobState.RUNNING, JobState.CANCELLED])


def _store(job: Job, changes: dict[str, Any], states: list[JobState]) -> None:
    if not Job.objects.filter(pk=job.pk, runner=job.runner, state__in=states).update(**changes):
        raise Lost
    for name, value in changes.items():
        setattr(job, name, value)


def error_of(job: Job, id: object, error: ServiceError) -> dict[str, Any]:
    """Return the changes of the job after a service has refused a row."""
    errors = [*job.errors, [str(id), error.message]] if len(job.errors) < MOST_ERRORS else job.errors
    return {"failed": job.failed + 1, "errors": errors}


def release(job: Job) -> None:
    """Let any runner continue the job, after the other jobs that are due."""
    store(job, due_at=Now())


def end(job: Job, state: JobState, error: str = "") -> None:
    store(job, state=state, error=error, finished_at=Now())
