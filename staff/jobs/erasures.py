"""The job that erases users with many conversations.

It deactivates and marks a user first (`erase.begin`). From then on nobody can cancel the erasure of this user:
housekeeping finishes it, even without the job. The job deletes the conversations one by one, and then calls
`erase.erase`, which has little left to do. Both can be repeated, so a killed runner does no harm. The users whom a
marked user managed are erased as well: `Job.users` gets their ids in the transaction that marks them, because
afterwards no row says who managed them."""

from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from accounts.models import User
from chatstore.errors import NotFound, ServiceError
from conversations.models import Conversation
from conversations.services import conversations, erase
from staff.audit import record
from staff.big_tables import bounded_count
from staff.models import Action, Job

from . import progress
from .rights import actor_of, require_rights

ACTION = "erase"
RIGHT = "accounts.erase_user"
AT_ONCE = 100  # users with at most this many conversations are erased in the request
BATCH = 50


def count_conversations(user_ids: list[UUID]) -> int | None:
    """Return how many conversations these users, and those whom they manage, have. Return None if there are many."""
    return bounded_count(Conversation.objects.filter(Q(user__in=user_ids) | Q(user__managed_by__in=user_ids)))


def work(job: Job, is_over: Callable[[], bool]) -> bool:
    """Erase the users of the job. Return whether the job is finished. Raises Forbidden, Lost."""
    while job.users_done < len(job.users):
        require_rights(job, lambda user: user.has_perm(RIGHT))
        user = User.objects.filter(pk=job.users[job.users_done]).first()
        if user and not _erase(job, user, is_over):
            return False
        progress.store_finished(job, users_done=job.users_done + 1, begun=None)
    return True


def _erase(job: Job, user: User, is_over: Callable[[], bool]) -> bool:
    """Erase a user. Return whether the job can go on with the next one, also if a service has refused this one."""
    try:
        _begin(job, user)
        if not _purge(job, user, is_over):
            return False
        erase.erase(user=user)
    except ServiceError as error:
        progress.store_finished(job, **progress.error_of(job, user.pk, error))
    return True


@transaction.atomic
def _begin(job: Job, user: User) -> None:
    """Mark the user, and add the event. A later round only renews the mark. Raises Conflict and Lost."""
    marked = erase.begin(user=user, asked_by=job.actor_id)
    if job.begun == user.pk:
        return
    if user.erasing_at is None:
        record(actor_of(job), Action.ERASE, user, job=job.pk)
    known = set(job.users)
    progress.store(job, begun=user.pk, users=[*job.users, *(id for id in marked if id not in known)])


def _purge(job: Job, user: User, is_over: Callable[[], bool]) -> bool:
    """Delete the conversations of a marked user. Return whether none is left."""
    owned = Conversation.objects.owned_by(user).values_list("pk", flat=True)
    while ids := list(owned[:BATCH]):
        for id in ids:
            if is_over():
                return False
            with suppress(NotFound):  # housekeeping has purged it
                conversations.purge(user=user, conversation_id=id)
                progress.store(job, done=job.done + 1)
    return True
