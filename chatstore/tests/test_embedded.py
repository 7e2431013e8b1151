"""These start and kill real servers."""

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

# What a command does, as a program of its own: says its server's pid, then leaves when told to.
USER = """
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
    """Of a server that has run before."""
    with scratch.folder() as folder:
        with embedded.running(folder / "data"):
            pass
        yield folder / "data"


class User:
    def __init__(self, data_dir: Path, *arguments: str, **options: Any) -> None:
        self.program = scratch.python("-c", USER, str(data_dir), *arguments, stdin=subprocess.PIPE, **options)

    def server(self) -> psutil.Process:
        assert self.program.stdout
        return psutil.Process(int(self.program.stdout.readline()))

    def leave(self) -> None:
        output, errors = self.program.communicate("\n", timeout=scratch.TIMEOUT)
        assert (errors, self.program.returncode) == ("", 0)
        assert output

    def kill(self) -> None:
        self.program.kill()
        self.program.communicate()


def select(data_dir: Path, expression: str) -> Any:
    address = embedded.address(data_dir)
    with psycopg.connect(
        host=address["HOST"], port=address["PORT"], user=address["USER"], dbname=address["NAME"]
    ) as connection:
        row = connection.execute(f"select {expression}".encode()).fetchone()
        return row and row[0]


def refusal(data_dir: Path) -> str:
    with pytest.raises(ImproperlyConfigured) as refused, embedded.running(data_dir):
        pass
    return str(refused.value)


def leave_pid_file(data_dir: Path, pid: int) -> None:
    pid_file = data_dir / "postgres" / "postmaster.pid"
    pid_file.write_text(
        f"{pid}\n{data_dir / 'postgres'}\n1\n5432\n{data_dir / 'socket'}\n\n  5432001     99999\nready\n"
    )


def test_the_server_runs_for_the_block_and_keeps_the_data(data_dir: Path) -> None:
    with embedded.running(data_dir) as server:
        process = server.process()
        oid = select(data_dir, "lo_from_bytea(0, 'kept')")
    assert process and scratch.has_exited(process)
    with embedded.running(data_dir):
        assert bytes(select(data_dir, f"lo_get({oid})")) == b"kept"


def test_its_database_folds_case_and_sees_letters_of_every_script(data_dir: Path) -> None:
    with embedded.running(data_dir):
        assert select(data_dir, "lower('ÄÉЖ') || ('京' ~ '[[:alpha:]]')") == "äéжtrue"
        assert select(data_dir, "current_setting('server_encoding')") == "UTF8"


def test_it_listens_on_a_private_socket_only(data_dir: Path) -> None:
    with embedded.running(data_dir) as server:
        assert select(data_dir, "current_setting('listen_addresses')") == ""
        process = server.process()
        assert process and not process.net_connections("inet")
        assert {(data_dir / name).stat().st_mode & 0o777 for name in ("postgres", "socket")} == {0o700}


def test_it_logs_no_text_of_a_failed_statement(data_dir: Path) -> None:
    with embedded.running(data_dir) as server:
        with pytest.raises(psycopg.errors.DivisionByZero):
            select(data_dir, "1 / length(replace('a secret', 'a secret', ''))")
        assert "division by zero" in server.log.read_text()
        assert "a secret" not in server.log.read_text()


@pytest.mark.parametrize("name", ["with space", "дані 数据", "d" * 120, "commas, 'quotes' and \"more\"", "100%s {x}"])
def test_any_path_will_do(folder: Path, name: str) -> None:
    with embedded.running(folder / name):
        assert select(folder / name, "1") == 1


def test_a_moved_folder_works_at_its_new_place(folder: Path) -> None:
    with embedded.running(folder / "old"):
        pass
    (folder / "old").rename(folder / "new")
    with embedded.running(folder / "new"):
        assert select(folder / "new", "1") == 1


def test_the_fallback_for_a_long_path_is_private_and_removed_again(folder: Path) -> None:
    data_dir = folder / ("d" * 120)
    with embedded.running(data_dir):
        assert embedded.socket_dir(data_dir).stat().st_mode & 0o777 == 0o700
    assert not embedded.socket_dir(data_dir).exists()


def test_a_fallback_that_others_can_enter_is_refused(folder: Path) -> None:
    data_dir = folder / ("d" * 120)
    squatted = embedded.socket_dir(data_dir)
    squatted.mkdir(mode=0o755)
    try:
        assert "not a private folder" in refusal(data_dir)
        assert squatted.stat().st_mode & 0o777 == 0o755
    finally:
        squatted.rmdir()


def test_the_longest_path_that_the_kernel_takes_needs_no_fallback() -> None:
    room = cluster.SOCKET_PATH_LIMIT - len(f"//socket/{cluster.SOCKET}")
    assert embedded.socket_dir(Path("/" + "d" * room)).name == "socket"
    assert embedded.socket_dir(Path("/" + "d" * (room + 1))).name != "socket"
    assert embedded.socket_dir(Path("/" + "д" * (room // 2 + 1))).name != "socket"


def test_a_stale_pid_file_that_names_a_stranger_is_got_over(data_dir: Path) -> None:
    stranger = scratch.python("-c", "input()", stdin=subprocess.PIPE)
    leave_pid_file(data_dir, stranger.pid)
    with embedded.running(data_dir):
        assert select(data_dir, "1") == 1
    assert stranger.poll() is None
    stranger.communicate("\n")


def test_a_stale_pid_file_that_names_another_folders_postgresql_does_not_touch_it(folder: Path) -> None:
    with embedded.running(folder / "a"):
        pass
    with embedded.running(folder / "b") as other:
        process = other.process()
        assert process
        leave_pid_file(folder / "a", process.pid)
        with embedded.running(folder / "a"):
            assert select(folder / "a", "1") == 1
        assert other.process() == process
        assert select(folder / "b", "1") == 1


@pytest.mark.parametrize("junk", ["", "\n", "junk\n", "-1\n"])
def test_a_pid_file_of_junk_is_got_over(data_dir: Path, junk: str) -> None:
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


def test_a_server_left_by_a_killed_command_is_adopted_and_then_stopped(data_dir: Path) -> None:
    user = User(data_dir)
    left = user.server()
    user.kill()
    with embedded.running(data_dir) as server:
        assert server.process() == left
        assert select(data_dir, "1") == 1
    assert scratch.has_exited(left)


def test_a_server_tied_to_a_killed_parent_ends_with_it(data_dir: Path) -> None:
    user = User(data_dir, "tied")
    left = user.server()
    user.kill()
    scratch.wait_until(lambda: scratch.has_exited(left))


def test_a_start_while_the_last_server_is_shutting_down_waits_for_it(data_dir: Path) -> None:
    user = User(data_dir, "tied")
    left = user.server()
    user.kill()
    with embedded.running(data_dir) as server:
        assert server.process() != left
        assert select(data_dir, "1") == 1


def test_two_commands_that_start_at_once_share_one_server(folder: Path) -> None:
    data_dir = folder / "data"
    one, other = User(data_dir), User(data_dir)
    server = one.server()
    assert other.server() == server
    one.leave()
    assert select(data_dir, "1") == 1
    other.leave()
    assert scratch.has_exited(server)


def test_a_command_does_not_stop_the_server_of_an_up(data_dir: Path) -> None:
    up = User(data_dir, "tied")
    server = up.server()
    with embedded.running(data_dir):
        pass
    assert server.is_running()
    up.leave()
    assert scratch.has_exited(server)


def test_blocks_in_one_process_nest(data_dir: Path) -> None:
    with embedded.running(data_dir) as server:
        with embedded.running(data_dir):
            pass
        assert server.process()


def test_a_data_folder_is_claimed_once(data_dir: Path) -> None:
    with embedded.claim(data_dir):
        with pytest.raises(ImproperlyConfigured) as refused:
            embedded.claim(data_dir).__enter__()
        assert str(refused.value) == f"chatstore is already running in {data_dir}, pid {os.getpid()}."
    with embedded.claim(data_dir):
        pass


def test_an_initdb_cut_short_is_begun_again(folder: Path) -> None:
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


def test_a_data_folder_that_is_a_file_is_refused_in_one_line(folder: Path) -> None:
    file = folder / "data"
    file.touch()
    assert refusal(file) == f"DATA_DIR {file} cannot be used: File exists: {file}."


def test_a_large_log_is_put_aside(folder: Path) -> None:
    data_dir = folder / "data"
    data_dir.mkdir()
    (data_dir / "postgres.log").write_bytes(b"x" * (cluster.LOG_LIMIT + 1))
    with embedded.running(data_dir) as server:
        assert server.log.stat().st_size < cluster.LOG_LIMIT
        assert (data_dir / "postgres.log.1").exists()


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another user")


@needs_root
def test_as_root_the_server_is_another_users(folder: Path) -> None:
    data_dir = folder / "data"
    with embedded.running(data_dir) as server:
        process = server.process()
        assert process and process.username() != "root"
    assert data_dir.stat().st_uid == 0


@needs_root
def test_as_root_a_closed_folder_in_the_way_is_named_and_left_as_it_is(folder: Path) -> None:
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
    first = User(folder / "data", **ordinary)
    assert first.server().username() == "nobody"
    first.leave()
    with embedded.running(folder / "data") as server:
        process = server.process()
        assert process and process.username() == "nobody"
    again = User(folder / "data", **ordinary)
    assert again.server().username() == "nobody"
    again.leave()
