"""EventStream outside the web server: iterated in a thread, detached, closed."""

from collections.abc import AsyncIterator, Iterator

import pytest
from django.core.signals import request_finished

from chatstore.api.streaming import EventStream

pytestmark = pytest.mark.django_db  # closing a response also closes database connections
EVENTS = [b"data: 1\n\n", b"data: 2\n\n"]


class Source:
    closed = 0

    def __iter__(self) -> Iterator[bytes]:
        yield from EVENTS

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for event in EVENTS:
            yield event

    def close(self) -> None:
        self.closed += 1


class WithoutClose:
    def __iter__(self) -> Iterator[bytes]:
        yield from EVENTS

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for event in EVENTS:
            yield event


@pytest.fixture
def finished() -> Iterator[list[object]]:
    """The requests that have ended for Django."""
    seen: list[object] = []

    def note(sender: object, **_: object) -> None:
        seen.append(sender)

    request_finished.connect(note)
    yield seen
    request_finished.disconnect(note)


def test_without_an_event_loop_the_events_are_the_content() -> None:
    response = EventStream(Source())
    assert response.getvalue() == b"".join(EVENTS)
    assert response["Content-Type"] == "text/event-stream"
    assert response["Cache-Control"] == "no-cache, no-transform"
    assert response["X-Accel-Buffering"] == "no"


def test_closing_the_response_closes_its_source_once() -> None:
    source = Source()
    response = EventStream(source)
    response.close()
    response.close()
    assert source.closed == 1


def test_a_source_needs_no_method_close(finished: list[object]) -> None:
    EventStream(WithoutClose()).close()
    assert len(finished) == 1


def test_detaching_ends_the_request_and_leaves_the_source_open(finished: list[object]) -> None:
    source = Source()
    response = EventStream(source)
    assert response.detach() is source
    assert (source.closed, len(finished)) == (0, 1)
