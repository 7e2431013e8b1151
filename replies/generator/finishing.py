"""Finishes replies: those that end while others are being written share the next transaction.

So a process that is asked to stop closes hundreds of replies within a second.
"""

import asyncio
import logging
from typing import NamedTuple

from replies.models import Reply
from replies.services import finish
from replies.services.finish import Closing, Ending

from .log import AWAY, Log
from .running import Running
from .threads import Threads

logger = logging.getLogger(__name__)
BATCH = 100  # replies of one transaction


class Waiting(NamedTuple):
    running: Running
    ending: Ending
    done: "asyncio.Future[None]"


class Finisher:
    def __init__(self, log: Log, threads: Threads) -> None:
        self._log, self._threads = log, threads
        self._waiting: list[Waiting] = []
        self._work: asyncio.Task[None] | None = None

    async def finish(self, running: Running, ending: Ending) -> None:
        """Close a reply, unless another process has taken or closed it. While the database is away, wait for it."""
        done = asyncio.get_running_loop().create_future()
        self._waiting.append(Waiting(running, ending, done))
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._write_all())
        await done

    async def _write_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            await self._write(batch)

    async def _write(self, batch: list[Waiting]) -> None:
        """Close the replies. This process no longer runs those that cannot be closed, but they are still its own in the
        database. So it closes them after its next signs of life (`Generator._close_unknown`)."""
        try:
            await self._threads.insist(self._close, batch)
        except AWAY:
            logger.exception("the database was away too long to close %s replies", len(batch))
        except Exception:
            await self._write_each(batch)
        finally:
            for waiting in batch:
                if not waiting.done.done():
                    waiting.done.set_result(None)

    async def _write_each(self, batch: list[Waiting]) -> None:
        """Close the replies one by one, because at least one of them cannot be stored."""
        for waiting in batch:
            try:
                await self._threads.insist(self._close, [waiting])
            except Exception:
                reply = waiting.running.reply
                logger.exception("the reply %s cannot be stored; it ends with the content of its log", reply.id)
                await self._close_with_log(reply)

    async def _close_with_log(self, reply: Reply) -> None:
        try:
            await self._threads.insist(finish.close_running, reply)
        except Exception:
            logger.exception("the reply %s cannot be closed", reply.id)

    def _close(self, batch: list[Waiting]) -> None:
        finish.finish_all([self._closing(running, ending) for running, ending, _ in batch])

    def _closing(self, running: Running, ending: Ending) -> Closing:
        events = self._log.close(running.buffer)
        return Closing(running.reply, ending, lambda: running.content, events, running.times)
