"""/labels/: the tags and notebooks of a user."""

import pytest

from accounts.models import User
from conversations import labels
from conversations.services import conversations
from testing.api_client import ApiClient
from testing.cast import create_conversation
from testing.statements import assert_statement_count


def names(rows: list[dict[str, object]]) -> list[tuple[object, object]]:
    return [(row["name"], row["count"]) for row in rows]


def test_labels_are_counted_and_the_frequent_ones_come_first(as_either: ApiClient, alice: User, bob: User) -> None:
    create_conversation(alice, tags=["b", "a"], notebooks=["work"])
    create_conversation(alice, tags=["b"], is_archived=True)
    create_conversation(alice)
    trashed = create_conversation(alice, tags=["trash"])
    conversations.trash(user=alice, conversation_id=trashed.id)
    create_conversation(bob, tags=["his"], notebooks=["his"])
    answer = as_either("GET", "labels/")
    assert names(answer["tags"]) == [("b", 2), ("a", 1)]
    assert names(answer["notebooks"]) == [("work", 1)]


def test_a_user_without_conversations_has_no_labels(as_either: ApiClient) -> None:
    assert as_either("GET", "labels/") == {"tags": [], "notebooks": []}


def test_only_the_newest_conversations_and_a_limited_number_of_labels_are_read(
    as_alice: ApiClient, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    statement = labels.STATEMENT.replace(str(labels.CONVERSATIONS), "3").replace(str(labels.LABELS), "2")
    monkeypatch.setattr(labels, "STATEMENT", statement)
    for tags in (["old"], ["c"], ["b"], ["a", "b"]):
        create_conversation(alice, tags=tags)
    assert names(as_alice("GET", "labels/")["tags"]) == [("b", 2), ("a", 1)]


@pytest.mark.parametrize("count", [1, 30])
def test_labels_cost_one_statement(count: int, as_alice: ApiClient, alice: User) -> None:
    for number in range(count):
        create_conversation(alice, tags=[str(number)])
    as_alice("GET", "me/")  # stores the use of the token, which happens at most once an hour
    with assert_statement_count(2):  # one finds the user of the token
        assert len(as_alice("GET", "labels/")["tags"]) == count
