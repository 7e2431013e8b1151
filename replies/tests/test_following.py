"""Readers follow the log of a reply, in threads and on an event loop."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection

from chatstore.ids import new_id
from conversations.models import Message
from replies import hub
from replies.events import EVENTS
from replies.following import Follower, Logged, wait, wait_async
from replies.models import Event, Reply, State
from testing import scratch
from testing.parallel import run_and_disconnect
from testing.replies import announce, ask

pytestmark = pytest.mark.django_db(transaction=True)
TIMEOUT = 20


@pytest.fixture
def reply() -> Reply:
    return ask("Hello")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the bounds of the hub small."""
    monkeypatch.setattr(hub, "WINDOW", 5)
    monkeypatch.setattr(hub, "PIECE", 3)
    monkeypatch.setattr(hub, "READS", 7)
    monkeypatch.setattr(hub, "WAKE", 2)


def write(reply: Reply, *numbers: int) -> None:
    """Write text events with these numbers in one transaction, and announce them."""
    Event.objects.bulk_create([Event(reply=reply, n=n, event="text", data=f'{{"text":"{n} "}}') for n in numbers])
    announce(EVENTS, reply.id.hex)


def end(reply: Reply, n: int) -> None:
    Event.objects.create(reply=reply, n=n, event="end", data='{"status":"completed"}')
    Reply.objects.filter(id=reply.id).update(state=State.COMPLETED)
    announce(EVENTS, reply.id.hex)


def in_thread(work: Callable[[], Any]) -> threading.Thread:
    thread = threading.Thread(target=run_and_disconnect, args=[work])
    thread.start()
    return thread


class Reading:
    """A reader in a thread."""

    def __init__(self, reply: Reply, after: int = 0) -> None:
        self.found: list[Logged] = []
        self.thread = in_thread(lambda: self.found.extend(self._events(reply, after)))

    def _events(self, reply: Reply, after: int) -> Iterator[Logged]:
        for logged in Follower(reply.id, after).until(TIMEOUT):
            self.last = logged.n
            yield logged

    def numbers(self) -> list[int]:
        self.thread.join(TIMEOUT)
        return [logged.n for logged in self.found]


def test_all_readers_of_a_reply_get_each_event_once_and_in_order(reply: Reply) -> None:
    readers = [Reading(reply) for _ in range(5)]
    write(reply, 1, 2)
    late = Reading(reply)
    for n in range(3, 300):
        write(reply, n)
    end(reply, 300)
    for reader in [*readers, late, Reading(reply)]:
        assert reader.numbers() == list(range(1, 301))


def test_a_reader_that_comes_back_gets_the_rest_from_the_first_missing_event(reply: Reply) -> None:
    write(reply, *range(1, 121))
    reader = Reading(reply, after=70)
    scratch.wait_until(lambda: getattr(reader, "last", 0) == 120)
    write(reply, 121)
    end(reply, 122)
    assert reader.numbers() == list(range(71, 123))
    assert Reading(reply, after=121).numbers() == [122]
    assert Reading(reply, after=122).numbers() == []


def test_a_reader_that_names_a_number_beyond_the_log_gets_the_next_events_and_delays_no_other(reply: Reply) -> None:
    write(reply, 1)
    beyond = Reading(reply, after=10**30)
    scratch.wait_until(lambda: hub.running_hub()._followed)
    other = Reading(reply)
    scratch.wait_until(lambda: getattr(other, "last", 0) == 1)
    scratch.wait_until(lambda: hub.running_hub()._followed[reply.id].last == 1)
    write(reply, 2)
    end(reply, 3)
    assert other.numbers() == [1, 2, 3]
    assert beyond.numbers()[-1] == 3


def test_a_reader_that_has_the_end_already_ends_although_a_slow_reader_follows_the_reply(reply: Reply) -> None:
    slow = Follower(reply.id).until(TIMEOUT)
    write(reply, 1)
    assert next(slow).n == 1
    quick = Reading(reply)
    scratch.wait_until(lambda: getattr(quick, "last", 0) == 1)
    end(reply, 2)
    assert quick.numbers() == [1, 2]
    assert list(Follower(reply.id, after=2).until(TIMEOUT / 2)) == []
    assert [logged.n for logged in slow] == [2]


def test_readers_of_a_reply_that_is_deleted_end(reply: Reply, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "LOOK_EVERY", 0.2)
    hub.stop()
    write(reply, 1)
    reader = Reading(reply)
    scratch.wait_until(lambda: getattr(reader, "last", 0) == 1)
    Message.objects.filter(id=reply.id)._raw_delete("default")
    scratch.wait_until(lambda: not reader.thread.is_alive())
    assert reader.numbers() == [1]


@pytest.mark.usefixtures("small")
def test_a_slow_reader_gets_everything_although_the_hub_keeps_only_the_newest_events(reply: Reply) -> None:
    follower = Follower(reply.id).until(TIMEOUT)
    write(reply, 1)
    assert next(follower).n == 1
    quick = Reading(reply)
    for n in range(2, 31):
        write(reply, n)
    scratch.wait_until(lambda: getattr(quick, "last", 0) == 30)
    assert len(hub.running_hub()._followed[reply.id].window) <= 5
    end(reply, 31)
    assert [logged.n for logged in follower] == list(range(2, 32))
    assert quick.numbers() == list(range(1, 32))


def test_nothing_is_kept_of_a_reply_that_nobody_follows(reply: Reply) -> None:
    write(reply, 1)
    follower = Follower(reply.id).until(TIMEOUT)
    next(follower)
    assert reply.id in hub.running_hub()._followed
    follower.close()
    assert hub.running_hub()._followed == {}


@pytest.mark.usefixtures("small")
def test_many_readers_on_an_event_loop_get_each_event_once_and_in_order(reply: Reply) -> None:
    async def read(after: int) -> list[int]:
        return [logged.n async for logged in Follower(reply.id, after)]

    async def read_all() -> list[list[int]]:
        writing = asyncio.get_running_loop().run_in_executor(None, run_and_disconnect, write_all)
        found = await asyncio.wait_for(asyncio.gather(*(read(after) for after in range(20))), TIMEOUT)
        await writing
        return found

    def write_all() -> None:
        for n in range(21, 40):
            write(reply, n)
        end(reply, 40)

    write(reply, *range(1, 21))
    assert asyncio.run(read_all()) == [list(range(after + 1, 41)) for after in range(20)]


def test_a_reader_that_leaves_an_event_loop_is_forgotten(reply: Reply) -> None:
    async def read_one() -> None:
        events = aiter(Follower(reply.id))
        assert (await anext(events)).n == 1
        await events.aclose()  # type: ignore[attr-defined]

    write(reply, 1)
    asyncio.run(read_one())
    assert hub.running_hub()._followed == {}


def test_a_reply_whose_log_is_deleted_has_one_event_with_the_message(reply: Reply) -> None:
    Reply.objects.filter(id=reply.id).update(state=State.COMPLETED)
    ((n, event, data),) = Follower(reply.id)
    assert (n, event) == (0, "message")
    assert json.loads(data)["id"] == str(reply.id)
    Reply.objects.filter(id=reply.id).delete()
    assert len(list(Follower(reply.id, after=7))) == 1


def test_a_reply_that_does_not_exist_has_no_events() -> None:
    assert list(Follower(new_id())) == []


def test_wait_returns_the_state_at_the_end(reply: Reply) -> None:
    with pytest.raises(TimeoutError):
        wait(reply.id, 0.1)
    write(reply, 1)
    end(reply, 2)
    assert wait(reply.id, TIMEOUT) == State.COMPLETED
    assert asyncio.run(wait_async(reply.id)) == State.COMPLETED


def test_readers_go_on_after_their_connections_were_lost(reply: Reply) -> None:
    write(reply, 1)
    reader = Reading(reply)
    scratch.wait_until(lambda: getattr(reader, "last", 0) == 1)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    write(reply, 2)
    end(reply, 3)
    assert reader.numbers() == [1, 2, 3]
