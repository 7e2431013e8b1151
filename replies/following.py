"""Follows the events of a reply, in a thread or on an event loop. The caller checks the owner first."""

import asyncio
import json
import threading
import time
import uuid
from collections.abc import AsyncIterator, Iterator

from conversations.models import Status

from .events import Logged
from .hub import Reader, running_hub
from .models import State

__all__ = ["Follower", "Logged", "wait", "wait_async"]


class Follower:
    """The events of a reply after the number `after`, until its end. Each iteration begins there.

    If the log was deleted already, the only event is `message`, with the whole message and the number 0.
    """

    def __init__(self, reply_id: uuid.UUID, after: int = 0) -> None:
        self.reply_id, self.after = reply_id, max(0, min(after, 2**31 - 1))

    def __iter__(self) -> Iterator[Logged]:
        return self.until(None)

    def until(self, timeout: float | None) -> Iterator[Logged]:
        """Yield the events in a thread. Raises TimeoutError when so many seconds have passed."""
        deadline = None if timeout is None else time.monotonic() + timeout
        reader = Reader(running_hub(), self.reply_id, self.after, threading.Event())
        try:
            while not reader.is_done:
                yield from reader.take() or _wait(reader, deadline)
        finally:
            reader.leave()

    async def __aiter__(self) -> AsyncIterator[Logged]:
        event = asyncio.Event()
        reader = Reader(running_hub(), self.reply_id, self.after, event, asyncio.get_running_loop())
        try:
            while not reader.is_done:
                events = reader.take()
                for logged in events:
                    yield logged
                if not events and not reader.is_done:
                    await event.wait()
        finally:
            reader.leave()


def _wait(reader: Reader, deadline: float | None) -> tuple[()]:
    left = None if deadline is None else deadline - time.monotonic()
    if left is not None and left <= 0:
        raise TimeoutError
    if not reader.is_done:
        reader.event.wait(left)  # type: ignore[call-arg]  # a threading.Event
    return ()


def wait(reply_id: uuid.UUID, timeout: float | None = None) -> State:
    """Wait in a thread until a reply ends, and return its state. Raises TimeoutError."""
    state = State.INCOMPLETE
    for logged in Follower(reply_id).until(timeout):
        state = _state(logged, state)
    return state


async def wait_async(reply_id: uuid.UUID) -> State:
    """Wait on the event loop until a reply ends, and return its state."""
    state = State.INCOMPLETE
    async for logged in Follower(reply_id):
        state = _state(logged, state)
    return state


def _state(logged: Logged, before: State) -> State:
    if logged.event not in ("end", "message"):
        return before
    status = json.loads(logged.data)["status"]
    # A client can store a message in progress, which no reply fills.
    return before if status == Status.IN_PROGRESS else State(status)
