"""Closes the replies of processes that are gone. Every generator does this, and housekeeping.

A reply that has said something ends as `incomplete` with all that its log has. One that has said nothing goes back into
the queue, until ATTEMPTS processes have begun it. Several processes can do this at the same time: the fence in `finish`
lets one of them through. No function here may run in a transaction.
"""

import logging
import uuid
from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now
from django.utils import translation
from django.utils.translation import gettext

from replies.events import QUEUED, notify
from replies.models import Event, Reply, State, Worker

from . import finish
from .finish import Ending

logger = logging.getLogger(__name__)
DEAD_AFTER = 10.0  # seconds without a sign of life
QUEUED_FOR = 60.0  # seconds in the queue, while no process takes replies
EVENTS_KEPT = timedelta(minutes=10)
REPLIES_KEPT = timedelta(hours=25)  # the limit of tokens counts a day
ATTEMPTS = 3
BATCH = 1_000


def close_dead(after: float = DEAD_AFTER) -> int:
    """Close the replies of processes that have shown no sign of life for so many seconds. Return how many."""
    alive = Worker.objects.filter(id=OuterRef("worker"), seen_at__gt=Now() - timedelta(seconds=after))
    closed = _close_all(Reply.objects.filter(~Exists(alive), state=State.RUNNING))
    Worker.objects.filter(seen_at__lt=Now() - timedelta(hours=1)).delete()
    return closed


def close_left_by(worker: uuid.UUID, ids: Sequence[uuid.UUID] | None = None) -> int:
    """Close the replies of a process that does not run them any more: all, or those with these ids. Return how many."""
    left = Reply.objects.filter(worker=worker, state=State.RUNNING)
    return _close_all(left if ids is None else left.filter(id__in=ids))


def close_waiting(queued_for: float = QUEUED_FOR) -> int:
    """Close the replies that have waited so many seconds in the queue, if no process takes replies. Return how many."""
    if Worker.objects.filter(seen_at__gt=Now() - timedelta(seconds=DEAD_AFTER)).exists():
        return 0
    waiting = Reply.objects.filter(state=State.QUEUED, created_at__lt=Now() - timedelta(seconds=queued_for))
    return sum(_close_waiting(reply) for reply in list(waiting[:BATCH]))


def forget() -> dict[str, int]:
    """Delete the logs of replies that ended some minutes ago, and replies that ended a day ago. Return the counts."""
    ended = Reply.objects.filter(ended_at__lt=Now() - EVENTS_KEPT)
    logged = ended.filter(Exists(Event.objects.filter(reply_id=OuterRef("id"))))
    ids = list(logged.order_by("ended_at").values_list("id", flat=True)[:BATCH])
    events = Event.objects.filter(reply_id__in=ids)._raw_delete("default")
    old = Reply.objects.filter(ended_at__lt=Now() - REPLIES_KEPT).order_by("ended_at").values_list("id", flat=True)
    replies = Reply.objects.filter(id__in=list(old[:BATCH]))._raw_delete("default")
    return {"reply_events": events, "replies": replies}


def _close_all(abandoned: QuerySet[Reply]) -> int:
    rows = abandoned.order_by("created_at")
    return sum(_try_to_close(reply, abandoned.filter(id=reply.id)) for reply in list(rows[:BATCH]))


def _try_to_close(reply: Reply, held: QuerySet[Reply]) -> bool:
    """Close one abandoned reply. One that cannot be closed must not keep the others open."""
    try:
        return _close(reply, held)
    except (OperationalError, InterfaceError):  # the database is away
        raise
    except Exception:
        logger.exception("the reply %s cannot be closed", reply.id)
        return False


def _close(reply: Reply, held: QuerySet[Reply]) -> bool:
    """Close or queue one abandoned reply. `held` returns its row while it is still abandoned."""
    with _language(reply):
        said_nothing = held.exclude(Exists(Event.objects.filter(reply_id=OuterRef("id"), n__gt=1)))
        if reply.stop_asked:
            return finish.close_abandoned(reply, held, finish.STOPPED)
        if reply.attempts < ATTEMPTS and _queue_again(said_nothing):
            return True
        if said_nothing.exists():
            message = gettext("The service was interrupted {count} times before the model answered.")
            ending = Ending(State.FAILED, code="interrupted", message=message.format(count=reply.attempts))
            return finish.close_abandoned(reply, held, ending)
        return finish.close_abandoned(reply, held, finish.interrupted())


def _queue_again(said_nothing: QuerySet[Reply]) -> bool:
    if not said_nothing.update(state=State.QUEUED, worker=None):
        return False
    notify(QUEUED)
    return True


def _close_waiting(reply: Reply) -> bool:
    with _language(reply):
        message = gettext("No process generates replies: the administrator has to start `manage.py replies`.")
        return finish.close_queued(reply, Ending(State.FAILED, code="no_generator", message=message))


def _language(reply: Reply) -> translation.override:
    return translation.override(reply.request.get("language") or settings.LANGUAGE_CODE)
