"""/messages/{id}/reactions/"""

import re
from typing import Any

import pytest

from conversations.models import Reaction
from conversations.services import reactions
from testing.api_client import ApiClient


@pytest.fixture
def path(as_alice: ApiClient) -> str:
    messages = [{"role": "assistant", "content": "x"}]
    id = as_alice("POST", "conversations/", {"messages": messages}, status=201)["id"]
    (row,) = as_alice("GET", f"conversations/{id}/messages/")["results"]
    return f"messages/{row['id']}/reactions/"


def test_a_reaction_is_stored_once(as_either: ApiClient, path: str) -> None:
    created = as_either("POST", path, {"type": "👍"}, status=201)
    assert list(created) == ["id", "type", "created_at"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", created["created_at"])
    assert as_either("POST", path, {"type": "👍"}) == created
    other = as_either("POST", path, {"type": " like "}, status=201)
    assert as_either("GET", path) == [created, other]
    message = as_either("GET", path.removesuffix("reactions/"))
    assert message["reactions"] == ["👍", " like "]


def test_a_reaction_is_deleted_by_its_type(as_either: ApiClient, path: str) -> None:
    as_either("POST", path, {"type": "👍"}, status=201)
    as_either("DELETE", f"{path}?type=%F0%9F%91%8D", status=204)
    assert as_either("GET", path) == []
    assert as_either.refusal("DELETE", f"{path}?type=%F0%9F%91%8D", status=404) == ("not_found", None)


def test_a_message_has_a_limited_number_of_reactions(as_alice: ApiClient, path: str) -> None:
    for number in range(reactions.LIMIT):
        as_alice("POST", path, {"type": str(number)}, status=201)
    assert as_alice.refusal("POST", path, {"type": "one more"}, status=409) == ("too_many_reactions", None)
    assert as_alice("POST", path, {"type": "0"})["type"] == "0"
    assert len(as_alice("GET", path)) == reactions.LIMIT
    as_alice("DELETE", f"{path}?type=0", status=204)
    as_alice("POST", path, {"type": "one more"}, status=201)


@pytest.mark.parametrize("body", [{}, {"type": None}, {"type": ""}, {"type": 5}, {"type": "x" * 33}, {"type": ["a"]}])
def test_an_invalid_type_of_a_reaction_is_refused(body: Any, as_alice: ApiClient, path: str) -> None:
    assert as_alice.refusal("POST", path, body, status=400)[1] == "type"
    assert not Reaction.objects.exists()


@pytest.mark.parametrize("query", ["", "?type=", "?type=%00", "?type=" + "x" * 33])
def test_deleting_a_reaction_needs_its_type(query: str, as_alice: ApiClient, path: str) -> None:
    assert as_alice.refusal("DELETE", path + query, status=400)[1] == "type"
