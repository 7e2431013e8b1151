"""Times come from the clock of the database, even if the clock of the web server is wrong."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts.models import ApiToken, Idempotency, User
from conversations.models import Conversation
from conversations.services import conversations, erase, retention
from testing.api_client import ApiClient
from testing.statements import assert_statement_count
from testing.storage_client import save, session, user

pytestmark = pytest.mark.django_db
SetClock = Callable[..., None]


@pytest.fixture
def web_clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    """Return a function that sets the clock of the web server forward, or back if the value is negative."""

    def set_clock(**by: float) -> None:
        monkeypatch.setattr(timezone, "now", lambda: datetime.now(UTC) + timedelta(**by))

    return set_clock


def is_now(time: datetime) -> bool:
    return abs(datetime.now(UTC) - time) < timedelta(minutes=5)


def sidebar_ids(api_client: ApiClient) -> list[str]:
    return [row["id"] for row in api_client("GET", "conversations/")["results"]]


def test_a_conversation_created_by_a_server_with_a_fast_clock_does_not_stay_on_top(
    as_alice: ApiClient, web_clock: SetClock
) -> None:
    hello = {"role": "user", "content": "Hello"}
    old = as_alice("POST", "conversations/", {"messages": [hello]}, status=201)["id"]
    web_clock(hours=2)
    new = as_alice("POST", "conversations/", {"messages": [hello]}, status=201)
    assert sidebar_ids(as_alice) == [new["id"], old]
    as_alice("POST", f"conversations/{old}/messages/", hello, status=201)
    assert sidebar_ids(as_alice) == [old, new["id"]]
    stored = Conversation.objects.get(id=new["id"])
    assert is_now(stored.created_at) and is_now(stored.updated_at) and is_now(stored.active_at)
    assert is_now(stored.messages.get().created_at)


def test_a_conversation_from_a_server_with_a_slow_clock_is_on_top(as_alice: ApiClient, web_clock: SetClock) -> None:
    old = as_alice("POST", "conversations/", {}, status=201)["id"]
    web_clock(hours=-3)
    new = as_alice("POST", "conversations/", {}, status=201)["id"]
    assert sidebar_ids(as_alice) == [new, old]


def test_a_sync_uses_the_time_of_the_database(as_alice: ApiClient, web_clock: SetClock) -> None:
    web_clock(hours=2)
    sent = session("s", user("m", "Hello"))
    del sent["createdAt"]
    save(as_alice, sent)
    stored = Conversation.objects.get()
    assert is_now(stored.created_at) and is_now(stored.active_at) and is_now(stored.messages.get().created_at)


@pytest.mark.parametrize("hours", [-3, 2])
def test_a_token_expires_by_the_clock_of_the_database(hours: int, alice: User, web_clock: SetClock) -> None:
    in_force = ApiClient(alice, expires_at=timezone.now() + timedelta(hours=1))
    expired = ApiClient(alice, expires_at=timezone.now() - timedelta(hours=1))
    web_clock(hours=hours)
    in_force("GET", "me/")
    expired("GET", "me/", status=401)


@pytest.mark.parametrize("hours", [-3, 2])
def test_a_use_of_a_token_is_stored_at_most_once_an_hour(hours: int, as_alice: ApiClient, web_clock: SetClock) -> None:
    web_clock(hours=hours)
    as_alice("GET", "me/")
    last_used_at = ApiToken.objects.get().last_used_at
    assert last_used_at and is_now(last_used_at)
    with assert_statement_count(1):
        as_alice("GET", "me/")


def test_createtoken_computes_the_expiry_from_the_time_of_the_database(
    alice: User, web_clock: SetClock, capsys: Any
) -> None:
    web_clock(hours=-30)
    call_command("createtoken", alice.email, "--days=1")
    expires_at = ApiToken.objects.get().expires_at
    assert expires_at and is_now(expires_at - timedelta(days=1))


def test_housekeeping_on_a_server_with_a_fast_clock_removes_nothing_early(alice: User, web_clock: SetClock) -> None:
    row, _ = conversations.create(user=alice, fields={}, drafts=[{"role": "user", "content": "Hello"}])
    conversations.trash(user=alice, conversation_id=row.id)
    Idempotency.objects.create(user=alice, key="k", fingerprint=b"f")
    web_clock(days=365)
    assert set(retention.housekeep().values()) == {0}
    assert Conversation.objects.filter(id=row.id).exists() and Idempotency.objects.exists()


def test_housekeeping_on_a_server_with_a_slow_clock_purges_the_old_trash(alice: User, web_clock: SetClock) -> None:
    row, _ = conversations.create(user=alice, fields={})
    Conversation.objects.filter(id=row.id).update(deleted_at=timezone.now() - timedelta(days=31))
    web_clock(days=-5)
    assert retention.housekeep()["conversations"] == 1


def test_a_server_with_a_fast_clock_does_not_take_over_a_running_erasure(alice: User, web_clock: SetClock) -> None:
    User.objects.filter(pk=alice.pk).update(erasing_at=timezone.now())
    web_clock(hours=2)
    assert erase.resume() == 0
