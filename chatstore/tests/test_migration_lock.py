"""The lock under which one process at a time migrates."""

import threading
import time

import pytest
from django.db import connection, connections

from chatstore import migration_lock

pytestmark = pytest.mark.django_db(transaction=True)


def in_another_thread(log: list[str], started: threading.Event) -> threading.Thread:
    def wait_and_take() -> None:
        started.set()
        with migration_lock.held("default"):
            log.append("the other has it")
        connections.close_all()

    thread = threading.Thread(target=wait_and_take)
    thread.start()
    started.wait(10)
    return thread


def test_one_at_a_time_holds_it() -> None:
    log: list[str] = []
    with migration_lock.held("default"):
        thread = in_another_thread(log, threading.Event())
        time.sleep(3 * migration_lock.RETRY_EVERY)
        log.append("the first gives it back")
    thread.join(10)
    assert log == ["the first gives it back", "the other has it"]


def test_an_index_is_made_concurrently_while_another_process_waits() -> None:
    with migration_lock.held("default"):
        thread = in_another_thread([], threading.Event())
        time.sleep(2 * migration_lock.RETRY_EVERY)
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = '10s'")
            cursor.execute("CREATE INDEX CONCURRENTLY waited_for ON account (name)")
            cursor.execute("DROP INDEX waited_for")
            cursor.execute("RESET statement_timeout")
    thread.join(10)
    assert not thread.is_alive()


def test_it_is_given_back_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError), migration_lock.held("default"):
        raise ZeroDivisionError
    with migration_lock.held("default"):
        pass
