"""Closes replies: writes the answer into its message, ends the log, and tells the readers.

Hazards: two processes close one reply; a process that was believed dead comes back and writes; a reply stays open.

The fence: a transaction changes a reply only if its row is as the caller saw it (`held`), and does so before it writes
anything else. Every writer of events locks that row, too, so no event can follow the `end` event.

Transactions: each function closes its replies in one. It locks the conversations first and then the replies, as a purge
does.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now
from django.utils.translation import gettext

from conversations.models import Message, Status
from conversations.services import answers
from replies.events import EVENTS, Content, Logged, payloads, to_delta, to_json
from replies.models import Event, Reply, State
from replies.providers.deltas import Finish

from . import titles, tokens

# A process that is stopped in the middle of this transaction must not hold its locks.
PATIENCE = "SET LOCAL idle_in_transaction_session_timeout = '5s'"
# Ends replies that their process still runs, in the same attempt, and writes the rest of their events.
END_RUNNING = """
    WITH ended AS (
        UPDATE reply SET state = given.state, ended_at = clock_timestamp(), tokens = given.tokens
        FROM unnest(%(replies)s::uuid[], %(workers)s::uuid[], %(attempts)s::smallint[], %(states)s::text[],
            %(tokens)s::int[]) AS given (id, worker, attempts, state, tokens)
        WHERE reply.id = given.id AND reply.state = 'running'
            AND reply.worker = given.worker AND reply.attempts = given.attempts
        RETURNING reply.id
    ), written AS (
        INSERT INTO reply_event (reply_id, n, event, data)
        SELECT ended.id, new.n, new.event, new.data
        FROM unnest(%(ids)s::uuid[], %(numbers)s::int[], %(events)s::text[], %(data)s::text[])
            AS new (id, n, event, data)
        JOIN ended USING (id)
        ON CONFLICT DO NOTHING
    )
    SELECT id FROM ended"""
END_LOGS = """
    WITH ended AS (
        INSERT INTO reply_event (reply_id, n, event, data)
        SELECT id, (SELECT coalesce(max(n), 0) + 1 FROM reply_event WHERE reply_id = given.id), 'end', data
        FROM unnest(%(replies)s::uuid[], %(data)s::text[]) AS given (id, data)
    )
    SELECT pg_notify(%(channel)s, payload) FROM unnest(%(payloads)s::text[]) AS payload"""
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


class Closing(NamedTuple):
    """A reply to close. `content` is called, perhaps several times, when the reply cannot change any more."""

    reply: Reply
    ending: Ending
    content: Callable[[], Content]
    events: Sequence[Logged] = ()  # those that the log does not have yet
    times: Times = Times()

    @property
    def tokens(self) -> int:
        """The tokens that count for the limit of a day: those that the provider reports, or an estimate.

        Until a reply ends, its own `tokens` are the estimate of its prompt, or 0 if no provider has been asked."""
        _, prompt, written, _ = self.ending.finish
        prompt = self.reply.tokens if prompt is None else prompt
        written = tokens.of_answer(self.content()) if written is None else written
        return min(prompt + written, 2**31 - 1)  # a provider can report any number


def finish(reply: Reply, ending: Ending, content: Content, events: Sequence[Logged], times: Times) -> bool:
    """Close one reply as `finish_all` does. Return whether it was closed."""
    return bool(finish_all([Closing(reply, ending, lambda: content, events, times)]))


def finish_all(closings: Sequence[Closing]) -> set[uuid.UUID]:
    """Close replies that this process runs, and return their ids. Locks their conversations.

    Writes nothing for a reply that another process has taken or closed, or whose conversation is gone.
    """
    ended = _close(closings, lambda: _end_running(closings))
    for closing in closings:
        if closing.reply.id in ended and titles.is_title(closing.reply) and closing.ending.state == State.COMPLETED:
            titles.store_title(closing.reply, closing.content().fields()["content"] or "")
    return ended


def close_queued(reply: Reply, ending: Ending = STOPPED) -> bool:
    """Close a reply that no process has begun. Returns False and writes nothing if one has. Locks the conversation."""
    held = Reply.objects.filter(id=reply.id, state=State.QUEUED)
    return _close_held(Closing(reply, ending, Content), held)


def close_abandoned(reply: Reply, held: QuerySet[Reply], ending: Ending) -> bool:
    """Close a reply whose process is gone, with the content of its log. Locks the conversation.

    Returns False and writes nothing if `held`, which returns the reply's row, is empty by now.
    """
    return _close_held(Closing(reply, ending, cache(lambda: logged_content(reply))), held)


def close_running(reply: Reply) -> bool:
    """Close a reply that this process runs, with the content of its log. For a reply that `finish` cannot store."""
    held = Reply.objects.filter(id=reply.id, state=State.RUNNING, worker=reply.worker, attempts=reply.attempts)
    return close_abandoned(reply, held, interrupted())


def logged_content(reply: Reply) -> Content:
    """Return what the log of a reply says."""
    rows = Event.objects.filter(reply_id=reply.id).order_by("n").values_list("event", "data")
    return Content(to_delta(event, data) for event, data in rows)


def _close_held(closing: Closing, held: QuerySet[Reply]) -> bool:
    def end() -> set[uuid.UUID]:
        if not held.update(state=closing.ending.state, ended_at=Now()):
            return set()
        Reply.objects.filter(id=closing.reply.id).update(tokens=closing.tokens)  # the log is complete by now
        return {closing.reply.id}

    return bool(_close([closing], end))


@transaction.atomic
def _close(closings: Sequence[Closing], end: Callable[[], set[uuid.UUID]]) -> set[uuid.UUID]:
    """Lock the conversations, call `end`, and close the replies whose ids it returns. Return these ids."""
    with connection.cursor() as cursor:
        cursor.execute(PATIENCE)
    by_id = {closing.reply.id: closing for closing in closings}
    ended: set[uuid.UUID] = set()

    def changes(messages: Mapping[uuid.UUID, Message]) -> dict[uuid.UUID, dict[str, Any]]:
        ended.update(end())
        _end_logs([by_id[id] for id in ended])
        return {id: _changes(message, by_id[id]) for id, message in messages.items() if id in ended}

    # A reply has the id of its message.
    owners = {id: closing.reply.user_id for id, closing in by_id.items() if closing.reply.message_id}
    answers.complete(owners=owners, changes=changes)
    _forget_histories([id for id in ended if id not in owners])
    return ended


def _forget_histories(ids: Sequence[uuid.UUID]) -> None:
    """Remove the messages of replies that fill no message: their texts are not stored, or stored elsewhere."""
    if ids:
        Reply.objects.filter(id__in=ids).update(request=RawSQL("request - 'messages'", []))


def _end_running(closings: Sequence[Closing]) -> set[uuid.UUID]:
    replies = [closing.reply for closing in closings]
    events = [(closing.reply.id, *event) for closing in closings for event in closing.events]
    parameters: dict[str, Any] = {
        "replies": [reply.id for reply in replies],
        "workers": [reply.worker for reply in replies],
        "attempts": [reply.attempts for reply in replies],
        "states": [closing.ending.state.value for closing in closings],
        "tokens": [closing.tokens for closing in closings],
        "ids": [id for id, *_ in events],
        "numbers": [n for _, n, _, _ in events],
        "events": [event for _, _, event, _ in events],
        "data": [data for *_, data in events],
    }
    with connection.cursor() as cursor:
        cursor.execute(END_RUNNING, parameters)
        return {id for (id,) in cursor.fetchall()}


def _end_logs(closings: Sequence[Closing]) -> None:
    ids = [closing.reply.id for closing in closings]
    data = [to_json(_end_data(closing)) for closing in closings]
    with connection.cursor() as cursor:
        cursor.execute(END_LOGS, {"replies": ids, "data": data, "channel": EVENTS, "payloads": payloads(ids)})


def _end_data(closing: Closing) -> dict[str, Any]:
    ending, finish = closing.ending, closing.ending.finish
    counts = {"prompt_tokens": finish.prompt_tokens, "completion_tokens": finish.completion_tokens}
    return {
        "status": ending.state.value,
        "finish_reason": finish.reason[:REASON_LENGTH],
        "error": ending.error,
        "usage": counts if any(count is not None for count in counts.values()) else None,
        **closing.times._asdict(),
    }


def _changes(message: Message, closing: Closing) -> dict[str, Any]:
    ending, times = closing.ending, closing.times._asdict()
    return {
        **closing.content().fields(),
        "status": STATUSES[ending.state],
        "finish_reason": ending.finish.reason[:REASON_LENGTH],
        "error": ending.message,
        "prompt_tokens": ending.finish.prompt_tokens,
        "completion_tokens": ending.finish.completion_tokens,
        "usage": ending.finish.usage,
        "metadata": message.metadata | {name: value for name, value in times.items() if value is not None},
    }


def interrupted() -> Ending:
    message = gettext("The service was interrupted while the model answered. Ask again to get a whole answer.")
    return Ending(State.INCOMPLETE, code="interrupted", message=message)
