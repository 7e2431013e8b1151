"""The pages of the list of conversations are bounded: each begins after the one before, and none is counted."""

import pytest
from django.db import OperationalError
from django.test import Client

from accounts.models import User
from conversations.models import Conversation
from testing.admin import list_of
from testing.cast import create_conversation
from testing.statements import executed_sql


@pytest.fixture
def titles(root: User, alice: User, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Create seven conversations, and pages of three. Return the titles, newest first."""
    monkeypatch.setattr("staff.conversations.ConversationAdmin.list_per_page", 3)
    for number in range(7):
        create_conversation(alice, "Hello", title=f"Title {number}", tags=["odd"] if number % 2 else [])
    return [f"Title {number}" for number in reversed(range(7))]


def pages(client: Client, query: str = "") -> list[list[str]]:
    """Return the titles on each page, following the link to older conversations."""
    found, query = [], query or "?"
    while query:
        response = client.get(list_of(Conversation) + query)
        changelist = response.context["cl"]
        found.append([row.title for row in changelist.result_list])
        query = changelist.older_query if changelist.older else ""
        assert ("Older conversations" in response.text) == bool(query)
    return found


def test_the_pages_contain_each_conversation_once(client: Client, titles: list[str]) -> None:
    assert pages(client) == [titles[:3], titles[3:6], titles[6:]]
    assert pages(client, "?tag=odd") == [["Title 5", "Title 3", "Title 1"]]


def test_a_page_does_not_move_when_conversations_are_added(client: Client, titles: list[str], alice: User) -> None:
    older = client.get(list_of(Conversation)).context["cl"].older_query
    create_conversation(alice, "Hello", title="New")
    rows = client.get(list_of(Conversation) + older).context["cl"].result_list
    assert [row.title for row in rows] == titles[3:6]


@pytest.mark.parametrize("start", ["2", "x", "", "\0"])
def test_a_malformed_position_opens_the_first_page(start: str, client: Client, titles: list[str]) -> None:
    response = client.get(list_of(Conversation), {"p": start})
    assert [row.title for row in response.context["cl"].result_list] == titles[:3]


def test_nothing_is_counted(client: Client, titles: list[str]) -> None:
    with executed_sql() as statements:
        client.get(list_of(Conversation), {"tag": "odd", "q": "Title"})
    assert not [statement for statement in statements if "COUNT(" in statement]
    assert not [statement for statement in statements if "OFFSET" in statement]


def test_the_number_of_conversations_is_shown_if_all_are_on_the_page(client: Client, titles: list[str]) -> None:
    assert "Conversations: 3" in client.get(list_of(Conversation), {"tag": "odd"}).text
    assert "Conversations: " not in client.get(list_of(Conversation)).text


@pytest.mark.django_db(transaction=True)
def test_a_page_that_takes_too_long_looks_at_fewer_conversations_and_says_so(
    client: Client, root: User, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("staff.keyset.WINDOW", 2)
    for number in range(5):
        create_conversation(alice, "Hello", title=f"Title {number}", tags=["rare"] if number == 1 else [])
    client.get(list_of(Conversation))  # reads what is cached
    slow = ["SELECT pg_sleep(9)", []]
    monkeypatch.setattr("django.db.models.sql.Query.sql_with_params", lambda query: slow)
    with executed_sql() as statements:
        response = client.get(list_of(Conversation), {"tag": "rare"})
    assert len(statements) == 6, "two more for the permissions of staff who are not superusers"
    changelist = response.context["cl"]
    third = Conversation.objects.get(title="Title 3")
    assert (list(changelist.result_list), changelist.older) == ([], third.pk)
    assert f"since {third.created_at:%Y-%m-%d %H:%M} UTC" in response.text
    assert pages(client, "?tag=rare") == [[], ["Title 1"], []]


def test_an_error_that_is_no_time_limit_is_not_hidden(
    client: Client, root: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OperationalError

    monkeypatch.setattr("staff.keyset.Budget.fetch", fail)
    with pytest.raises(OperationalError):
        client.get(list_of(Conversation))
