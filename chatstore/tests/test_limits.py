"""Rate limits: token buckets (`Buckets`), places in the cache (`take_place`), and the limits of the API."""

import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from rest_framework.settings import api_settings

from accounts.models import User
from chatstore.errors import RateLimited
from chatstore.limits import CLIENT, Buckets, take_place
from testing.api_client import ApiClient, acting_client_for, create_user, is_error
from testing.parallel import repeat, run_concurrently
from testing.statements import assert_statement_count


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    return clock


# --- Buckets ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 3, 7, 600, 12_345])
def test_a_bucket_allows_as_many_requests_as_its_size(count: int, clock: Clock) -> None:
    buckets = Buckets(seconds=60, keys=10)
    assert [buckets.wait("a", count) for _ in range(count)] == [0] * count
    assert buckets.wait("a", count) == pytest.approx(60 / count, abs=1e-6)
    assert buckets.wait("b", count) == 0


def test_a_bucket_refills_evenly_and_refused_requests_take_nothing(clock: Clock) -> None:
    buckets = Buckets(seconds=60, keys=10)
    for _ in range(6):
        buckets.wait("a", 6)
    assert [buckets.wait("a", 6) for _ in range(3)] == [10] * 3
    clock.now += 10
    assert [buckets.wait("a", 6) for _ in range(2)] == [0, 10]
    clock.now += 1_000
    assert [buckets.wait("a", 6) for _ in range(7)] == [0] * 6 + [10]


def test_only_the_latest_keys_are_kept(clock: Clock) -> None:
    buckets = Buckets(seconds=60, keys=2)
    for key in "abac":
        buckets.wait(key, 2)
    assert buckets.wait("a", 2) > 0
    assert buckets.wait("b", 2) == 0, "b must be removed"


class SlowKeys(OrderedDict[Any, float]):
    """Let other threads run between the read and the write."""

    def get(self, key: Any, default: Any = None) -> Any:
        value = super().get(key, default)
        time.sleep(0.001)
        return value


def test_concurrent_threads_take_no_more_than_the_size_of_the_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    buckets = Buckets(seconds=100_000, keys=10)
    monkeypatch.setattr(buckets, "_full_at", SlowKeys())
    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(lambda _: buckets.wait("a", 20), range(60)))
    assert waits.count(0) == 20


# --- Places --------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_place_is_taken_until_it_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    def take() -> None:
        take_place("x", count=2, seconds=100, limit="2 a while")

    clock = time.time
    monkeypatch.setattr(time, "time", lambda: clock() - 60)
    take()
    monkeypatch.undo()
    take()
    with pytest.raises(RateLimited) as excinfo:
        take()
    assert 38 <= excinfo.value.wait <= 41, "the wait must end when the first place is free"
    take_place("y", count=1, seconds=100, limit="")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(5))
def test_each_expired_place_is_taken_once_by_concurrent_requests(attempt: int) -> None:
    """All places expired a moment ago. This happens an hour after a user has created many tokens at the same time."""
    for number in range(20):
        cache.add(f"y{attempt}:{number}", 0.0, 3600)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE cache SET expires = now() - interval '5 seconds'")

    def take(index: int) -> bool:
        try:
            take_place(f"y{attempt}", count=20, seconds=3600, limit="20 an hour")
        except RateLimited:
            return False
        return True

    assert run_concurrently(*repeat(30, take)).count(True) == 20


@pytest.mark.django_db
def test_housekeeping_removes_expired_entries_from_the_cache() -> None:
    cache.set("over", 1, -1)
    cache.set("held", 1, 60)
    call_command("housekeeping", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT cache_key FROM cache")
        assert cursor.fetchall() == [(":1:held",)]


# --- The API as a whole ------------------------------------------------------------------------------------


def test_a_request_over_the_rate_is_a_429_with_retry_after(alice: User, settings: Any) -> None:
    settings.API_RATE = 3
    clients = [ApiClient(alice), ApiClient(alice), ApiClient(alice, by="session")]  # one user with three credentials
    for api_client in clients:
        api_client("GET", "me/")
    for api_client in clients:
        assert api_client.refusal("GET", "me/", status=429) == ("rate_limited", None)
        assert is_error(api_client.answer)
        assert api_client.answer.headers["Retry-After"] == "20"
        assert "3 requests a minute" in api_client.text
    ApiClient(create_user("Bob"))("GET", "me/")


def test_a_request_is_answered_after_the_time_in_retry_after(alice: User, settings: Any, clock: Clock) -> None:
    settings.API_RATE = 60
    api_client = ApiClient(alice)
    for _ in range(60):
        api_client("GET", "me/")
    api_client("GET", "me/", status=429)
    clock.now += int(api_client.answer.headers["Retry-After"])
    api_client("GET", "me/")
    api_client("GET", "me/", status=429)


def test_each_managed_user_is_counted_separately(alice: User, settings: Any) -> None:
    settings.API_RATE = 1
    for id in ("u-1", "u-2"):
        acting_client_for(alice, id)("GET", "me/")
        acting_client_for(alice, id)("GET", "me/", status=429)
    ApiClient(alice)("GET", "me/")


def test_the_requests_of_all_users_of_a_back_end_are_counted_together(alice: User, bob: User, settings: Any) -> None:
    settings.ACT_AS_RATE = 3
    for number in range(5):
        acting_client_for(alice, f"u-{number}")("GET", "me/", status=200 if number < 3 else 429)
    acting_client_for(bob, "u-0")("GET", "me/")
    ApiClient(alice)("GET", "me/")


def test_addresses_of_one_ipv6_network_are_counted_together(db: None, settings: Any) -> None:
    settings.API_RATE = 1
    api_client = ApiClient()
    for address, status in (("2001:db8::1", 401), ("2001:db8::2:3", 429), ("2001:db8:0:1::1", 401), ("192.0.2.9", 401)):
        api_client.client.defaults["REMOTE_ADDR"] = address
        api_client("GET", "me/", status=status)


def test_requests_that_fail_authentication_are_counted_by_address(alice: User, settings: Any) -> None:
    settings.API_RATE = 3
    with_bad_token, without_token = ApiClient(), ApiClient()
    with_bad_token.headers = {"Authorization": "Bearer cs_x"}
    for api_client in (with_bad_token, without_token, with_bad_token):
        api_client("GET", "me/", status=401)
    for api_client in (with_bad_token, without_token):
        assert api_client.refusal("GET", "me/", status=429) == ("rate_limited", None)
    ApiClient(alice)("GET", "me/")
    without_token.client.defaults["REMOTE_ADDR"] = "192.0.2.1"
    without_token("GET", "me/", status=401)


def test_requests_without_the_needed_scope_are_counted_by_user(alice: User, settings: Any) -> None:
    settings.API_RATE = 1
    reader = ApiClient(alice, scopes=["read"])
    reader("PATCH", "me/", {"name": "x"}, status=403)
    reader("PATCH", "me/", {"name": "x"}, status=429)


@pytest.mark.parametrize(("proxies", "status"), [(0, 429), (1, 401), (2, 429)])
def test_behind_proxies_the_address_is_taken_from_x_forwarded_for(
    proxies: int, status: int, db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each proxy appends an address. The addresses further to the left come from the client and are not trusted."""
    settings.API_RATE = 1
    monkeypatch.setattr(api_settings, "NUM_PROXIES", proxies)
    for address, expected in (("192.0.2.1", 401), ("192.0.2.2", status), ("192.0.2.1", 429)):
        ApiClient()("GET", "me/", status=expected, X_Forwarded_For=f"203.0.113.9, 203.0.113.7, {address}")


def test_the_rate_limit_executes_no_sql_statement(alice: User, settings: Any) -> None:
    settings.API_RATE = 10
    api_client = ApiClient(alice)
    api_client("GET", "me/")
    with assert_statement_count(1):
        api_client("GET", "me/")


@pytest.mark.parametrize(("rate", "status"), [(600, 429), (0, 200)])
def test_a_rate_of_0_means_no_limit(rate: int, status: int, alice: User, settings: Any, clock: Clock) -> None:
    settings.API_RATE = rate
    api_client = ApiClient(alice)
    for _ in range(600):
        api_client("GET", "me/")
    api_client("GET", "me/", status=status)


def test_the_web_server_knows_for_whom_a_request_counts(alice: User) -> None:
    """It shares the memory for large responses between users and addresses."""
    api_client, stranger = ApiClient(alice), ApiClient()
    api_client("GET", "me/")
    stranger("GET", "me/", status=401)
    clients = [each.answer.wsgi_request.environ[CLIENT] for each in (api_client, stranger)]
    assert clients == [alice.pk, "127.0.0.1"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/livez", "/readyz", "/api/health", "/livez/", "/readyz/", "/api/health/"])
def test_probes_are_never_limited(path: str, settings: Any) -> None:
    settings.API_RATE = 1
    for _ in range(5):
        ApiClient()("GET", path)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/schema/", "/docs/"])
def test_the_api_documents_are_limited(path: str, settings: Any, clock: Clock) -> None:
    settings.API_RATE = 1
    api_client = ApiClient()
    api_client("GET", path)
    api_client("GET", path, status=429)
    assert api_client.answer.headers["Retry-After"] == "60"
