"""The process that generates replies.

Hazards: the process is killed, suspended for a while or cut off from its database; it takes more replies than it can
generate; two processes write one reply.

Principle: everything that a reply says goes into its log within a fifth of a second, and a reply belongs to one process
at a time (the fence in `log` and in `services.finish`). So whoever closes the replies of a lost process finds nearly
all of their text, and the lost process writes nothing more when it comes back.

The event loop only streams. Statements run in threads. While the database is away, replies go on in memory: each is at
most CONTENT_LIMIT long, and no new ones are taken.
"""

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import Error

from chatstore.ids import new_id
from replies import providers
from replies.events import QUEUED, STOP
from replies.models import Reply
from replies.notifications import Listener
from replies.services import finish, janitor
from replies.services.finish import Ending

from . import claims
from .finishing import Finisher
from .log import Log
from .running import Running, timed_out
from .threads import Threads

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pace:
    """Times in seconds, and the bounds of one process."""

    flush: float = 0.1
    poll: float = 2.0  # between looks at the queue, and between signs of life
    dead_after: float = janitor.DEAD_AFTER
    retry: float = 0.5  # after an error of the database
    close: float = 8.0  # at the end of the process, for the last statements
    threads: int = 4  # that build contexts and finish replies


class Generator:
    """`run` generates replies until `stop` is called, from any thread or signal handler."""

    def __init__(self, *, worker: uuid.UUID | None = None, pace: Pace | None = None) -> None:
        self.worker, self.pace = worker or new_id(), pace or Pace()
        self.running: dict[uuid.UUID, Running] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._unknown: set[tuple[uuid.UUID, int]] = set()
        self._seen_at = self._alive_since = float("-inf")

    async def run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._queued, self._stopping = asyncio.Event(), asyncio.Event()
        self._threads = Threads(self.pace.threads, retry=self.pace.retry)
        self._log = Log(self.worker, every=self.pace.flush, lost=self._from_thread(self._lose))
        self._finisher = Finisher(self._log, self._threads)
        listener = Listener((QUEUED, STOP), self._from_thread(self._notified), self._from_thread(self._look))
        self._log.start()
        listener.start()
        try:
            async with asyncio.TaskGroup() as group:
                for work in (self._claim, self._beat, self._clean):
                    group.create_task(self._repeat(work))
        finally:
            await self._close()
            self._log.stop()
            listener.stop()
            await providers.close()
            self._threads.close()

    def stop(self) -> None:
        """End all replies as incomplete with all of their text, and then `run`."""
        self._from_thread(self._stop)()

    def _stop(self) -> None:
        self._stopping.set()
        self._queued.set()

    # --- The three loops -------------------------------------------------------------------------

    async def _repeat(self, work: Callable[[], Awaitable[None]]) -> None:
        """Run the work again and again until the process stops. The database may be away."""
        while not self._stopping.is_set():
            try:
                await work()
            except Error as error:
                logger.warning("the database cannot be used now: %s", type(error).__name__)
                await self._sleep(self.pace.retry)
            except Exception:
                logger.exception("a step of the generator failed")
                await self._sleep(self.pace.retry)

    async def _claim(self) -> None:
        """Take replies from the queue when there is room, at once if one was announced."""
        self._queued.clear()
        if room := settings.REPLIES_AT_ONCE - len(self._tasks):
            for reply in await self._threads.run(claims.claim, self.worker, room):
                self._begin(reply)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._queued.wait(), self.pace.poll)

    async def _beat(self) -> None:
        """Show that this process lives, and end the replies that were stopped or have taken too long."""
        own = await self._threads.run(claims.beat, self.worker)
        for reply in own:
            if reply.stop_asked:
                self._end(reply.id, lambda: finish.STOPPED)
        await self._close_unknown({(reply.id, reply.attempts) for reply in own})
        now = time.monotonic()
        if now - self._seen_at > self.pace.dead_after / 2:
            self._alive_since = now
        self._seen_at = now
        for running in list(self.running.values()):
            if running.age > settings.REPLY_TIMEOUT:
                running.end(timed_out)
        await self._sleep(self.pace.poll)

    async def _close_unknown(self, own: set[tuple[uuid.UUID, int]]) -> None:
        """Close the replies that this process claimed without knowing it: the connection broke before the answer."""
        unknown = own - {(running.reply.id, running.reply.attempts) for running in self.running.values()}
        if lost := unknown & self._unknown:  # unknown twice: a claim reaches the database before this process
            await self._threads.run(janitor.close_left_by, self.worker, [id for id, _ in lost])
        self._unknown = unknown

    async def _clean(self) -> None:
        """Close the replies of dead processes.

        A process that could not reach the database itself first waits until all others had time to be seen again.
        """
        await self._sleep(self.pace.poll)
        now = time.monotonic()
        if now - self._alive_since > self.pace.dead_after and now - self._seen_at < self.pace.dead_after / 2:
            await self._threads.run(janitor.close_dead, self.pace.dead_after)

    async def _sleep(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    # --- What other threads report ---------------------------------------------------------------

    def _from_thread(self, work: Callable[..., None]) -> Callable[..., None]:
        """Return a function that calls `work` in the event loop."""

        def call(*arguments: Any) -> None:
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(work, *arguments)

        return call

    def _notified(self, channel: str, payload: str) -> None:
        if channel == STOP:
            with suppress(ValueError):
                self._end(uuid.UUID(payload), lambda: finish.STOPPED)
        else:
            self._queued.set()

    def _look(self) -> None:
        self._queued.set()

    def _lose(self, id: uuid.UUID, attempts: int) -> None:
        """End a reply that another process has taken or closed. Its `finish` will write nothing."""
        running = self.running.get(id)
        if running and running.reply.attempts == attempts:
            running.end(finish.interrupted)

    def _end(self, id: uuid.UUID, reason: Callable[[], Ending]) -> None:
        if running := self.running.get(id):
            running.end(reason)

    # --- A reply ---------------------------------------------------------------------------------

    def _begin(self, reply: Reply) -> None:
        if earlier := self.running.pop(reply.id, None):  # lost and taken again
            earlier.end(finish.interrupted)
        running = self.running[reply.id] = Running(reply, self._log, self._threads)
        self._spawn(self._generate(running))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._queued.set()  # there is room for another reply

    async def _generate(self, running: Running) -> None:
        try:
            await self._finisher.finish(running, await running.generate())
        except Exception:
            logger.exception("the reply %s could not be finished", running.reply.id)
        finally:
            if self.running.get(running.reply.id) is running:
                del self.running[running.reply.id]

    async def _close(self) -> None:
        for running in list(self.running.values()):
            running.end(finish.interrupted)
        if self._tasks:
            _, unfinished = await asyncio.wait(self._tasks, timeout=self.pace.close)
            for task in unfinished:  # the database is away; another process closes these replies later
                task.cancel()
