"""The event loop of a generator: it looks at the network less often while many providers stream.

Hundreds of providers send a token each at slightly different moments. An event loop that wakes for each token spends
most of its time on waking: it needed 42 µs of CPU time for a token of 300 streams. If it waits before, one read gets
all tokens of a provider that have come meanwhile: a token takes 23 µs with a wait of 40 ms, and 16 µs with 60 ms. The
threads of the process run during the wait.
"""

import asyncio
import selectors
import time

READ_EVERY = 0.05  # seconds
MANY = 10  # connections with data; with fewer, each piece is read at once


class Selector(selectors.DefaultSelector):
    """Looks again only after READ_EVERY, if MANY connections had data the last time."""

    _next_look = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        left = self._next_look - time.monotonic()
        if left > 0:
            if timeout is not None and timeout < left:  # the event loop has something else to do before
                time.sleep(max(0.0, timeout))
                return []
            time.sleep(left)
        ready = super().select(timeout)
        if len(ready) >= MANY:
            self._next_look = time.monotonic() + READ_EVERY
        return ready


def new_event_loop() -> asyncio.AbstractEventLoop:
    return asyncio.SelectorEventLoop(Selector())
