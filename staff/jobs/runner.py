"""Runs jobs in rounds.

Hazards: the runner is killed at any moment; a job takes hours; the person who started it loses the rights.

Principle: an action changes a conversation, adds its event and stores the cursor of the job in one transaction. So each
conversation is done once, whoever continues the job. Only a deletion for good takes several transactions. The first one
adds the event and stores the conversation in `begun`, the last one moves the cursor. If the runner is killed between
them, the next round repeats the deletion, which does no harm, but not the event.

A round ends after ROUND seconds, so that all jobs progress. It checks the rights before each batch. The job itself is
locked only at the end of each transaction."""

import logging
import time
from collections.abc import Callable
from functools import partial

from django.db import InterfaceError, OperationalError, transaction
from django.utils import translation
from django.utils.translation import gettext

from accounts.models import User
from chatstore.errors import NotFound, ServiceError
from conversations.models import Conversation
from staff.models import Job, JobState

from . import erasures, progress
from .actions import ACTIONS, ConversationAction, record_action
from .rights import actor_of, require_rights
from .selection import next_batch

logger = logging.getLogger(__name__)
ROUND = 10  # seconds
LIST = "conversations.view_conversation"

IsOver = Callable[[], bool]


def run_due(is_over: IsOver) -> None:
    """Run due jobs in turn, until none is due or `is_over` returns true. Raises as `run_round` does."""
    while not is_over() and (job := progress.claim()):
        run_round(job, is_over)


def run_round(job: Job, is_over: IsOver = lambda: False) -> None:
    """Run a job that this process has claimed, for at most ROUND seconds or until `is_over`. Then end or release it.

    Raises OperationalError or InterfaceError, such as after a deadlock or without the database. Another round continues
    the job when its lease is over."""
    deadline = time.monotonic() + ROUND
    try:
        with translation.override(job.language or None):
            _work(job, lambda: is_over() or time.monotonic() > deadline)
    except progress.Lost:
        logger.info("job %s was cancelled, or another process runs it", job.pk)


def _work(job: Job, is_over: IsOver) -> None:
    try:
        is_finished = erasures.work(job, is_over) if job.action == erasures.ACTION else _work_on_list(job, is_over)
    except ServiceError as error:
        progress.end(job, JobState.FAILED, error.message)
    except (progress.Lost, OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("job %s failed", job.pk)
        progress.end(job, JobState.FAILED, gettext("An unexpected error. The log of the server describes it."))
    else:
        progress.end(job, JobState.DONE) if is_finished else progress.release(job)


def _work_on_list(job: Job, is_over: IsOver) -> bool:
    """Run the action on the conversations after the cursor. Return whether the job is finished."""
    action = ACTIONS[job.action]
    actor = require_rights(job, partial(_may_run, action))
    _finish_begun(job, action)
    while batch := next_batch(job, action, actor):
        for conversation in batch:
            if is_over():
                return False
            _run_on(job, action, conversation)
        actor = require_rights(job, partial(_may_run, action))
    return True


def _may_run(action: ConversationAction, user: User) -> bool:
    return user.has_perm(LIST) and action.is_allowed_to(user)


def _run_on(job: Job, action: ConversationAction, conversation: Conversation) -> None:
    if action.is_final:
        _delete(job, action, conversation, on_begin=partial(_begin, job, action, conversation))
    else:
        _change(job, action, conversation)


@transaction.atomic
def _change(job: Job, action: ConversationAction, conversation: Conversation) -> None:
    try:
        with transaction.atomic():
            action.service(conversation.user, conversation.pk, job.tag)
            record_action(action, actor_of(job), conversation, job=job.pk)
    except ServiceError as error:
        progress.store(job, cursor=conversation.pk, **progress.error_of(job, conversation.pk, error))
    else:
        progress.store(job, cursor=conversation.pk, done=job.done + 1)


def _begin(job: Job, action: ConversationAction, conversation: Conversation) -> None:
    record_action(action, actor_of(job), conversation, job=job.pk)
    progress.store(job, begun=conversation.pk)


def _finish_begun(job: Job, action: ConversationAction) -> None:
    """Finish the deletion during which an earlier round was interrupted."""
    if not job.begun:
        return
    conversation = Conversation.objects.filter(pk=job.begun).select_related("user").first()
    if conversation:
        _delete(job, action, conversation)
    else:
        progress.store_finished(job, cursor=job.begun, begun=None, done=job.done + 1)


def _delete(job: Job, action: ConversationAction, conversation: Conversation, **options: Callable[[], object]) -> None:
    id, changes = conversation.pk, {"done": job.done + 1}
    try:
        action.service(conversation.user, id, job.tag, asked_by=job.actor_id, **options)
    except NotFound:  # another process has deleted it meanwhile
        pass
    except ServiceError as error:
        changes = progress.error_of(job, id, error)
    progress.store_finished(job, cursor=id, begun=None, **changes)
