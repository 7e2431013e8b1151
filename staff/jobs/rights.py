"""The person for whom a job acts."""

from collections.abc import Callable

from django.utils.translation import gettext

from accounts.models import User
from chatstore.errors import Forbidden
from staff.audit import Actor
from staff.models import Job


def require_rights(job: Job, is_allowed: Callable[[User], bool]) -> User:
    """Return the person who started the job, with the current rights. Raises Forbidden if they do not suffice."""
    actor: User = User.objects.get(pk=job.actor_id)
    if not (actor.is_active and actor.is_staff and is_allowed(actor)):
        raise Forbidden(gettext("The person who started this job has no right to do this any more."))
    return actor


def actor_of(job: Job) -> Actor:
    """Return the actor of the job's audit events."""
    return Actor(job.actor_id, job.address)
