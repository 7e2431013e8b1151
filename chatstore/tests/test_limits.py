"""Who asks too often is asked to wait."""

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
from chatstore.api import throttling
from chatstore.errors import RateLimited
from chatstore.limits import Buckets, take_place
from testing.api_client import ApiClient, acting_client_for, create_user, is_error
from testing.parallel import repeat, run_concurrently


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
def test_a_bucket_gives_as_many_as_fit_in(count: int, clock: Clock) -> None:
    buckets = Buckets(seconds=60, keys=10)
    assert [buckets.wait("a", count) for _ in range(count)] == [0] * count
    assert buckets.wait("a", count) == pytest.approx(60 / count, abs=1e-6)
    assert buckets.wait("b", count) == 0


def test_it_fills_up_evenly_and_what_was_refused_takes_nothing(clock: Clock) -> None:
    buckets = Buckets(seconds=60, keys=10)
    for _ in range(6):
        buckets.wait("a", 6)
    assert [buckets.wait("a", 6) for _ in range(3)] == [10] * 3
    clock.now += 10
    assert [buckets.wait("a", 6) for _ in range(2)] == [0, 10]
    clock.now += 1_000
    assert [buckets.wait("a", 6) for _ in range(7)] == [0] * 6 + [10]


def test_only_so_many_keys_are_kept_and_those_are_the_last(clock: Clock) -> None:
    buckets = Buckets(seconds=60, keys=2)
    for key in "abac":
        buckets.wait(key, 2)
    assert buckets.wait("a", 2) > 0
    assert buckets.wait("b", 2) == 0, "forgotten"


class SlowKeys(OrderedDict[Any, float]):
    """Gives other threads a turn between what is read and what is written."""

    def get(self, key: Any, default: Any = None) -> Any:
        found = super().get(key, default)
        time.sleep(0.001)
        return found


def test_threads_take_no_more_than_fit_in(monkeypatch: pytest.MonkeyPatch) -> None:
    buckets = Buckets(seconds=100_000, keys=10)
    monkeypatch.setattr(buckets, "_full_at", SlowKeys())
    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(lambda _: buckets.wait("a", 20), range(60)))
    assert waits.count(0) == 20


# --- Places --------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_place_is_held_for_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def take() -> None:
        take_place("x", count=2, seconds=100, limit="2 a while")

    clock = time.time
    monkeypatch.setattr(time, "time", lambda: clock() - 60)
    take()
    monkeypatch.undo()
    take()
    with pytest.raises(RateLimited) as refused:
        take()
    assert 38 <= refused.value.wait <= 41, "the one that is free first"
    take_place("y", count=1, seconds=100, limit="")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(5))
def test_places_that_were_held_before_are_taken_once_each(attempt: int) -> None:
    """All places expired a moment ago, as when the same user makes tokens an hour later, many at the same time."""
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
def test_housekeeping_takes_what_is_over_from_the_cache() -> None:
    cache.set("over", 1, -1)
    cache.set("held", 1, 60)
    call_command("housekeeping", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT cache_key FROM cache")
        assert cursor.fetchall() == [(":1:held",)]


@pytest.fixture(autouse=True)
def nobody_has_asked_yet() -> None:
    throttling.requests.forget()


# --- The API as a whole ------------------------------------------------------------------------------------


def test_over_the_rate_it_is_a_429_that_says_when_to_ask_again(alice: User, settings: Any) -> None:
    settings.API_RATE = 3
    callers = [ApiClient(alice), ApiClient(alice), ApiClient(alice, by="session")]  # one user, whatever opens the door
    for caller in callers:
        caller("GET", "me/")
    for caller in callers:
        assert caller.refusal("GET", "me/", status=429) == ("rate_limited", None)
        assert is_error(caller.answer)
        assert caller.answer.headers["Retry-After"] == "20"
        assert "3 requests a minute" in caller.text
    ApiClient(create_user("Bob"))("GET", "me/")


def test_after_that_time_it_is_answered(alice: User, settings: Any, clock: Clock) -> None:
    settings.API_RATE = 60
    caller = ApiClient(alice)
    for _ in range(60):
        caller("GET", "me/")
    caller("GET", "me/", status=429)
    clock.now += int(caller.answer.headers["Retry-After"])
    caller("GET", "me/")
    caller("GET", "me/", status=429)


def test_a_back_ends_users_are_counted_each(alice: User, settings: Any) -> None:
    settings.API_RATE = 1
    for id in ("u-1", "u-2"):
        acting_client_for(alice, id)("GET", "me/")
        acting_client_for(alice, id)("GET", "me/", status=429)
    ApiClient(alice)("GET", "me/")


def test_a_back_end_is_counted_for_all_its_users(alice: User, bob: User, settings: Any) -> None:
    settings.ACT_AS_RATE = 3
    for number in range(5):
        acting_client_for(alice, f"u-{number}")("GET", "me/", status=200 if number < 3 else 429)
    acting_client_for(bob, "u-0")("GET", "me/")
    ApiClient(alice)("GET", "me/")


def test_addresses_of_one_ipv6_network_are_one(db: None, settings: Any) -> None:
    settings.API_RATE = 1
    caller = ApiClient()
    for address, status in (("2001:db8::1", 401), ("2001:db8::2:3", 429), ("2001:db8:0:1::1", 401), ("192.0.2.9", 401)):
        caller.client.defaults["REMOTE_ADDR"] = address
        caller("GET", "me/", status=status)


def test_who_is_refused_is_counted_by_address(alice: User, settings: Any) -> None:
    settings.API_RATE = 3
    bad, nobody = ApiClient(), ApiClient()
    bad.headers = {"Authorization": "Bearer cs_x"}
    for caller in (bad, nobody, bad):
        caller("GET", "me/", status=401)
    for caller in (bad, nobody):
        assert caller.refusal("GET", "me/", status=429) == ("rate_limited", None)
    ApiClient(alice)("GET", "me/")
    nobody.client.defaults["REMOTE_ADDR"] = "192.0.2.1"
    nobody("GET", "me/", status=401)


def test_a_token_that_may_not_is_counted_as_its_user(alice: User, settings: Any) -> None:
    settings.API_RATE = 1
    reader = ApiClient(alice, scopes=["read"])
    reader("PATCH", "me/", {"name": "x"}, status=403)
    reader("PATCH", "me/", {"name": "x"}, status=429)


@pytest.mark.parametrize(("proxies", "status"), [(0, 429), (1, 401), (2, 429)])
def test_behind_proxies_the_address_is_what_they_say(
    proxies: int, status: int, db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a client sends itself stands further to the left, and is not believed."""
    settings.API_RATE = 1
    monkeypatch.setattr(api_settings, "NUM_PROXIES", proxies)
    for address, expected in (("192.0.2.1", 401), ("192.0.2.2", status), ("192.0.2.1", 429)):
        ApiClient()("GET", "me/", status=expected, X_Forwarded_For=f"203.0.113.9, 203.0.113.7, {address}")


def test_nothing_of_it_is_asked_of_the_database(alice: User, settings: Any, django_assert_num_queries: Any) -> None:
    settings.API_RATE = 10
    caller = ApiClient(alice)
    caller("GET", "me/")
    with django_assert_num_queries(1):
        caller("GET", "me/")


@pytest.mark.parametrize(("rate", "status"), [(600, 429), (0, 200)])
def test_a_rate_of_0_is_no_limit(rate: int, status: int, alice: User, settings: Any, clock: Clock) -> None:
    settings.API_RATE = rate
    caller = ApiClient(alice)
    for _ in range(600):
        caller("GET", "me/")
    caller("GET", "me/", status=status)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/livez", "/readyz", "/api/health", "/livez/", "/readyz/", "/api/health/"])
def test_probes_are_never_limited(path: str, settings: Any) -> None:
    settings.API_RATE = 1
    for _ in range(5):
        ApiClient()("GET", path)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/schema/", "/docs/"])
def test_the_documents_are(path: str, settings: Any) -> None:
    settings.API_RATE = 1
    caller = ApiClient()
    caller("GET", path)
    caller("GET", path, status=429)
    assert caller.answer.headers["Retry-After"] == "60"
