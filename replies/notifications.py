"""A thread that listens for PostgreSQL's notifications.

A pooler such as PgBouncer in transaction mode accepts LISTEN, but delivers nothing. So the listener sends itself a
notification through another connection. If it does not arrive, the listener calls `missed` four times a second instead,
which makes the owner look for changes by itself. DATABASE_DIRECT_URL is an address that bypasses the pooler.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

import psycopg
from django.db import Error, connection

from chatstore.database import direct_connection
from chatstore.ids import new_id

logger = logging.getLogger(__name__)
WAKE_EVERY = 0.2  # seconds until a stopped listener notices that it is stopped
TEST_TIMEOUT = 1.0  # seconds for the test notification
POLL_EVERY = 0.25  # seconds, if notifications do not arrive
TEST_AGAIN = 60.0  # seconds
RECONNECT_EVERY = 0.5  # seconds


class Listener:
    """Calls `notified(channel, payload)` for each notification, and `missed()` when some may have been lost.

    Both run in the listener's thread.
    """

    def __init__(
        self, channels: Sequence[str], notified: Callable[[str, str], None], missed: Callable[[], None]
    ) -> None:
        self.is_polling = False
        self._channels, self._notified, self._missed = channels, notified, missed
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread, and wait until it has ended."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._listen_or_poll()
            except (psycopg.Error, Error) as error:  # the database is away
                logger.info("listening is interrupted: %s", type(error).__name__)
                self._stopped.wait(RECONNECT_EVERY)
            except Exception:  # nobody would notice that the thread has ended
                logger.exception("listening failed")
                self._stopped.wait(RECONNECT_EVERY)

    def _listen_or_poll(self) -> None:
        with closing(direct_connection()) as listening:
            self.is_polling = not self._delivers(listening.connection)
            if not self.is_polling:
                self._listen(listening.connection)
        if self.is_polling:
            logger.warning("PostgreSQL's notifications do not arrive; set DATABASE_DIRECT_URL to bypass the pooler")
            self._poll()

    def _delivers(self, listening: psycopg.Connection[Any]) -> bool:
        """Listen on all channels, and return whether a test notification arrives."""
        test = f"reply_test_{new_id().hex}"
        for channel in (*self._channels, test):
            listening.execute(f"LISTEN {channel}".encode())
        _notify(test)
        deadline = time.monotonic() + TEST_TIMEOUT
        while (left := deadline - time.monotonic()) > 0:
            if any(notice.channel == test for notice in listening.notifies(timeout=left, stop_after=1)):
                return True
        return False

    def _listen(self, listening: psycopg.Connection[Any]) -> None:
        self._missed()
        while not self._stopped.is_set():
            for notice in listening.notifies(timeout=WAKE_EVERY):
                self._notified(notice.channel, notice.payload)

    def _poll(self) -> None:
        deadline = time.monotonic() + TEST_AGAIN
        while not self._stopped.is_set() and time.monotonic() < deadline:
            self._missed()
            self._stopped.wait(POLL_EVERY)


def _notify(channel: str) -> None:
    """Send a notification through a connection of the ordinary kind."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, '')", [channel])
    finally:
        connection.close()
