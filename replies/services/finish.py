"""Closes replies: writes the answer into its message, ends the log, and tells the readers.

Hazards: two processes close one reply; a process that was believed dead comes back and writes; a reply stays open.

The fence: a transaction changes a reply only if its row is as the caller saw it (`held`), and does so before it writes
anything else. Every writer of events locks that row, too, so no event can follow the `end` event.

Transactions: each function is one. It locks the conversation first and then the reply, as a purge does.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext

from chatstore.errors import NotFound
from conversations.models import Message, Status
from conversations.services import answers
from replies.events import EVENTS, Content, Logged, to_delta, to_json
from replies.models import Event, Reply, State
from replies.providers.deltas import Finish

# A process that is stopped in the middle of this transaction must not hold its locks.
PATIENCE = "SET LOCAL idle_in_transaction_session_timeout = '5s'"
END = """
    INSERT INTO reply_event (reply_id, n, event, data)
    SELECT %(id)s, coalesce(max(n), 0) + 1, 'end', %(data)s FROM reply_event WHERE reply_id = %(id)s"""
REASON_LENGTH = 64
STATUSES = {
    State.COMPLETED: Status.COMPLETED,
    State.INCOMPLETE: Status.INCOMPLETE,
    State.STOPPED: Status.INCOMPLETE,
    State.FAILED: Status.FAILED,
}


class Ending(NamedTuple):
    """Why a reply ends. `code` and `message` describe an error; the message is for users."""

    state: State
    finish: Finish = Finish("")
    code: str = ""
    message: str = ""

    @property
    def error(self) -> dict[str, str] | None:
        return {"code": self.code, "message": self.message} if self.code else None


class Times(NamedTuple):
    """Milliseconds since the reply was begun."""

    first_token_ms: int | None = None
    duration_ms: int | None = None


STOPPED = Ending(State.STOPPED, Finish("stopped"))


def running(reply: Reply) -> QuerySet[Reply]:
    """Return the reply if the process that generates it is still the same, in the same attempt."""
    return Reply.objects.filter(id=reply.id, state=State.RUNNING, worker=reply.worker, attempts=reply.attempts)


def queued(reply: Reply) -> QuerySet[Reply]:
    """Return the reply if no process has begun it."""
    return Reply.objects.filter(id=reply.id, state=State.QUEUED)


def finish(reply: Reply, ending: Ending, content: Content, events: Sequence[Logged], times: Times) -> bool:
    """Close a reply that this process runs. `events` are those that its log does not have yet.

    Returns False and writes nothing if the reply is not ours any more, or if its conversation is gone. Locks the
    conversation.
    """

    def read() -> Content:
        Event.objects.bulk_create(
            [Event(reply_id=reply.id, n=n, event=event, data=data) for n, event, data in events], ignore_conflicts=True
        )
        return content

    return _close(reply, running(reply), ending, read, times)


def close_queued(reply: Reply, ending: Ending = STOPPED) -> bool:
    """Close a reply that no process has begun. Returns False and writes nothing if one has. Locks the conversation."""
    return _close(reply, queued(reply), ending, Content, Times())


def close_abandoned(reply: Reply, held: QuerySet[Reply], ending: Ending) -> bool:
    """Close a reply whose process is gone, with the content of its log. Locks the conversation.

    Returns False and writes nothing if `held`, which returns the reply's row, is empty by now.
    """
    return _close(reply, held, ending, lambda: logged_content(reply), Times())


def close_running(reply: Reply) -> bool:
    """Close a reply that this process runs, with the content of its log. For a reply that `finish` cannot store."""
    return close_abandoned(reply, running(reply), interrupted())


def logged_content(reply: Reply) -> Content:
    """Return what the log of a reply says."""
    rows = Event.objects.filter(reply_id=reply.id).order_by("n").values_list("event", "data")
    return Content(to_delta(event, data) for event, data in rows)


@transaction.atomic
def _close(reply: Reply, held: QuerySet[Reply], ending: Ending, read: Callable[[], Content], times: Times) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(PATIENCE)

    def end() -> Content | None:
        """End the reply if it is still held, and return its content."""
        tokens = (ending.finish.prompt_tokens or 0) + (ending.finish.completion_tokens or 0)
        if not held.update(state=ending.state, ended_at=Now(), tokens=tokens):
            return None
        content = read()
        _end_log(reply, ending, times)
        return content

    if not reply.message_id:
        return end() is not None
    try:
        return answers.complete(
            user=reply.user,
            message_id=reply.message_id,
            changes=lambda message: _changes(message, end(), ending, times),
        )
    except NotFound:
        return False


def _changes(message: Message, content: Content | None, ending: Ending, times: Times) -> dict[str, Any] | None:
    if content is None:
        return None
    return {
        **content.fields(),
        "status": STATUSES[ending.state],
        "finish_reason": ending.finish.reason[:REASON_LENGTH],
        "error": ending.message,
        "prompt_tokens": ending.finish.prompt_tokens,
        "completion_tokens": ending.finish.completion_tokens,
        "usage": ending.finish.usage,
        "metadata": message.metadata | {name: value for name, value in times._asdict().items() if value is not None},
    }


def _end_log(reply: Reply, ending: Ending, times: Times) -> None:
    finish = ending.finish
    counts = {"prompt_tokens": finish.prompt_tokens, "completion_tokens": finish.completion_tokens}
    data = {
        "status": ending.state.value,
        "finish_reason": finish.reason[:REASON_LENGTH],
        "error": ending.error,
        "usage": counts if any(count is not None for count in counts.values()) else None,
        **times._asdict(),
    }
    with connection.cursor() as cursor:
        cursor.execute(END, {"id": reply.id, "data": to_json(data)})
        cursor.execute("SELECT pg_notify(%s, %s)", [EVENTS, reply.id.hex])


def interrupted() -> Ending:
    message = gettext("The service was interrupted while the model answered. Ask again to get a whole answer.")
    return Ending(State.INCOMPLETE, code="interrupted", message=message)
