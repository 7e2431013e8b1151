"""Writes what the replies of this process say into their logs, from a thread of its own.

A coroutine would wait for its turn while hundreds of providers stream. The thread writes the deltas of all replies in
one statement, ten times a second, and the first delta of a reply at once. The statement commits by itself. The commit
waits for the disk: if it did not, a crash of PostgreSQL would lose events that readers have, and the log would have a
gap when this process goes on.

The fence: the statement writes only for replies that this process still runs, in the attempt that it began. It locks
their rows, so no other process can close them meanwhile. `lost` is called for a reply that another process has taken or
closed.
"""

import logging
import queue
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from django.db import Error, InterfaceError, OperationalError, connection

from replies.events import EVENTS, Logged, joined, payloads, to_event, to_json
from replies.models import Reply
from replies.providers.deltas import Delta

from .threads import disconnecting

logger = logging.getLogger(__name__)
AWAY = (OperationalError, InterfaceError)  # the errors while the database is away
BATCH = 1_000_000  # characters of one statement
# The parameters are JSON because psycopg needs longer for arrays, which it writes in Python.
FLUSH = """
    WITH ours AS (
        SELECT reply.id FROM reply
        JOIN json_to_recordset(%(replies)s) AS given (id uuid, attempts smallint) USING (id, attempts)
        WHERE reply.worker = %(me)s AND reply.state = 'running' FOR SHARE OF reply
    ), written AS (
        INSERT INTO reply_event (reply_id, n, event, data)
        SELECT ours.id, new.n, new.event, new.data
        FROM json_to_recordset(%(events)s) AS new (id uuid, n int, event text, data text)
        JOIN ours USING (id)
        ON CONFLICT DO NOTHING
    )
    SELECT id FROM ours;
    SELECT pg_notify(%(channel)s, payload) FROM unnest(%(payloads)s::text[]) AS payload"""


class Buffer:
    """The deltas of a reply that are not in the log yet. The event loop appends to `deltas`; the flush takes them."""

    def __init__(self, reply: Reply) -> None:
        self.id, self.attempts = reply.id, reply.attempts
        self.deltas: list[Delta] = []
        self.events: list[Logged] = []  # numbered; a flush that failed repeats them with the same numbers
        self._last = 1  # the number of the `start` event

    def number(self) -> list[Logged]:
        """Turn the new deltas into events with numbers, unless older events are still to be written."""
        if not self.events:
            self._number()
        return self.events

    def rest(self) -> list[Logged]:
        """Return all events that the log does not have yet."""
        self._number()
        return self.events

    def _number(self) -> None:
        count = len(self.deltas)
        taken = self.deltas[:count]
        del self.deltas[:count]  # the event loop may have appended more in the meantime
        for delta in joined(taken):
            self._last += 1
            self.events.append(to_event(self._last, delta))


class Log:
    def __init__(self, worker: uuid.UUID, *, every: float, lost: Callable[[uuid.UUID, int], None]) -> None:
        self._worker, self._every, self._lost = worker, every, lost
        self._buffers: dict[uuid.UUID, Buffer] = {}
        self._flushing = threading.Lock()
        self._urgent: queue.SimpleQueue[Buffer] = queue.SimpleQueue()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread, and wait until it has ended. Call this when all buffers are closed."""
        self._stopped.set()
        self._thread.join()

    def open(self, reply: Reply) -> Buffer:
        buffer = self._buffers[reply.id] = Buffer(reply)
        return buffer

    def flush_soon(self, buffer: Buffer) -> None:
        """Write this buffer at once. The others wait for their time, because each statement and event costs."""
        self._urgent.put(buffer)

    def close(self, buffer: Buffer) -> list[Logged]:
        """Take a buffer out of the log, and return the events that are not written. Waits for a running flush."""
        with self._flushing:
            if self._buffers.get(buffer.id) is buffer:
                del self._buffers[buffer.id]
            return buffer.rest()

    def flush(self, buffers: Iterable[Buffer]) -> None:
        """Write the new events of these buffers. Raises django.db.Error; the next flush then writes them."""
        with self._flushing:
            mine = [buffer for buffer in buffers if self._buffers.get(buffer.id) is buffer]  # not closed meanwhile
            for batch in _batches([buffer for buffer in mine if buffer.number()]):
                self._flush(batch)

    def _run(self) -> None:
        due = time.monotonic()
        while not self._stopped.is_set():
            urgent = self._urgent_until(due)
            if not urgent:
                due = time.monotonic() + self._every
            try:
                disconnecting(self.flush, urgent or list(self._buffers.values()))
            except AWAY as error:
                logger.warning("events cannot be written now: %s", type(error).__name__)
                self._stopped.wait(self._every)
            except Exception:
                logger.exception("events cannot be written")
                self._stopped.wait(self._every)
        connection.close()

    def _urgent_until(self, due: float) -> list[Buffer]:
        """Wait for urgent buffers, at most until `due`. Return none when this time has come."""
        urgent: list[Buffer] = []
        with suppress(queue.Empty):
            if (left := due - time.monotonic()) > 0:
                urgent.append(self._urgent.get(timeout=left))
                while True:
                    urgent.append(self._urgent.get_nowait())
        return urgent

    def _flush(self, batch: Sequence[Buffer]) -> None:
        try:
            ours = self._write(batch)
        except AWAY:
            raise
        except Error:
            if len(batch) == 1:
                logger.exception("the events of the reply %s cannot be stored", batch[0].id)
                ours = set()
            else:
                for buffer in batch:
                    self._flush([buffer])
                return
        for buffer in batch:
            buffer.events.clear()
            if buffer.id not in ours:
                if self._buffers[buffer.id] is buffer:  # not that of a later attempt
                    del self._buffers[buffer.id]
                self._lost(buffer.id, buffer.attempts)

    def _write(self, batch: Sequence[Buffer]) -> set[uuid.UUID]:
        """Write the events of these buffers. Return the ids of the replies that are still ours."""
        replies = [{"id": buffer.id, "attempts": buffer.attempts} for buffer in batch]
        events = [{"id": buffer.id, **event._asdict()} for buffer in batch for event in buffer.events]
        parameters: dict[str, Any] = {
            "me": self._worker,
            "replies": to_json(replies),
            "events": to_json(events),
            "channel": EVENTS,
            "payloads": payloads([buffer.id for buffer in batch]),
        }
        with connection.cursor() as cursor:
            cursor.execute(FLUSH, parameters)
            return {id for (id,) in cursor.fetchall()}


def _batches(buffers: Sequence[Buffer]) -> Iterator[list[Buffer]]:
    batch, size = [], 0
    for buffer in buffers:
        batch.append(buffer)
        size += sum(len(event.data) for event in buffer.events)
        if size >= BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
