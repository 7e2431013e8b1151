"""Helpers that read the stream of a provider."""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

from chatstore.errors import ProviderError
from replies import providers
from replies.providers import Delta, Text

QUESTION = [{"role": "user", "content": "Hello"}]


class Outcome(NamedTuple):
    deltas: list[Delta]
    error: str  # the message of the ProviderError, or ""

    @property
    def text(self) -> str:
        return "".join(delta.text for delta in self.deltas if isinstance(delta, Text))


def read_stream(
    provider: Any, messages: Any = QUESTION, on_delta: Callable[[Delta], None] = lambda _: None, **options: Any
) -> Outcome:
    """Read a stream to its end, and close the clients of the event loop. Call `on_delta` with each delta."""

    async def read() -> Outcome:
        deltas = []
        try:
            async for delta in provider.stream(messages, options):
                deltas.append(delta)
                on_delta(delta)
        except ProviderError as error:
            return Outcome(deltas, error.message)
        finally:
            await providers.close()
        return Outcome(deltas, "")

    return asyncio.run(read())
