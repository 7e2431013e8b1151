"""`manage.py up` as a real process: how it starts, how signals stop it, and what happens after a kill."""

import os
import re
import signal
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import StringIO
from pathlib import Path
from typing import ClassVar
from unittest.mock import Mock

import psutil
import psycopg
import pytest
from allauth.account.models import EmailAddress
from django.core.management import CommandError
from django.db import connection
from pytest_django import Settings

from accounts.models import User
from chatstore import cluster, embedded
from chatstore.management.commands import up
from testing import pgbouncer, scratch


class Up:
    instances: ClassVar[list["Up"]] = []

    def __init__(self, data_dir: Path, port: int = 0, **variables: str) -> None:
        self.port = port or scratch.free_port()
        variables = {"PORT": str(self.port), "WEB_WORKERS": "1", **variables}
        self.process = scratch.python("manage.py", "up", env=scratch.environment(data_dir, **variables))
        self.output = ""
        self.instances.append(self)

    def started(self) -> "Up":
        assert self.process.stdout
        while "Ctrl-C" not in self.output:
            line = self.process.stdout.readline()
            assert line, self.ended()
            self.output += line
        return self

    def ended(self) -> tuple[int, str]:
        output, errors = self.process.communicate(timeout=scratch.TIMEOUT)
        self.output += output
        return self.process.returncode, errors

    def signal_group(self, signum: signal.Signals) -> tuple[int, str]:
        os.killpg(self.process.pid, signum)
        return self.ended()

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def child(self, name: str) -> psutil.Process:
        return next(child for child in psutil.Process(self.process.pid).children() if name in " ".join(child.cmdline()))

    def commands(self) -> list[list[str]]:
        """Return the command of each child. A child that ends at this moment has none."""
        found = []
        for child in self.children():
            with suppress(psutil.NoSuchProcess):
                found.append(child.as_dict(["cmdline"])["cmdline"] or [])  # None for a zombie
        return found

    def runs_jobs(self) -> bool:
        """Return whether a child runs `manage.py jobs`."""
        return any("jobs" in command for command in self.commands())

    def status(self, path: str) -> int:
        try:
            with urllib.request.urlopen(f"http://localhost:{self.port}{path}", timeout=10) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code


@pytest.fixture(autouse=True)
def nothing_left_running() -> Iterator[None]:
    yield
    while Up.instances:
        if (process := Up.instances.pop().process).poll() is None:
            process.kill()
            process.communicate()


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with scratch.folder() as folder:
        yield folder / "data"


@pytest.fixture(scope="module")
def migrated() -> Iterator[Path]:
    """The data folder after a first run, for the tests of later runs."""
    with scratch.folder() as folder:
        Up(folder / "data").started().signal_group(signal.SIGINT)
        yield folder / "data"


def have_exited(processes: list[psutil.Process]) -> bool:
    return all(scratch.has_exited(process) for process in processes)


def start_error(data_dir: Path, port: int = 0, **variables: str) -> str:
    """Start `up`, assert that it fails with an error message of one line, and return this message."""
    attempt = Up(data_dir, port, **variables)
    status, errors = attempt.ended()
    assert (status, attempt.output) == (1, "")
    assert len(errors.splitlines()) == 1, errors
    return errors


# --- The first and later runs ---------------------------------------------------------------------


def test_the_first_run_prints_a_password_and_the_second_run_uses_the_same_database(data_dir: Path) -> None:
    first = Up(data_dir).started()
    assert re.search(r"^Administrator admin@localhost, password \S{12,}", first.output, re.MULTILINE)
    for line in (f"http://localhost:{first.port}/", f"{first.port}/admin/", f"{first.port}/api/docs/", str(data_dir)):
        assert line in first.output
    assert first.status("/readyz/") == 200
    started = first.children()
    assert first.signal_group(signal.SIGINT) == (0, "")
    assert have_exited(started)

    second = Up(data_dir).started()
    assert "password" not in second.output
    assert second.status("/readyz/") == 200
    assert second.signal_group(signal.SIGTERM) == (0, "")


def test_sigterm_to_up_alone_stops_all_processes(migrated: Path) -> None:
    running = Up(migrated).started()
    started = running.children()
    running.process.terminate()
    assert running.ended() == (0, "")
    assert have_exited(started)


def test_a_second_ctrl_c_does_not_interrupt_the_shutdown(migrated: Path) -> None:
    running = Up(migrated).started()
    started = running.children()
    os.killpg(running.process.pid, signal.SIGINT)
    assert running.signal_group(signal.SIGINT) == (0, "")
    assert have_exited(started)


def test_ctrl_c_during_the_start_stops_the_processes_that_up_has_started(data_dir: Path) -> None:
    starting = Up(data_dir)
    scratch.wait_until((data_dir / "postgres" / "postmaster.pid").exists)
    started = starting.children()
    assert starting.signal_group(signal.SIGINT) == (0, "")
    assert have_exited(started)


def test_commands_use_the_database_server_of_a_running_up(migrated: Path) -> None:
    running = Up(migrated).started()
    command = scratch.manage(migrated, "migrate", "--check")
    assert (command.returncode, command.stderr) == (0, "")
    assert running.status("/readyz/") == 200
    assert running.signal_group(signal.SIGINT) == (0, "")


def test_up_creates_no_file_in_the_home_folder(migrated: Path) -> None:
    home = migrated.parent / "home"
    home.mkdir(exist_ok=True)
    Up(migrated, HOME=str(home)).started().signal_group(signal.SIGINT)
    assert list(home.iterdir()) == []


def test_single_user_mode_is_announced_and_its_user_is_created(migrated: Path) -> None:
    mode = {"SINGLE_USER": "Ada@localhost", "CORS_ALLOWED_ORIGINS": "http://localhost:3000"}
    for _ in range(2):  # the second run finds the user
        running = Up(migrated, **mode).started()
        assert "WARNING: SINGLE-USER MODE. Requests without credentials are from Ada@localhost." in running.output
        assert "http://localhost:3000" in running.output
        assert running.status("/api/v1/me/") == 200
        assert running.signal_group(signal.SIGINT) == (0, "")
    running = Up(migrated).started()
    assert "SINGLE-USER" not in running.output
    assert running.status("/api/v1/me/") == 401
    assert running.signal_group(signal.SIGINT)[0] == 0


@pytest.mark.parametrize(
    "variables", [{"HTTPS": "true"}, {"ALLOWED_HOSTS": "*"}, {"HOST": "0.0.0.0", "ALLOWED_HOSTS": "localhost"}]
)
def test_up_refuses_single_user_mode_where_others_may_get_in(variables: dict[str, str], data_dir: Path) -> None:
    status, errors = Up(data_dir, SINGLE_USER="ada@localhost", SECRET_KEY="x" * 50, **variables).ended()
    assert status == 1 and "chatstore.E005" in errors
    assert not (data_dir / "postgres").exists()


# --- Killed --------------------------------------------------------------------------------------


needs_linux = pytest.mark.skipif(not Path("/proc").exists(), reason="only Linux can end children with their parent")


@needs_linux
def test_the_processes_of_a_killed_up_end_and_the_next_up_starts(migrated: Path) -> None:
    running = Up(migrated).started()
    started = running.children()
    assert running.signal_group(signal.SIGKILL)[0] == -signal.SIGKILL
    second = Up(migrated, running.port).started()
    assert second.status("/readyz/") == 200
    scratch.wait_until(lambda: have_exited(started))
    assert second.signal_group(signal.SIGINT) == (0, "")


@contextmanager
def unfinished_request(port: int) -> Iterator[None]:
    """Send a request whose body does not end. It keeps a thread of the web server busy."""
    with socket.create_connection(("localhost", port)) as client:
        client.sendall(
            b"POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\n\r\nhalf"
        )
        time.sleep(0.5)
        yield


@needs_linux
@pytest.mark.parametrize("victim", ["up", "gunicorn"])
def test_up_starts_without_delay_after_a_kill_during_a_request(victim: str, migrated: Path) -> None:
    running = Up(migrated).started()
    started = running.children()
    killed = running.process if victim == "up" else running.child(victim)
    with unfinished_request(running.port):
        killed.kill()
        second = Up(migrated, running.port).started()
        assert have_exited(started)
    running.ended()
    assert second.status("/readyz/") == 200
    assert second.signal_group(signal.SIGINT) == (0, "")


@needs_linux
def test_workers_end_when_their_master_is_killed_while_up_is_suspended(migrated: Path) -> None:
    running = Up(migrated).started()
    os.kill(running.process.pid, signal.SIGSTOP)
    master = running.child("gunicorn")
    workers = master.children()
    with unfinished_request(running.port):
        master.kill()
        killed = time.monotonic()
        scratch.wait_until(lambda: have_exited(workers))
        assert time.monotonic() - killed < 5  # gunicorn itself would wait graceful_timeout for the request
    os.kill(running.process.pid, signal.SIGCONT)
    assert running.ended()[0] == 1


def test_up_ends_when_the_web_server_is_killed(migrated: Path) -> None:
    running = Up(migrated).started()
    started = running.children()
    running.child("gunicorn").kill()
    status, errors = running.ended()
    assert status == 1
    assert "The web server ended by itself, with status -9." in errors
    scratch.wait_until(lambda: have_exited(started))


@pytest.fixture
def handlers_of_signals() -> Iterator[None]:
    """Restore the handlers of signals after the test."""
    handlers = {signum: signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM)}
    yield
    for signum, handler in handlers.items():
        signal.signal(signum, handler)


@pytest.mark.usefixtures("handlers_of_signals")
def test_up_stops_although_python_has_dropped_the_interrupt() -> None:
    with suppress(KeyboardInterrupt):
        up._interrupt()
    with pytest.raises(KeyboardInterrupt):
        up._watch(Mock(**{"poll.return_value": None}), Mock(), Mock(), None)


def test_a_generator_of_replies_that_is_killed_is_started_again_under_its_id(migrated: Path) -> None:
    running = Up(migrated).started()
    first = running.child("replies")
    command = first.cmdline()
    assert first.nice() == psutil.Process(running.process.pid).nice() + up.CHILD_NICENESS
    first.kill()
    scratch.wait_until(lambda: scratch.has_exited(first) and command in running.commands())
    assert running.status("/readyz/") == 200
    status, errors = running.signal_group(signal.SIGINT)
    assert status == 0
    assert "the generator of replies ended by itself, with status -9; it starts again" in errors


def test_a_process_runs_the_jobs_of_staff_and_ends(migrated: Path) -> None:
    running = Up(migrated).started()
    assert not running.runs_jobs()
    with scratch.connect(migrated, autocommit=True) as database:
        database.execute(
            """INSERT INTO staff_job
            (id, actor_id, language, action, tag, query, users, state, users_done, done, failed, errors, error)
            SELECT gen_random_uuid(), id, '', 'trash', '', '', '{}', 'waiting', 0, 0, 0, '[]', ''
            FROM account WHERE is_superuser"""
        )
        scratch.wait_until(lambda: database.execute("SELECT state FROM staff_job").fetchone() == ("done",))
    scratch.wait_until(lambda: not running.runs_jobs())
    assert running.signal_group(signal.SIGINT)[0] == 0


def test_up_ends_when_the_database_server_is_killed(migrated: Path) -> None:
    running = Up(migrated).started()
    started = running.children()
    running.child("postgres").kill()
    status, errors = running.ended()
    assert status == 1
    assert "The database server ended by itself" in errors
    scratch.wait_until(lambda: have_exited(started))


# --- Start errors ---------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::1"])
def test_a_port_that_is_in_use_is_reported_before_anything_starts(data_dir: Path, address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    if family == socket.AF_INET6 and family not in [entry[0] for entry in socket.getaddrinfo("localhost", None)]:
        pytest.skip("localhost has no ::1 on this machine")
    with socket.socket(family) as other:
        other.bind((address, 0))
        other.listen()
        port = other.getsockname()[1]
        assert f"Another program uses port {port}. Stop it, or" in start_error(data_dir, port)
    assert not (data_dir / "postgres").exists()


def test_the_error_about_a_port_in_use_suggests_a_free_port(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, socket.socket() as next_one:
        port = other.getsockname()[1]
        try:
            next_one.bind(("127.0.0.1", port + 1))
            next_one.listen()
        except OSError:
            pytest.skip("the next port is in use")
        suggested = re.search(r"or try PORT=(\d+), which is free\.", start_error(data_dir, port))
        assert suggested and int(suggested[1]) > port + 1
    with socket.create_server(("127.0.0.1", int(suggested[1]))):
        pass


def test_a_host_that_is_not_an_address_of_this_machine_is_refused(data_dir: Path) -> None:
    variables = {"HOST": "203.0.113.1", "ALLOWED_HOSTS": "*", "SECRET_KEY": "x" * 50}
    assert "HOST 203.0.113.1" in start_error(data_dir, **variables)


def test_the_error_of_a_second_up_names_the_process_of_the_first(migrated: Path) -> None:
    first = Up(migrated).started()
    error = start_error(migrated, first.port)
    assert error.strip() == f"chatstore is already running in {migrated}, pid {first.process.pid}."
    assert first.signal_group(signal.SIGINT) == (0, "")


@pytest.mark.parametrize("name", ["PORT", "WEB_WORKERS", "WEB_THREADS"])
def test_a_setting_that_is_not_a_number_is_refused(data_dir: Path, name: str) -> None:
    assert start_error(data_dir, **{name: "many"}).strip() == f"{name} must be a whole number, not 'many'."


# --- DATABASE_URL --------------------------------------------------------------------------------


def _url(data_dir: Path, credentials: str, name: str) -> dict[str, str]:
    folder = str(embedded.socket_dir(data_dir)).replace(" ", "%20")
    return {"DATABASE_URL": f"postgresql://{credentials}@/{name}?host={folder}", "SECRET_KEY": "x" * 50}


def test_up_uses_the_server_of_database_url_and_does_not_stop_it(data_dir: Path, migrated: Path) -> None:
    with embedded.running(migrated) as server:
        running = Up(data_dir, **_url(migrated, "chatstore", "chatstore")).started()
        assert running.status("/readyz/") == 200
        assert running.signal_group(signal.SIGINT) == (0, "")
        assert server.process()
    assert not (data_dir / "postgres").exists()


def test_wrong_database_credentials_and_names_are_explained(data_dir: Path, migrated: Path) -> None:
    hba = migrated / "postgres" / "pg_hba.conf"
    before = hba.read_text()
    hba.write_text(f"local all stranger scram-sha-256\n{before}")
    with embedded.running(migrated):
        error = start_error(data_dir, **_url(migrated, "stranger:wrong", "chatstore"))
        assert 'password authentication failed for user "stranger". Correct the user or the password.' in error
        error = start_error(data_dir, **_url(migrated, "chatstore", "missing"))
        assert 'database "missing" does not exist. Create it, or correct the name.' in error
    hba.write_text(before)


def test_a_database_user_without_the_right_to_create_tables_is_explained(data_dir: Path, migrated: Path) -> None:
    with embedded.running(migrated):
        with psycopg.connect(_url(migrated, "chatstore", "chatstore")["DATABASE_URL"], autocommit=True) as connection:
            connection.execute("CREATE DATABASE theirs")
            connection.execute("CREATE USER guest")
        error = start_error(data_dir, **_url(migrated, "guest", "theirs"))
        assert "permission denied for schema public" in error and "ALTER DATABASE name OWNER TO user" in error


def test_a_pooler_that_refuses_the_web_servers_options_is_explained(data_dir: Path, migrated: Path) -> None:
    with (
        embedded.running(migrated) as server,
        pgbouncer.refusing_options(str(server.socket_dir / cluster.SOCKET)) as port,
    ):
        url = f"postgresql://chatstore@127.0.0.1:{port}/chatstore?sslmode=disable&gssencmode=disable"
        variables = {"DATABASE_URL": url, "SECRET_KEY": "x" * 50}
        assert "Set ignore_startup_parameters = options in PgBouncer" in start_error(data_dir, **variables)
        running = Up(data_dir, DB_STATEMENT_TIMEOUT="0", **variables).started()
        assert running.status("/readyz/") == 200
        assert running.signal_group(signal.SIGINT) == (0, "")


def _fresh_database(migrated: Path, name: str) -> dict[str, str]:
    with psycopg.connect(_url(migrated, "chatstore", "chatstore")["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return _url(migrated, "chatstore", name)


def test_up_can_start_twice_at_the_same_time_on_a_new_database(data_dir: Path, migrated: Path) -> None:
    with embedded.running(migrated):
        url = _fresh_database(migrated, "two")
        both = [Up(data_dir, **url), Up(data_dir, **url)]
        for running in both:
            running.started()
        assert sum("password" in running.output for running in both) == 1
        for running in both:
            assert running.signal_group(signal.SIGINT) == (0, "")


def test_two_commands_migrate_a_new_database_at_the_same_time(data_dir: Path, migrated: Path) -> None:
    with embedded.running(migrated):
        environment = scratch.environment(data_dir, **_fresh_database(migrated, "commands"))
        both = [scratch.python("manage.py", "migrate", "-v0", env=environment) for _ in range(2)]
        assert [(command.communicate(), command.returncode) for command in both] == [(("", ""), 0)] * 2


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgres://ann:x@127.0.0.1:1/chats", "Connection refused Is the server running on that host"),
        ("postgres://ann:x@host.invalid/chats", "failed to resolve host 'host.invalid'"),
        ("postgres://ann:x@127.0.0.1:1/chats?pgbouncer=true", 'invalid connection option "pgbouncer"'),
        ("postgres://ann:a@b@127.0.0.1:1/chats", "write a%40b."),
    ],
)
def test_a_database_that_cannot_be_reached_is_explained(data_dir: Path, url: str, expected: str) -> None:
    assert expected in start_error(data_dir, DATABASE_URL=url, SECRET_KEY="x" * 50)


def test_an_old_postgresql_is_refused(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    monkeypatch.setattr(connection, "get_database_version", lambda: (14, 12))
    with pytest.raises(CommandError, match=r"The database server is PostgreSQL 14; chatstore needs 15 or later\."):
        up._check_database()


def test_other_commands_also_explain_in_one_line_that_the_database_cannot_be_reached(data_dir: Path) -> None:
    url = "postgres://a:b@127.0.0.1:1/c"
    command = scratch.manage(data_dir, "migrate", DATABASE_URL=url, SECRET_KEY="x" * 50)
    assert command.returncode == 1
    assert len(command.stderr.splitlines()) == 1
    assert "Connection refused" in command.stderr


# --- The first administrator ---------------------------------------------------------------------


@pytest.fixture(autouse=True)
def administrator(settings: Settings) -> None:
    settings.ADMIN_EMAIL, settings.ADMIN_PASSWORD = "admin@localhost", ""


def create_administrator() -> str:
    output = StringIO()
    up.Command(stdout=output)._create_administrator()
    return output.getvalue()


@pytest.mark.django_db
def test_the_administrator_can_sign_in_with_a_verified_address() -> None:
    password = re.search(r"password (\S+)", create_administrator())
    user = User.objects.get(is_superuser=True)
    assert password and user.check_password(password[1])
    assert EmailAddress.objects.get(user=user, email="admin@localhost", verified=True, primary=True)
    assert create_administrator() == ""


@pytest.mark.django_db
def test_a_password_from_the_settings_is_not_printed(settings: Settings) -> None:
    settings.ADMIN_PASSWORD = "given"
    assert create_administrator() == ""
    assert User.objects.get(is_superuser=True).check_password("given")


@pytest.mark.django_db
def test_an_ordinary_user_with_the_administrators_address_does_not_become_an_administrator() -> None:
    User.objects.create_user(email="admin@localhost", password="x")
    with pytest.raises(CommandError, match="ADMIN_EMAIL admin@localhost is an ordinary user's"):
        create_administrator()
