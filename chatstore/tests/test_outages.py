"""A real gunicorn whose database server stops, becomes read-only, changes its tables, is behind a pooler, or loses
power."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from chatstore import cluster, embedded
from testing import scratch, transaction_pooler
from testing.live_server import Live, gunicorn, json_body
from testing.network import OtherHost

CONVERSATIONS = "/api/v1/conversations/"
KEY = "a secret key of fifty characters, for these tests only"
# The statement affects only sessions that begin after it.
READ_ONLY = "ALTER DATABASE chatstore SET default_transaction_read_only = "
END_SESSIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'chatstore'"


class Database:
    """A database server for these tests only."""

    def __init__(self, folder: Path) -> None:
        self.data_dir = folder
        self._running = ExitStack()

    def start(self) -> None:
        self._running.enter_context(embedded.running(self.data_dir))

    def stop(self) -> None:
        self._running.close()

    def execute(self, statement: str, dbname: str = "postgres") -> None:
        with scratch.connect(self.data_dir, dbname=dbname, autocommit=True) as connection:
            connection.execute(statement.encode())

    def manage(self, *arguments: str) -> str:
        completed = scratch.manage(self.data_dir, *arguments)
        assert completed.returncode == 0, completed.stderr
        return completed.stdout


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
def serving(database: Database, **variables: str) -> Iterator[Live]:
    variables = {"DATABASE_URL": "", "DATA_DIR": str(database.data_dir), "SECRET_KEY": KEY, **variables}
    with gunicorn("chatstore", **variables) as port:
        yield Live(port)


def create(live: Live, bearer: dict[str, str]) -> int:
    return live.call("POST", CONVERSATIONS, b"{}", **bearer).status


def seconds_until(condition: Callable[[], object]) -> float:
    started = time.monotonic()
    scratch.wait_until(condition)
    return time.monotonic() - started


# --- Stopped --------------------------------------------------------------------------------------------


def test_the_service_answers_within_seconds_after_its_database_is_back(
    migrated: Database, bearer: dict[str, str]
) -> None:
    with serving(migrated, WEB_WORKERS="1") as live:
        assert create(live, bearer) == 201
        migrated.stop()
        try:
            # A pool whose pauses keep growing would not try to connect between 18 and 27 s after its first attempt.
            end_of_outage = time.monotonic() + 18
            while time.monotonic() < end_of_outage:
                assert live.call("GET", CONVERSATIONS, **bearer).status == 503
        finally:
            migrated.start()
        assert seconds_until(lambda: create(live, bearer) == 201) < 5


def test_while_the_database_is_stopped_probes_answer_quickly_and_pages_answer_503(
    migrated: Database, bearer: dict[str, str]
) -> None:
    with serving(migrated) as live:
        migrated.stop()
        try:
            started = time.monotonic()
            assert live.call("GET", "/livez").status == 200
            assert time.monotonic() - started < 1
            answer = live.call("GET", "/readyz")
            assert (answer.status, json_body(answer)["database"]) == (503, "unavailable")
            assert time.monotonic() - started < 5
            page = live.call("GET", "/accounts/email/", Cookie=f"sessionid={'a' * 32}", Accept="text/html")
            assert (page.status, page.headers["Retry-After"]) == (503, "5")
            assert b"try again in a few seconds" in page.body  # type: ignore[attr-defined]
        finally:
            migrated.start()


# --- Read-only --------------------------------------------------------------------------------------------


def test_writes_to_a_read_only_database_get_a_503_and_work_again_later_without_a_restart(
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
        # In each of the two workers, one request can fail. That failure replaces all connections of the worker.
        assert set(statuses) <= {201, 503} and statuses.count(503) <= 2 and statuses[-1] == 201
        assert live.call("GET", "/readyz").status == 200


def _all_are_read_only(live: Live, bearer: dict[str, str]) -> bool:
    """Return whether all old connections are replaced. Each fails once, because END_SESSIONS ended its session."""
    answers = [live.call("POST", CONVERSATIONS, b"{}", **bearer) for _ in range(20)]
    return all("accepts no changes" in json_body(answer)["error"]["message"] for answer in answers)


# --- Another table ----------------------------------------------------------------------------------------


def test_a_migration_that_changes_the_type_of_a_column_costs_one_503_for_each_worker(
    migrated: Database, bearer: dict[str, str]
) -> None:
    """A prepared statement whose result has another type than before is an error in PostgreSQL, each time."""
    with serving(migrated) as live:
        assert {create(live, bearer) for _ in range(20)} == {201}
        for length in (300, 255):
            migrated.execute(f"ALTER TABLE account ALTER name TYPE varchar({length})", dbname="chatstore")
            answers = [live.call("GET", CONVERSATIONS, **bearer) for _ in range(20)]
            refused = [answer for answer in answers if answer.status != 200]
            assert 1 <= len(refused) <= 2 and answers[-1].status == 200
            assert {(answer.status, answer.headers["Retry-After"]) for answer in refused} == {(503, "5")}


def test_a_migration_that_adds_a_column_costs_no_request(migrated: Database, bearer: dict[str, str]) -> None:
    with serving(migrated) as live:
        assert {create(live, bearer) for _ in range(20)} == {201}
        for table in ("account", "api_token", "conversation", "message"):
            migrated.execute(f"ALTER TABLE {table} ADD COLUMN later text", dbname="chatstore")
        try:
            assert {create(live, bearer) for _ in range(20)} == {201}
            assert {live.call("GET", CONVERSATIONS, **bearer).status for _ in range(20)} == {200}
        finally:
            for table in ("account", "api_token", "conversation", "message"):
                migrated.execute(f"ALTER TABLE {table} DROP COLUMN later", dbname="chatstore")


# --- Behind PgBouncer -------------------------------------------------------------------------------------


@contextmanager
def behind_pgbouncer(database: Database, *, keeps_statements: bool, **variables: str) -> Iterator[Live]:
    path = f"{embedded.socket_dir(database.data_dir)}/{cluster.SOCKET}"
    with transaction_pooler.pooling_transactions(path, keeps_statements=keeps_statements) as port:
        url = f"postgresql://chatstore@127.0.0.1:{port}/chatstore?sslmode=disable&gssencmode=disable"
        with serving(database, DATABASE_URL=url, DB_STATEMENT_TIMEOUT="0", **variables) as live:
            yield live


def statuses_of_many_requests(live: Live, bearer: dict[str, str], name: str) -> set[int]:
    """Send lists, appends, and appends that are rolled back with a 409. Return the status codes other than expected."""
    body = json.dumps({"external_id": name}).encode()
    path = f"{CONVERSATIONS}{json_body(live.call('POST', CONVERSATIONS, body, **bearer)).get('id')}/messages/"
    unexpected = set()
    for number in range(20):
        for text, id, expected in (("a", None, 201), ("a", f"id {number}", 201), ("b", f"id {number}", 409)):
            sent = json.dumps({"role": "user", "content": text, "external_id": id}).encode()
            unexpected |= {live.call("POST", path, sent, **bearer).status} - {expected}
        unexpected |= {live.call("GET", address, **bearer).status for address in (CONVERSATIONS, path)} - {200}
    return unexpected


def test_prepared_statements_work_through_a_pooler_that_keeps_them(migrated: Database, bearer: dict[str, str]) -> None:
    with behind_pgbouncer(migrated, keeps_statements=True) as live:
        assert statuses_of_many_requests(live, bearer, "kept") == set()


def test_without_prepared_statements_chatstore_works_through_an_old_pooler(
    migrated: Database, bearer: dict[str, str]
) -> None:
    with behind_pgbouncer(migrated, keeps_statements=False, DB_PREPARED_STATEMENTS="false") as live:
        assert statuses_of_many_requests(live, bearer, "old") == set()


def test_an_old_pooler_loses_prepared_statements(migrated: Database, bearer: dict[str, str]) -> None:
    """So the setting is needed, and the tests above would notice prepared statements."""
    with behind_pgbouncer(migrated, keeps_statements=False) as live:
        assert {live.call("GET", CONVERSATIONS, **bearer).status for _ in range(20)} != {200}


# --- Without power ----------------------------------------------------------------------------------------


def test_requests_do_not_hang_when_the_database_host_loses_power(migrated: Database, bearer: dict[str, str]) -> None:
    socket_path = f"{embedded.socket_dir(migrated.data_dir)}/{cluster.SOCKET}"
    with OtherHost(forwards_to=socket_path) as host:
        url = f"postgresql://chatstore@{host.address}:{host.port}/chatstore"
        with serving(migrated, DATABASE_URL=url) as live:
            for _ in range(20):
                assert create(live, bearer) == 201
            host.lose_power()
            started = time.monotonic()
            assert live.call("GET", CONVERSATIONS, **bearer).status == 503
            assert live.call("GET", "/livez").status == 200
            assert live.call("GET", "/readyz").status == 503
            assert time.monotonic() - started < 20
            host.regain_power()
            assert seconds_until(lambda: create(live, bearer) == 201) < 15
