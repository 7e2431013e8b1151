"""The hub: reads the logs of replies for all readers of a process, and wakes them.

Each process has one hub. Its thread reads new events once for all readers of a reply.

Bounds: the hub keeps the newest WINDOW events of each reply that somebody follows, and drops them when nobody does. A
reader that is further behind, because it comes late or reads slowly, gets the next PIECE events from the log each time
it asks. So memory does not grow with slow readers.

Nothing is lost between the log and the window: the window begins where a reader has read the whole log, and the hub
reads the log again right after that.
"""

import asyncio
import logging
import threading
import time
import uuid
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from typing import Any

import psycopg
from django.db import Error, connection

from chatstore.database import direct_connection
from conversations.models import Message

from .events import EVENTS, Logged
from .models import State
from .notifications import Listener

logger = logging.getLogger(__name__)
WINDOW = 200  # events
PIECE = 50  # events
READS = 250  # replies in one statement
WAKE = 25  # readers that an event loop wakes before it does something else; 500 at once would block it
RETRY = 0.5  # seconds
LOOK_EVERY = 30.0  # seconds between looks at all followed replies: nobody announces a reply that was deleted
# For each pair of a reply and a number: the reply's state, the number of its newest event, and the next events.
READ = """
    SELECT given.position, reply.state, (SELECT max(n) FROM reply_event WHERE reply_id = given.id),
        event.n, event.event, event.data
    FROM unnest(%(ids)s::uuid[], %(after)s::int[]) WITH ORDINALITY AS given (id, after, position)
    LEFT JOIN reply ON reply.id = given.id
    LEFT JOIN LATERAL (
        SELECT n, event, data FROM reply_event
        WHERE reply_id = given.id AND n > given.after ORDER BY n LIMIT %(limit)s
    ) AS event ON true
    ORDER BY given.position, event.n"""


class Piece:
    """The events of a log after a number, at most PIECE."""

    def __init__(self, state: str | None, last: int | None) -> None:
        self.is_under_way = state in (State.QUEUED, State.RUNNING)
        self.last = last or 0  # the number of the newest event; 0 if there is no log
        self.events: list[Logged] = []

    @property
    def is_rest(self) -> bool:
        """Return whether the log has no events beyond this piece."""
        return len(self.events) < PIECE


class Followed:
    """A reply that somebody follows."""

    def __init__(self) -> None:
        self.readers: set[Reader] = set()
        self.window: deque[Logged] = deque(maxlen=WINDOW)
        self.last: int | None = None  # the newest event that was read; None until a reader has read the whole log

    def after(self, n: int) -> list[Logged] | None:
        """Return the next events after `n`, or None if the window does not reach back so far."""
        if self.last is None:
            return None
        if n >= self.last:
            return []
        begin = n - self.window[0].n + 1 if self.window else -1
        if begin < 0:
            return None
        return [self.window[index] for index in range(begin, min(begin + PIECE, len(self.window)))]


class Reader:
    """The place of one reader in the log of a reply. The hub sets `event`, on the reader's event loop if it has one."""

    def __init__(
        self,
        hub: "Hub",
        id: uuid.UUID,
        after: int,
        event: asyncio.Event | threading.Event,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.id, self.n, self.event, self.loop = id, after, event, loop
        self.is_done = False
        self._is_known = False  # whether the log has, or will have, the event after `n`
        self.piece: Piece | None = None
        self._hub = hub
        self._followed = hub.join(self)

    def take(self) -> list[Logged]:
        """Return the next events. If there are none and `is_done` is false, wait for `event` and call this again."""
        self.event.clear()
        with self._hub.lock:
            events = self._next()
        if events:
            self.n, self._is_known = events[-1].n, True
            self.is_done = events[-1].event in ("end", "message")
        return events

    def leave(self) -> None:
        self._hub.leave(self)

    def _next(self) -> list[Logged]:
        if self._hub.is_reading(self):
            return []
        if self.piece:
            piece, self.piece = self.piece, None
            self._join_window(piece)
            return piece.events
        events = self._followed.after(self.n)
        # A client can also name the last event of a reply that has ended, after which nothing comes.
        if events is None or not (events or self._is_known):
            self._hub.read(self, self.n)
        return events or []

    def _join_window(self, piece: Piece) -> None:
        self._is_known = True
        self.n = min(self.n, piece.last)  # a client can name a number that no event has
        if piece.events:
            if piece.is_rest:
                self._hub.has_reached(self.id, piece.events[-1].n)
        elif piece.is_under_way:
            self._hub.has_reached(self.id, self.n)
        else:
            self.is_done = True


class Hub:
    """Reads the logs for the readers of this process. Its lock is held only briefly, never during a statement."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._followed: dict[uuid.UUID, Followed] = {}
        self._behind: dict[Reader, int] = {}  # readers that wait for a piece of the log
        self._news: set[uuid.UUID] = set()  # replies that may have new events
        self._wanted = threading.Event()
        self._is_stopped = False
        self._listener = Listener([EVENTS], self._notified, self._missed)
        self._thread = threading.Thread(target=self._run, name="hub", daemon=True)

    def start(self) -> None:
        self._listener.start()
        self._thread.start()

    def stop(self) -> None:
        """Stop both threads, and wait until they have ended. Readers get nothing more."""
        self._is_stopped = True
        self._wanted.set()
        self._thread.join()
        self._listener.stop()

    def join(self, reader: Reader) -> Followed:
        with self.lock:
            followed = self._followed.setdefault(reader.id, Followed())
            followed.readers.add(reader)
            return followed

    def leave(self, reader: Reader) -> None:
        with self.lock:
            self._behind.pop(reader, None)
            followed = self._followed[reader.id]
            followed.readers.discard(reader)
            if not followed.readers:
                del self._followed[reader.id]

    def read(self, reader: Reader, after: int) -> None:
        """Read the next events after a number for this reader, and wake it. The caller holds the lock."""
        self._behind[reader] = after
        self._wanted.set()

    def is_reading(self, reader: Reader) -> bool:
        """Return whether a piece of the log is on its way. The caller holds the lock."""
        return reader in self._behind

    def has_reached(self, id: uuid.UUID, n: int) -> None:
        """Begin the window of a reply: a reader has read the whole log up to `n`. The caller holds the lock."""
        followed = self._followed[id]
        if followed.last is None:
            followed.last = n
            self._news.add(id)  # events may have come since
            self._wanted.set()

    # --- What the listener reports -------------------------------------------------------------------

    def _notified(self, channel: str, payload: str) -> None:
        ids = [uuid.UUID(hex=id) for id in payload.split(",")]
        with self.lock:
            self._news.update(id for id in ids if id in self._followed)
            if self._news:
                self._wanted.set()

    def _missed(self) -> None:
        with self.lock:
            self._news.update(self._followed)
        self._wanted.set()

    # --- The thread ----------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._is_stopped:
            try:
                with closing(direct_connection()) as reading:
                    look_at = time.monotonic() + LOOK_EVERY
                    while not self._is_stopped:
                        self._wanted.wait(max(0.0, look_at - time.monotonic()))
                        self._wanted.clear()
                        if time.monotonic() >= look_at:
                            self._missed()
                            look_at = time.monotonic() + LOOK_EVERY
                        while not self._is_stopped and self._read(reading.connection):
                            pass
            except (psycopg.Error, Error) as error:  # the database is away
                logger.info("reading events is interrupted: %s", type(error).__name__)
                self._try_again()
            except Exception:  # readers would wait for ever if the thread ended
                logger.exception("reading events failed")
                self._try_again()

    def _try_again(self) -> None:
        time.sleep(RETRY)
        self._missed()

    def _read(self, reading: psycopg.Connection[Any]) -> bool:
        """Read for the readers that are behind, and the news of followed replies. Return False if there was nothing."""
        with self.lock:
            behind = list(self._behind.items())[:READS]
            news = self._next_news()
        if not behind and not news:
            return False
        pieces = _pieces(reading, [*((reader.id, after) for reader, after in behind), *news])
        with self.lock:
            awake = [
                reader for (reader, after), piece in zip(behind, pieces, strict=False) if self._give(reader, piece)
            ]
            for (id, after), piece in zip(news, pieces[len(behind) :], strict=True):
                awake += self._extend(id, after, piece)
        _wake(awake)
        return True

    def _next_news(self) -> list[tuple[uuid.UUID, int]]:
        ids = [self._news.pop() for _ in range(min(READS, len(self._news)))]
        rows = ((id, self._followed[id].last) for id in ids if id in self._followed)
        return [(id, last) for id, last in rows if last is not None]

    def _give(self, reader: Reader, piece: Piece) -> bool:
        reader.piece = piece
        return self._behind.pop(reader, None) is not None  # it can have left in the meantime

    def _extend(self, id: uuid.UUID, after: int, piece: Piece) -> Iterable[Reader]:
        """Add new events to the window of a reply. Return the readers to wake."""
        followed = self._followed.get(id)
        if not followed or followed.last != after:
            return ()
        if not piece.events and not piece.is_under_way:  # it has ended, or was deleted: each reader finds its own end
            followed.window.clear()
            followed.last = None
            return followed.readers
        if not piece.events:
            return ()
        followed.window.extend(piece.events)
        followed.last = piece.events[-1].n
        if not piece.is_rest:
            self._news.add(id)
        return followed.readers


def _pieces(reading: psycopg.Connection[Any], wanted: Sequence[tuple[uuid.UUID, int]]) -> list[Piece]:
    ids, after = zip(*wanted, strict=True)
    rows = reading.execute(READ, {"ids": list(ids), "after": list(after), "limit": PIECE}).fetchall()
    pieces: dict[int, Piece] = {}
    for position, state, last, *event in rows:
        piece = pieces.setdefault(position, Piece(state, last))
        if event[0] is not None:
            piece.events.append(Logged(*event))
    for (id, _), piece in zip(wanted, pieces.values(), strict=True):
        if not piece.last and not piece.is_under_way:
            piece.events = _message(id)
    return list(pieces.values())


def _message(id: uuid.UUID) -> list[Logged]:
    """Return the event that replaces a deleted log. The reader's owner was checked when it began to follow."""
    try:
        return [Logged(0, "message", text) for text in Message.objects.filter(id=id).live().json_texts()]
    finally:
        connection.close()


def _wake(readers: Iterable[Reader]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop | None, deque[Any]] = defaultdict(deque)
    for reader in readers:
        by_loop[reader.loop].append(reader.event)
    for loop, events in by_loop.items():
        if loop is None:
            for event in events:
                event.set()
        else:
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(_wake_some, loop, events)


def _wake_some(loop: asyncio.AbstractEventLoop, events: deque[asyncio.Event]) -> None:
    for _ in range(min(WAKE, len(events))):
        events.popleft().set()
    if events:
        loop.call_soon(_wake_some, loop, events)


_hub: Hub | None = None
_starting = threading.Lock()


def running_hub() -> Hub:
    """Return the hub of this process. Starts it when it is first needed, in the process that has forked already."""
    global _hub
    with _starting:
        if _hub is None:
            _hub = Hub()
            _hub.start()
        return _hub


def stop() -> None:
    """Stop the hub of this process, if it runs."""
    global _hub
    with _starting:
        if _hub is not None:
            _hub.stop()
            _hub = None
