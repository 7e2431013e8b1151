"""The migration lock: only one process at a time runs migrations."""

import threading
import time

import pytest
from django.db import connection, connections

from chatstore import migration_lock

pytestmark = pytest.mark.django_db(transaction=True)


def take_lock_in_thread(log: list[str], started: threading.Event) -> threading.Thread:
    def wait_and_take() -> None:
        started.set()
        with migration_lock.held("default"):
            log.append("the second takes it")
        connections.close_all()

    thread = threading.Thread(target=wait_and_take)
    thread.start()
    started.wait(10)
    return thread


def test_the_second_process_gets_the_lock_after_the_first_releases_it() -> None:
    log: list[str] = []
    with migration_lock.held("default"):
        thread = take_lock_in_thread(log, threading.Event())
        time.sleep(3 * migration_lock.RETRY_EVERY)
        log.append("the first releases it")
    thread.join(10)
    assert log == ["the first releases it", "the second takes it"]


def test_an_index_can_be_created_concurrently_while_another_process_waits_for_the_lock() -> None:
    with migration_lock.held("default"):
        thread = take_lock_in_thread([], threading.Event())
        time.sleep(2 * migration_lock.RETRY_EVERY)
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = '10s'")
            cursor.execute("CREATE INDEX CONCURRENTLY waited_for ON account (name)")
            cursor.execute("DROP INDEX waited_for")
            cursor.execute("RESET statement_timeout")
    thread.join(10)
    assert not thread.is_alive()


def test_the_lock_is_released_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError), migration_lock.held("default"):
        raise ZeroDivisionError
    with migration_lock.held("default"):
        pass
