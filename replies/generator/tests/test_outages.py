"""Generators and readers while the database is away, and behind a pooler that delivers no notifications."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection

from chatstore import cluster
from chatstore.ids import new_id
from replies import hub
from replies.following import Follower, wait
from replies.generator import Pace
from replies.generator.log import Log
from replies.models import Reply, State
from replies.notifications import Listener
from replies.providers.deltas import Text
from testing import pgbouncer, scratch, scripted
from testing.generator import QUICK, running
from testing.parallel import run_and_disconnect
from testing.replies import ask, log_of, message_of
from testing.scripted import script

pytestmark = pytest.mark.django_db(transaction=True)
TIMEOUT = 20


@pytest.fixture(autouse=True)
def scripted_model(settings: Any) -> None:
    settings.MODELS = {"scripted": scripted.ROUTE}


@contextmanager
def database_away() -> Iterator[None]:
    """End all connections to the test database, and let it accept no new ones during the block."""
    name = connection.settings_dict["NAME"]
    control = connection.copy()
    control.settings_dict["NAME"] = "postgres"
    try:
        with control.cursor() as cursor:
            cursor.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
            cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        connection.close()
        yield
    finally:
        with control.cursor() as cursor:
            cursor.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        control.close()


def scalar(statement: str, *parameters: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        (value,) = cursor.fetchone()
        return value


def wait_for_events(reply: Reply, count: int) -> None:
    scratch.wait_until(lambda: len(log_of(reply)) == count)


class Reading:
    """A reader in a thread."""

    def __init__(self, reply: Reply) -> None:
        self.found: list[Any] = []
        self.thread = threading.Thread(target=run_and_disconnect, args=[self._read, reply])
        self.thread.start()

    def _read(self, reply: Reply) -> None:
        for logged in Follower(reply.id).until(TIMEOUT):
            self.found.append(tuple(logged))

    def all(self) -> list[Any]:
        self.thread.join(TIMEOUT)
        return self.found


def test_replies_go_on_in_memory_while_the_database_is_away_and_nothing_is_lost_or_doubled() -> None:
    words = [f"{number} " for number in range(100)]
    steps = [step for word in words for step in (word, 0.02)]
    with running():
        going_on, ending = ask(script(*steps)), ask(script("Hel", 0.5, "lo"))
        readers = [Reading(going_on) for _ in range(2)]
        scratch.wait_until(lambda: any(event == "text" for _, event, _ in readers[0].found))
        with database_away():
            time.sleep(1)
        for reply in (going_on, ending):
            assert wait(reply.id, TIMEOUT) == State.COMPLETED
    log = log_of(going_on)
    assert [n for n, _, _ in log] == list(range(1, len(log) + 1))
    assert "".join(json.loads(data)["text"] for _, event, data in log if event == "text") == "".join(words)
    assert message_of(going_on).content == "".join(words)
    assert message_of(ending).content == "Hello"
    assert [reader.all() for reader in readers] == [log, log]


def test_events_are_on_the_disk_before_readers_get_them() -> None:
    worker = new_id()
    reply = ask("Hello")
    Reply.objects.filter(id=reply.id).update(state=State.RUNNING, worker=worker)
    log = Log(worker, every=0.01, lost=lambda id, attempts: None)
    buffer = log.open(reply)
    log.start()
    try:
        for count in range(1, 11):  # PostgreSQL writes to the disk five times a second in any case
            before = scalar("SELECT pg_current_wal_insert_lsn()")
            buffer.deltas.append(Text("word "))
            wait_for_events(reply, count)
            assert scalar("SELECT pg_current_wal_flush_lsn() > %s::pg_lsn", before)
    finally:
        log.stop()


def test_other_processes_get_time_to_be_seen_again_before_their_replies_are_closed() -> None:
    with running(), running():
        replies = [ask(script(["repeat", 200, "word ", 0.01])) for _ in range(6)]
        for reply in replies:
            next(logged for logged in Follower(reply.id).until(TIMEOUT) if logged.event == "text")
        with database_away():
            time.sleep(QUICK.dead_after + 0.4)
        assert {wait(reply.id, TIMEOUT) for reply in replies} == {State.COMPLETED}


def test_a_process_that_ends_while_the_database_is_away_does_not_wait_for_it() -> None:
    with running(Pace(flush=0.02, poll=0.2, dead_after=0.8, retry=0.1, close=0.5)) as generator:
        reply = ask(script("Hello", ["stall"]))
        next(logged for logged in Follower(reply.id).until(TIMEOUT) if logged.event == "text")
        with database_away():
            generator.stop()
            scratch.wait_until(lambda: not generator._tasks)
    with running():
        assert wait(reply.id, TIMEOUT) == State.INCOMPLETE
    assert message_of(reply).content == "Hello"


@pytest.fixture
def pooler(settings: Any) -> Iterator[None]:
    """Let LISTEN go through a pooler that delivers nothing."""
    folder, name = connection.settings_dict["HOST"], connection.settings_dict["NAME"]
    if not folder.startswith("/"):
        pytest.skip("needs a server with a Unix socket")
    hub.stop()
    with pgbouncer.dropping_notifications(f"{folder}/{cluster.SOCKET}") as port:
        user = connection.settings_dict["USER"]
        settings.DATABASE_DIRECT_URL = f"postgresql://{user}@127.0.0.1:{port}/{name}?sslmode=disable&gssencmode=disable"
        yield
        hub.stop()


@pytest.mark.usefixtures("pooler")
def test_replies_and_readers_poll_if_notifications_do_not_arrive() -> None:
    missed = threading.Semaphore(0)
    listener = Listener(["reply_events"], lambda *_: None, missed.release)
    listener.start()
    for _ in range(3):
        assert missed.acquire(timeout=TIMEOUT)
    assert listener.is_polling
    listener.stop()
    with running(Pace(poll=60)):
        reply = ask(script("Hel", 0.3, "lo", 0.3, "!"))
        reader = Reading(reply)
        assert wait(reply.id, TIMEOUT) == State.COMPLETED
    assert reader.all() == log_of(reply)


def test_a_listener_does_not_poll_if_notifications_arrive() -> None:
    arrived, missed = threading.Semaphore(0), threading.Semaphore(0)
    listener = Listener(["reply_test"], lambda *_: arrived.release(), missed.release)
    listener.start()
    assert missed.acquire(timeout=TIMEOUT)  # once, at the start
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify('reply_test', 'x')")
    assert arrived.acquire(timeout=TIMEOUT)
    assert not listener.is_polling and not missed.acquire(blocking=False)
    listener.stop()
