"""What a call costs in statements: never more with more rows. BEGIN, COMMIT and savepoints are not counted."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from testing.api_client import ApiClient

NOT_COUNTED = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")
HELLO = {"role": "user", "content": "Hello, zebra"}


@contextmanager
def statements(count: int) -> Iterator[None]:
    with CaptureQueriesContext(connection) as captured:
        yield
    asked = [query["sql"] for query in captured if not query["sql"].startswith(NOT_COUNTED)]
    assert len(asked) == count, "\n".join(sql[:200] for sql in asked)


@pytest.fixture(params=[("token", 1), ("session", 2)], ids=["token", "session"])
def cost(request: pytest.FixtureRequest) -> tuple[str, int]:
    """A kind of caller, and what it costs to know who that is."""
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def caller(cost: tuple[str, int], alice: User) -> ApiClient:
    caller = ApiClient(alice, by=cost[0])
    caller("GET", "me/")  # the use of a token is noted at most hourly
    return caller


@pytest.mark.parametrize("rows", [0, 1, 30])
def test_reading_costs_the_same_for_many_rows_as_for_none(rows: int, caller: ApiClient, cost: tuple[str, int]) -> None:
    who = cost[1]
    said = [HELLO] * rows
    id = caller("POST", "conversations/", {"messages": said}, status=201)["id"]
    for _ in range(rows):
        caller("POST", "conversations/", {}, status=201)
    for path, count in [
        ("conversations/", 1),
        ("conversations/?limit=3", 1),
        ("conversations/?tag=a&archived=any&pinned=false", 1),
        (f"conversations/{id}/", 1),
        (f"conversations/{id}/messages/", 1),
        (f"conversations/{id}/messages/?limit=3", 1),
        (f"conversations/{id}/messages/?all=true", 1),
        (f"conversations/{id}/history/", 1),
        ("stats/", 3),
        ("preferences/", 1),
        ("tokens/", 1),
        ("me/", 0),
    ]:
        with statements(who + count):
            caller("GET", path)


@pytest.mark.parametrize("stored", [1, 60])
def test_appending_costs_the_same_for_many_messages_as_for_one(
    stored: int, caller: ApiClient, cost: tuple[str, int]
) -> None:
    id = caller("POST", "conversations/", {"messages": [HELLO] * stored}, status=201)["id"]
    for body in (HELLO, [HELLO], [HELLO] * 60):
        with statements(cost[1] + 3):
            caller("POST", f"conversations/{id}/messages/", body, status=201)


@pytest.mark.parametrize("count", [0, 1, 60])
def test_a_conversation_with_its_messages(count: int, caller: ApiClient, cost: tuple[str, int]) -> None:
    with statements(cost[1] + (3 if count else 2)):  # the database's time; the conversation; the messages
        caller("POST", "conversations/", {"messages": [HELLO] * count}, status=201)


@pytest.mark.parametrize("count", [2, 60])
def test_syncing_an_unchanged_history(count: int, caller: ApiClient, cost: tuple[str, int]) -> None:
    id = caller("POST", "conversations/", {"messages": [HELLO] * count}, status=201)["id"]
    with statements(cost[1] + 3):
        caller("PUT", f"conversations/{id}/messages/", [HELLO] * count)


@pytest.mark.parametrize("count", [1, 60])
def test_searching(count: int, caller: ApiClient, cost: tuple[str, int]) -> None:
    """The stems; both stages, for words and for parts of them; titles."""
    caller("POST", "conversations/", {"messages": [HELLO] * count}, status=201)
    for query, most in [("q=zebra&limit=1", 6), ("q=absent", 6), ("q=role:user", 1)]:
        with CaptureQueriesContext(connection) as captured:
            caller("GET", f"search/?{query}")
        assert len(captured) <= cost[1] + most
