"""A real database that stops, is set read-only, or loses its power, under a real gunicorn."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest

from chatstore import cluster, embedded
from chatstore.env import BASE_DIR
from testing import scratch
from testing.live_server import Live, gunicorn, json_body
from testing.network import OtherHost

CONVERSATIONS = "/api/v1/conversations/"
KEY = "a secret key of fifty characters, for these tests only"
# It holds for sessions that begin later.
READ_ONLY = "ALTER DATABASE chatstore SET default_transaction_read_only = "
END_SESSIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'chatstore'"


class Database:
    """A database server of these tests only."""

    def __init__(self, folder: Path) -> None:
        self.data_dir = folder
        self._running = ExitStack()

    def start(self) -> None:
        self._running.enter_context(embedded.running(self.data_dir))

    def stop(self) -> None:
        self._running.close()

    def execute(self, statement: str) -> None:
        address = embedded.address(self.data_dir)
        where = {"host": address["HOST"], "port": address["PORT"], "user": address["USER"], "dbname": "postgres"}
        with psycopg.connect(**where, autocommit=True) as connection:
            connection.execute(statement.encode())

    def manage(self, *arguments: str) -> str:
        environment = scratch.environment(self.data_dir)
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=BASE_DIR, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def migrated() -> Iterator[Database]:
    with scratch.folder() as folder:
        database = Database(folder / "data")
        database.start()
        database.manage("migrate", "--verbosity=0")
        yield database
        database.stop()


@pytest.fixture(scope="module")
def bearer(migrated: Database) -> dict[str, str]:
    secret = migrated.manage("createtoken", "ann@example.com", "--create-user").strip()
    return {"Authorization": f"Bearer {secret}"}


@contextmanager
def serving(database: Database, **knobs: str) -> Iterator[Live]:
    knobs = {"DATABASE_URL": "", "DATA_DIR": str(database.data_dir), "SECRET_KEY": KEY, **knobs}
    with gunicorn("chatstore", **knobs) as port:
        yield Live(port)


def create(live: Live, bearer: dict[str, str]) -> int:
    return live.call("POST", CONVERSATIONS, b"{}", **bearer).status


def seconds_until(happens: object) -> float:
    begun = time.monotonic()
    scratch.wait_until(happens)  # type: ignore[arg-type]
    return time.monotonic() - begun


# --- Away -----------------------------------------------------------------------------------------------


def test_the_service_is_back_within_seconds_of_its_database(migrated: Database, bearer: dict[str, str]) -> None:
    with serving(migrated, WEB_WORKERS="1") as live:
        assert create(live, bearer) == 201
        migrated.stop()
        try:
            away_until = time.monotonic() + 18  # with growing pauses the next attempt is 27 s after the first, or later
            while time.monotonic() < away_until:
                assert live.call("GET", CONVERSATIONS, **bearer).status == 503
        finally:
            migrated.start()
        assert seconds_until(lambda: create(live, bearer) == 201) < 5


def test_while_the_database_is_away_probes_are_answered_soon_and_pages_are_a_503(
    migrated: Database, bearer: dict[str, str]
) -> None:
    with serving(migrated) as live:
        migrated.stop()
        try:
            begun = time.monotonic()
            assert live.call("GET", "/livez").status == 200
            assert time.monotonic() - begun < 1
            answer = live.call("GET", "/readyz")
            assert (answer.status, json_body(answer)["database"]) == (503, "unavailable")
            assert time.monotonic() - begun < 5
            page = live.call("GET", "/accounts/email/", Cookie=f"sessionid={'a' * 32}", Accept="text/html")
            assert (page.status, page.headers["Retry-After"]) == (503, "5")
            assert b"try again in a few seconds" in page.body  # type: ignore[attr-defined]
        finally:
            migrated.start()


# --- Read-only --------------------------------------------------------------------------------------------


def test_a_read_only_database_is_a_503_and_writes_work_again_without_a_restart(
    migrated: Database, bearer: dict[str, str]
) -> None:
    with serving(migrated) as live:
        assert create(live, bearer) == 201
        migrated.execute(f"{READ_ONLY} on")
        migrated.execute(END_SESSIONS)
        try:
            scratch.wait_until(lambda: _all_are_read_only(live, bearer))
            answer = live.call("POST", CONVERSATIONS, b"{}", **bearer)
            assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
            assert json_body(answer)["error"]["code"] == "unavailable"
            assert json_body(answer)["error"]["message"].startswith("The database accepts no changes")
            contract = live.call("POST", "/api/v1/storage/active-chat", b'{"activeChatId": "a"}', **bearer)
            assert contract.status == 503 and json_body(contract)["error"].startswith("The database accepts no changes")
            probe = live.call("GET", "/readyz")
            assert (probe.status, json_body(probe)["database"]) == (503, "read-only")
            assert live.call("GET", CONVERSATIONS, **bearer).status == 200
        finally:
            migrated.execute(f"{READ_ONLY} off")
        statuses = [create(live, bearer) for _ in range(30)]
        # The first failure in each worker replaces all connections of that worker.
        assert set(statuses) <= {201, 503} and statuses.count(503) <= 2 and statuses[-1] == 201
        assert live.call("GET", "/readyz").status == 200


def _all_are_read_only(live: Live, bearer: dict[str, str]) -> bool:
    """Whether no connection is left from before: each fails once, because its session was ended."""
    answers = [live.call("POST", CONVERSATIONS, b"{}", **bearer) for _ in range(20)]
    return all("accepts no changes" in json_body(answer)["error"]["message"] for answer in answers)


# --- Without power ----------------------------------------------------------------------------------------


def test_a_database_host_that_loses_power_is_a_503_and_no_hanging_request(
    migrated: Database, bearer: dict[str, str]
) -> None:
    socket = f"{embedded.socket_dir(migrated.data_dir)}/{cluster.SOCKET}"
    with OtherHost(forwards_to=socket) as host:
        url = f"postgresql://chatstore@{host.address}:{host.port}/chatstore"
        with serving(migrated, DATABASE_URL=url) as live:
            for _ in range(20):
                assert create(live, bearer) == 201
            host.lose_power()
            begun = time.monotonic()
            assert live.call("GET", CONVERSATIONS, **bearer).status == 503
            assert live.call("GET", "/livez").status == 200
            assert live.call("GET", "/readyz").status == 503
            assert time.monotonic() - begun < 20
            host.regain_power()
            assert seconds_until(lambda: create(live, bearer) == 201) < 15
