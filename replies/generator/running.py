"""One reply under way: it asks the provider, collects what it streams, and knows why it ended."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext

from chatstore.errors import ProviderError, ServiceError
from replies import providers
from replies.events import Content
from replies.models import Reply, State
from replies.providers.deltas import Delta, Finish
from replies.services import context
from replies.services.finish import Ending, Times

from .log import Buffer, Log
from .threads import Threads

logger = logging.getLogger(__name__)


class Running:
    """A reply of this process. `end` ends it early; the first reason counts."""

    def __init__(self, reply: Reply, log: Log, threads: Threads) -> None:
        self.reply, self.content = reply, Content()
        self._log, self._threads = log, threads
        self.buffer: Buffer = log.open(reply)
        self._began = time.monotonic()
        self._first: float | None = None
        self._asking: asyncio.Task[Ending] | None = None
        self._reason: Callable[[], Ending] | None = None

    @property
    def age(self) -> float:
        return time.monotonic() - self._began

    @property
    def times(self) -> Times:
        first = None if self._first is None else round((self._first - self._began) * 1000)
        return Times(first, round(self.age * 1000))

    def end(self, reason: Callable[[], Ending]) -> None:
        """End the reply now, unless it has ended already. `reason` is called in the language of its user."""
        if self._reason or (self._asking and self._asking.done()):
            return
        self._reason = reason
        if self._asking:
            self._asking.cancel()

    async def generate(self) -> Ending:
        """Stream the reply into its log until it ends. Return how it ended."""
        translation.activate(self.reply.request.get("language") or settings.LANGUAGE_CODE)
        if not self._reason:
            self._asking = asyncio.create_task(self._ask())
            await asyncio.wait([self._asking])
        if self._reason:
            return self._ended_early(self._reason())
        if not self._asking or self._asking.cancelled():  # by the provider itself
            return self._failed(ProviderError(broken_off()))
        return self._asking.result()

    async def _ask(self) -> Ending:
        limit = settings.CONTENT_LIMIT  # Django's settings take longer to read than a delta
        try:
            async with aclosing(await self._stream()) as deltas:
                async for delta in deltas:
                    if isinstance(delta, Finish):
                        return Ending(State.COMPLETED, delta)
                    self._add(delta)
                    if self.content.size > limit:
                        return Ending(State.INCOMPLETE, Finish("length"), "too_long", too_long())
            return self._failed(ProviderError(broken_off()))
        except ServiceError as error:
            if isinstance(error, ProviderError) and not error.has_begun:
                self.reply.tokens = 0
            return self._failed(error)
        except Exception:
            logger.exception("a provider of the model %r fails", self.reply.request.get("model"))
            return self._failed(ProviderError(broken_off()))

    async def _stream(self) -> Any:
        request = self.reply.request
        provider = providers.find(request["model"])
        if provider is None:  # the configuration has changed since the question was asked
            raise ProviderError(gettext("The model {model!r} is not configured.").format(model=request["model"]))
        messages, self.reply.tokens = await self._threads.insist(context.prepare, self.reply)
        deltas: AsyncIterator[Delta] = provider.stream(messages, request["options"])
        return deltas

    def _add(self, delta: Delta) -> None:
        self.content.add(delta)
        self.buffer.deltas.append(delta)
        if self._first is None:
            self._first = time.monotonic()
            self._log.flush_soon(self.buffer)

    def _failed(self, error: ServiceError) -> Ending:
        return self._ended_early(Ending(State.INCOMPLETE, code=error.code, message=error.message))

    def _ended_early(self, ending: Ending) -> Ending:
        """Return the ending, as failed instead of incomplete if there is no text: then a retry asks the model again."""
        is_empty = ending.state == State.INCOMPLETE and self.content.is_empty()
        return ending._replace(state=State.FAILED) if is_empty else ending


def broken_off() -> str:
    return gettext("The model did not send a complete answer.")


def too_long() -> str:
    return gettext("The answer is longer than {limit} characters.").format(limit=settings.CONTENT_LIMIT)


def timed_out() -> Ending:
    message = gettext("The model did not finish its answer within {seconds} seconds.")
    return Ending(State.INCOMPLETE, code="timeout", message=message.format(seconds=settings.REPLY_TIMEOUT))
