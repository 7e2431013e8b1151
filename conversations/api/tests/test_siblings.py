"""`sibling_ids`: the alternatives of a message, wherever a whole message is returned."""

import random
from collections import defaultdict
from typing import Any

import pytest

from accounts.models import User
from conversations import sql
from conversations.models import Conversation, Message
from testing.api_client import ApiClient
from testing.cast import create_conversation, random_change
from testing.statements import assert_statement_count

QUESTION, ANSWER = {"role": "user", "content": "Why?"}, {"role": "assistant", "content": "Because."}


@pytest.fixture
def path(as_alice: ApiClient) -> str:
    id = as_alice("POST", "conversations/", {"messages": [QUESTION, ANSWER]}, status=201)["id"]
    return f"conversations/{id}/messages/"


def siblings(client: ApiClient, path: str) -> list[list[str]]:
    return [row["sibling_ids"] for row in client("GET", path)["results"]]


def test_a_message_without_alternatives_has_no_siblings(as_alice: ApiClient, path: str) -> None:
    assert siblings(as_alice, path) == [[], []]


def test_alternatives_name_each_other_in_their_order(as_alice: ApiClient, path: str) -> None:
    question, answer = as_alice("GET", path)["results"]
    second = as_alice("PATCH", f"messages/{answer['id']}/?branch=true", {"content": "So."}, status=201)
    third = as_alice("PATCH", f"messages/{answer['id']}/?branch=true", {"content": "Well."}, status=201)
    ids = [answer["id"], second["id"], third["id"]]
    assert (second["sibling_ids"], third["sibling_ids"]) == (ids[:2], ids)
    assert siblings(as_alice, path) == siblings(as_alice, f"{path}?at=end") == [[], ids]
    assert siblings(as_alice, f"{path}?all=true") == [[], ids, ids, ids]
    assert [as_alice("GET", f"messages/{id}/")["sibling_ids"] for id in ids] == [ids] * 3
    assert as_alice("PATCH", f"messages/{ids[1]}/", {"content": "So!"})["sibling_ids"] == ids


def test_of_many_alternatives_the_nearest_are_listed(as_alice: ApiClient, alice: User) -> None:
    chat = create_conversation(alice, *(f"root {number}" for number in range(250)))
    Message.objects.filter(conversation=chat).update(parent_seq=None)
    Conversation.objects.filter(pk=chat.pk).update(message_count=1)
    ids = [str(id) for id in Message.objects.filter(conversation=chat).order_by("seq").values_list("id", flat=True)]
    rows = as_alice("GET", f"conversations/{chat.id}/messages/?all=true&limit=250")["results"]
    for index, row in enumerate(rows):
        assert row["sibling_ids"] == ids[max(index - sql.NEIGHBORS, 0) : index + sql.NEIGHBORS + 1]
        assert row["sibling_count"] == 2 * sql.NEIGHBORS + 1
    assert as_alice("GET", f"messages/{ids[125]}/")["sibling_ids"] == rows[125]["sibling_ids"]


def test_a_trashed_message_is_no_alternative(as_alice: ApiClient, path: str) -> None:
    question, _ = as_alice("GET", path)["results"]
    second = as_alice("PATCH", f"messages/{question['id']}/?branch=true", {"content": "How?"}, status=201)
    as_alice("DELETE", f"messages/{question['id']}/", status=204)
    assert siblings(as_alice, path) == [[]]
    restored = as_alice("POST", f"messages/{question['id']}/restore/")
    assert restored["sibling_ids"] == [question["id"], second["id"]]


def test_a_message_that_is_appended_beside_hidden_ones_is_an_alternative(as_alice: ApiClient, path: str) -> None:
    question, answer = as_alice("GET", path)["results"]
    as_alice("PUT", path, [question])  # the answer is hidden
    one = as_alice("POST", path, ANSWER, status=201)
    assert one["sibling_ids"] == [answer["id"], one["id"]]
    as_alice("PUT", path, [question])
    two, three = as_alice("POST", path, [ANSWER, QUESTION], status=201)
    assert (two["sibling_ids"], three["sibling_ids"]) == ([answer["id"], one["id"], two["id"]], [])
    assert as_alice("GET", path)["results"] == [question, two, three]


def test_a_repeated_append_returns_the_siblings(as_alice: ApiClient, path: str) -> None:
    question, answer = as_alice("GET", path)["results"]
    as_alice("PUT", path, [question])
    sent = ANSWER | {"external_id": "m"}
    first = as_alice("POST", path, sent, status=201)
    assert as_alice("POST", path, sent) == first
    assert first["sibling_ids"] == [answer["id"], first["id"]]


def test_a_history_that_was_read_can_be_sent_back(as_alice: ApiClient, path: str) -> None:
    answer = as_alice("GET", path)["results"][1]
    as_alice("PATCH", f"messages/{answer['id']}/?branch=true", {"content": "So."}, status=201)
    page = as_alice("GET", path)
    assert as_alice("PUT", path, page["results"]) == page


def test_another_answer_of_a_model_names_its_alternatives(as_alice: ApiClient) -> None:
    first = as_alice("POST", "chat/", {"content": "Why?"}, status=201)
    assert first["question"]["sibling_ids"] == first["answer"]["sibling_ids"] == []
    path = f"conversations/{first['conversation_id']}/"
    again = as_alice("POST", f"{path}reply/", {"message_id": first["answer"]["id"]}, status=201)
    assert again["answer"]["sibling_ids"] == [first["answer"]["id"], again["answer"]["id"]]
    assert again["question"]["sibling_ids"] == []


@pytest.mark.parametrize("count", [2, 40])
def test_siblings_cost_no_statement_on_a_page_and_one_after_an_append_to_a_tree(
    count: int, as_alice: ApiClient
) -> None:
    id = as_alice("POST", "conversations/", {"messages": [QUESTION] * count}, status=201)["id"]
    path = f"conversations/{id}/messages/"
    first = as_alice("GET", path)["results"][0]
    as_alice("PATCH", f"messages/{first['id']}/?branch=true", {}, status=201)
    as_alice("POST", f"conversations/{id}/branch/", {"message_id": first["id"]})
    with assert_statement_count(2):  # one finds the user of the token
        as_alice("GET", path)
    with assert_statement_count(2 + 1):
        as_alice("POST", path, QUESTION, status=201)
    with assert_statement_count(4 + 1):
        as_alice("POST", path, [QUESTION] * count, status=201)


@pytest.mark.parametrize("seed", range(6))
def test_siblings_are_right_after_random_operations(seed: int, as_alice: ApiClient, alice: User) -> None:
    dice = random.Random(seed)
    chat = create_conversation(alice)
    for _ in range(25):
        random_change(chat, dice)
    at: dict[Any, list[str]] = defaultdict(list)
    for row in chat.messages.in_order():
        at[row.parent_seq].append(str(row.id))
    for query in ("", "&all=true"):
        for row in as_alice("GET", f"conversations/{chat.id}/messages/?limit=1000{query}")["results"]:
            expected = at[row["parent_seq"]]
            assert row["sibling_ids"] == (expected if len(expected) > 1 else [])
            assert row.get("sibling_count", len(expected)) == len(expected)
