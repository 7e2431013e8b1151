"""The embedded server. These tests start and kill real servers."""

import os
import pwd
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured

from chatstore import cluster, embedded
from testing import scratch

# A program that uses the server like a command. It prints the pid of the server, waits for a line of input, prints the
# pid again, and ends.
PROGRAM = """
import sys
from pathlib import Path
from chatstore import embedded
with embedded.running(Path(sys.argv[1]), tied="tied" in sys.argv) as server:
    print(server.process().pid, flush=True)
    sys.stdin.readline()
    print(server.process().pid, flush=True)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    with scratch.folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    """The data folder of a server that has run before."""
    with scratch.folder() as folder:
        with embedded.running(folder / "data"):
            pass
        yield folder / "data"


class Command:
    def __init__(self, data_dir: Path, *arguments: str, **options: Any) -> None:
        self.process = scratch.python("-c", PROGRAM, str(data_dir), *arguments, stdin=subprocess.PIPE, **options)

    def server(self) -> psutil.Process:
        assert self.process.stdout
        return psutil.Process(int(self.process.stdout.readline()))

    def end(self) -> None:
        output, errors = self.process.communicate("\n", timeout=scratch.TIMEOUT)
        assert (errors, self.process.returncode) == ("", 0)
        assert output

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


def select(data_dir: Path, expression: str) -> Any:
    with scratch.connect(data_dir) as connection:
        row = connection.execute(f"select {expression}".encode()).fetchone()
        return row and row[0]


def refusal(data_dir: Path) -> str:
    with pytest.raises(ImproperlyConfigured) as excinfo, embedded.running(data_dir):
        pass
    return str(excinfo.value)


def write_pid_file(data_dir: Path, pid: int) -> None:
    pid_file = data_dir / "postgres" / "postmaster.pid"
    pid_file.write_text(
        f"{pid}\n{data_dir / 'postgres'}\n1\n5432\n{data_dir / 'socket'}\n\n  5432001     99999\nready\n"
    )


def test_the_server_runs_during_the_block_and_keeps_its_data(data_dir: Path) -> None:
    with embedded.running(data_dir) as server:
        process = server.process()
        oid = select(data_dir, "lo_from_bytea(0, 'kept')")
    assert process and scratch.has_exited(process)
    with embedded.running(data_dir):
        assert bytes(select(data_dir, f"lo_get({oid})")) == b"kept"


def test_the_database_folds_case_and_recognises_letters_of_every_script(data_dir: Path) -> None:
    with embedded.running(data_dir):
        assert select(data_dir, "lower('ÄÉЖ') || ('京' ~ '[[:alpha:]]')") == "äéжtrue"
        assert select(data_dir, "current_setting('server_encoding')") == "UTF8"


def test_the_server_listens_on_a_private_socket_only(data_dir: Path) -> None:
    with embedded.running(data_dir) as server:
        assert select(data_dir, "current_setting('listen_addresses')") == ""
        process = server.process()
        assert process and not process.net_connections("inet")
        assert {(data_dir / name).stat().st_mode & 0o777 for name in ("postgres", "socket")} == {0o700}


def test_the_log_does_not_contain_the_text_of_a_failed_statement(data_dir: Path) -> None:
    with embedded.running(data_dir) as server:
        with pytest.raises(psycopg.errors.DivisionByZero):
            select(data_dir, "1 / length(replace('a secret', 'a secret', ''))")
        assert "division by zero" in server.log.read_text()
        assert "a secret" not in server.log.read_text()


@pytest.mark.parametrize("name", ["with space", "дані 数据", "d" * 120, "commas, 'quotes' and \"more\"", "100%s {x}"])
def test_the_server_runs_in_a_folder_of_any_name(folder: Path, name: str) -> None:
    with embedded.running(folder / name):
        assert select(folder / name, "1") == 1


def test_the_server_runs_in_a_folder_that_was_moved(folder: Path) -> None:
    with embedded.running(folder / "old"):
        pass
    (folder / "old").rename(folder / "new")
    with embedded.running(folder / "new"):
        assert select(folder / "new", "1") == 1


def test_with_a_long_data_dir_the_socket_folder_is_private_and_removed_at_the_end(folder: Path) -> None:
    data_dir = folder / ("d" * 120)
    with embedded.running(data_dir):
        assert embedded.socket_dir(data_dir).stat().st_mode & 0o777 == 0o700
    assert not embedded.socket_dir(data_dir).exists()


def test_with_a_long_data_dir_a_socket_folder_that_others_can_enter_is_refused(folder: Path) -> None:
    data_dir = folder / ("d" * 120)
    socket_folder = embedded.socket_dir(data_dir)
    socket_folder.mkdir(mode=0o755)
    try:
        assert "not a private folder" in refusal(data_dir)
        assert socket_folder.stat().st_mode & 0o777 == 0o755
    finally:
        socket_folder.rmdir()


def test_the_socket_is_in_the_data_folder_if_its_path_is_not_too_long_for_the_kernel() -> None:
    room = cluster.SOCKET_PATH_LIMIT - len(f"//socket/{cluster.SOCKET}")
    assert embedded.socket_dir(Path("/" + "d" * room)).name == "socket"
    assert embedded.socket_dir(Path("/" + "d" * (room + 1))).name != "socket"
    assert embedded.socket_dir(Path("/" + "д" * (room // 2 + 1))).name != "socket"


def test_a_start_ignores_a_stale_pid_file_that_names_an_unrelated_process(data_dir: Path) -> None:
    unrelated = scratch.python("-c", "input()", stdin=subprocess.PIPE)
    write_pid_file(data_dir, unrelated.pid)
    with embedded.running(data_dir):
        assert select(data_dir, "1") == 1
    assert unrelated.poll() is None
    unrelated.communicate("\n")


def test_a_stale_pid_file_that_names_the_server_of_another_folder_does_not_affect_that_server(folder: Path) -> None:
    with embedded.running(folder / "a"):
        pass
    with embedded.running(folder / "b") as other:
        process = other.process()
        assert process
        write_pid_file(folder / "a", process.pid)
        with embedded.running(folder / "a"):
            assert select(folder / "a", "1") == 1
        assert other.process() == process
        assert select(folder / "b", "1") == 1


@pytest.mark.parametrize("junk", ["", "\n", "junk\n", "-1\n"])
def test_a_start_ignores_an_invalid_pid_file(data_dir: Path, junk: str) -> None:
    (data_dir / "postgres" / "postmaster.pid").write_text(junk)
    with embedded.running(data_dir):
        assert select(data_dir, "1") == 1


def test_a_killed_server_recovers_at_the_next_start(data_dir: Path) -> None:
    with embedded.running(data_dir) as server:
        process = server.process()
        assert process
        oid = select(data_dir, "lo_from_bytea(0, 'kept')")
        process.kill()
        assert server.child
        server.child.wait()
    with embedded.running(data_dir):
        assert bytes(select(data_dir, f"lo_get({oid})")) == b"kept"


def test_the_next_command_uses_and_then_stops_the_server_of_a_killed_command(data_dir: Path) -> None:
    command = Command(data_dir)
    process = command.server()
    command.kill()
    with embedded.running(data_dir) as server:
        assert server.process() == process
        assert select(data_dir, "1") == 1
    assert scratch.has_exited(process)


def test_a_tied_server_ends_when_the_process_that_started_it_is_killed(data_dir: Path) -> None:
    command = Command(data_dir, "tied")
    process = command.server()
    command.kill()
    scratch.wait_until(lambda: scratch.has_exited(process))


def test_a_start_waits_for_a_server_that_is_shutting_down(data_dir: Path) -> None:
    command = Command(data_dir, "tied")
    process = command.server()
    command.kill()
    with embedded.running(data_dir) as server:
        assert server.process() != process
        assert select(data_dir, "1") == 1


def test_two_commands_that_start_at_the_same_time_share_one_server(folder: Path) -> None:
    data_dir = folder / "data"
    one, other = Command(data_dir), Command(data_dir)
    server = one.server()
    assert other.server() == server
    one.end()
    assert select(data_dir, "1") == 1
    other.end()
    assert scratch.has_exited(server)


def test_a_command_does_not_stop_a_server_that_up_started(data_dir: Path) -> None:
    up = Command(data_dir, "tied")
    server = up.server()
    with embedded.running(data_dir):
        pass
    assert server.is_running()
    up.end()
    assert scratch.has_exited(server)


def test_uses_of_the_server_in_one_process_can_be_nested(data_dir: Path) -> None:
    with embedded.running(data_dir) as server:
        with embedded.running(data_dir):
            pass
        assert server.process()


def test_only_one_up_at_a_time_can_claim_a_data_folder(data_dir: Path) -> None:
    with embedded.claim(data_dir):
        with pytest.raises(ImproperlyConfigured) as excinfo:
            embedded.claim(data_dir).__enter__()
        assert str(excinfo.value) == f"chatstore is already running in {data_dir}, pid {os.getpid()}."
    with embedded.claim(data_dir):
        pass


def test_initdb_runs_again_after_an_interruption(folder: Path) -> None:
    data_dir = folder / "data"
    (data_dir / "postgres.new" / "base").mkdir(parents=True)
    with embedded.running(data_dir):
        assert select(data_dir, "1") == 1


def test_a_server_that_does_not_start_shows_the_end_of_its_log(folder: Path) -> None:
    data_dir = folder / "data"
    with embedded.running(data_dir):
        pass
    (data_dir / "postgres" / "PG_VERSION").write_text("9.6\n")
    message = refusal(data_dir)
    assert message.startswith(f"PostgreSQL does not start. The end of {data_dir}/postgres.log:\n")
    assert message.endswith("database files are incompatible with server")


def test_a_data_folder_that_is_a_file_is_refused_with_an_error_of_one_line(folder: Path) -> None:
    file = folder / "data"
    file.touch()
    assert refusal(file) == f"DATA_DIR {file} cannot be used: File exists: {file}."


def test_a_large_log_is_renamed(folder: Path) -> None:
    data_dir = folder / "data"
    data_dir.mkdir()
    (data_dir / "postgres.log").write_bytes(b"x" * (cluster.LOG_LIMIT + 1))
    with embedded.running(data_dir) as server:
        assert server.log.stat().st_size < cluster.LOG_LIMIT
        assert (data_dir / "postgres.log.1").exists()


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another user")


@needs_root
def test_as_root_the_server_runs_as_another_user(folder: Path) -> None:
    data_dir = folder / "data"
    with embedded.running(data_dir) as server:
        process = server.process()
        assert process and process.username() != "root"
    assert data_dir.stat().st_uid == 0


@needs_root
def test_as_root_the_error_names_a_folder_that_the_server_cannot_enter(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    message = refusal(closed / "data")
    assert f"which cannot enter {closed}. Set DATA_DIR" in message
    assert "\n" not in message
    assert (closed.stat().st_uid, closed.stat().st_mode & 0o777) == (0, 0o700)


@needs_root
def test_as_root_the_server_of_an_ordinary_users_folder_runs_as_that_user(folder: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    ordinary = scratch.as_user(nobody)
    first = Command(folder / "data", **ordinary)
    assert first.server().username() == "nobody"
    first.end()
    with embedded.running(folder / "data") as server:
        process = server.process()
        assert process and process.username() == "nobody"
    again = Command(folder / "data", **ordinary)
    assert again.server().username() == "nobody"
    again.end()
