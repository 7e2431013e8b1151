"""The number of SQL statements of a request does not depend on the number of rows."""

import pytest

from accounts.models import User
from testing.api_client import ApiClient
from testing.statements import assert_statement_count, executed_sql

HELLO = {"role": "user", "content": "Hello, zebra"}


@pytest.fixture(params=[("token", 1), ("session", 2)], ids=["token", "session"])
def cost(request: pytest.FixtureRequest) -> tuple[str, int]:
    """A kind of authentication, and its number of statements."""
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def client(cost: tuple[str, int], alice: User) -> ApiClient:
    client = ApiClient(alice, by=cost[0])
    client("GET", "me/")  # stores the use of the token, which happens at most once an hour
    return client


@pytest.mark.parametrize("rows", [0, 1, 30])
def test_reads_run_the_same_statements_for_any_number_of_rows(
    rows: int, client: ApiClient, cost: tuple[str, int]
) -> None:
    who = cost[1]
    messages = [HELLO] * rows
    id = client("POST", "conversations/", {"messages": messages}, status=201)["id"]
    for _ in range(rows):
        client("POST", "conversations/", {}, status=201)
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
        with assert_statement_count(who + count):
            client("GET", path)


@pytest.mark.parametrize("stored", [1, 60])
def test_an_append_runs_one_statement_for_one_message_and_three_for_any_number(
    stored: int, client: ApiClient, cost: tuple[str, int]
) -> None:
    id = client("POST", "conversations/", {"messages": [HELLO] * stored}, status=201)["id"]
    for body, count in ((HELLO, 1), ([HELLO], 1), ([HELLO] * 2, 3), ([HELLO] * 60, 3)):
        with assert_statement_count(cost[1] + count):
            client("POST", f"conversations/{id}/messages/", body, status=201)


@pytest.mark.parametrize("count", [0, 1, 60])
def test_a_creation_runs_the_same_statements_for_any_number_of_messages(
    count: int, client: ApiClient, cost: tuple[str, int]
) -> None:
    with assert_statement_count(cost[1] + (3 if count else 2)):  # read the database's time, insert the rows
        client("POST", "conversations/", {"messages": [HELLO] * count}, status=201)


@pytest.mark.parametrize("count", [2, 60])
def test_a_sync_of_an_unchanged_history_runs_three_statements(
    count: int, client: ApiClient, cost: tuple[str, int]
) -> None:
    id = client("POST", "conversations/", {"messages": [HELLO] * count}, status=201)["id"]
    with assert_statement_count(cost[1] + 3):
        client("PUT", f"conversations/{id}/messages/", [HELLO] * count)


@pytest.mark.parametrize("count", [1, 60])
def test_a_search_runs_at_most_six_queries(count: int, client: ApiClient, cost: tuple[str, int]) -> None:
    """One query for the stems, two for words, two for parts of words, and one for the titles. A query without text: one
    for the newest messages, two for more of them."""
    client("POST", "conversations/", {"messages": [HELLO] * count}, status=201)
    for query, most in [("q=zebra&limit=1", 6), ("q=absent", 6), ("q=role:user", 3)]:
        with executed_sql() as recorded:
            client("GET", f"search/?{query}")
        assert len([sql for sql in recorded if sql.startswith("SELECT")]) <= cost[1] + most
