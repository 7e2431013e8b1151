"""/messages/{id}/reactions/"""

import re
from typing import Any

import pytest

from conversations.models import Reaction
from testing.api_client import ApiClient


@pytest.fixture
def path(as_alice: ApiClient) -> str:
    said = [{"role": "assistant", "content": "x"}]
    id = as_alice("POST", "conversations/", {"messages": said}, status=201)["id"]
    (row,) = as_alice("GET", f"conversations/{id}/messages/")["results"]
    return f"messages/{row['id']}/reactions/"


def test_a_reaction_is_made_once(as_either: ApiClient, path: str) -> None:
    made = as_either("POST", path, {"type": "👍"}, status=201)
    assert list(made) == ["id", "type", "created_at"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", made["created_at"])
    assert as_either("POST", path, {"type": "👍"}) == made
    other = as_either("POST", path, {"type": " like "}, status=201)
    assert as_either("GET", path) == [made, other]
    message = as_either("GET", path.removesuffix("reactions/"))
    assert message["reactions"] == ["👍", " like "]


def test_a_reaction_is_taken_back_by_its_type(as_either: ApiClient, path: str) -> None:
    as_either("POST", path, {"type": "👍"}, status=201)
    as_either("DELETE", f"{path}?type=%F0%9F%91%8D", status=204)
    assert as_either("GET", path) == []
    assert as_either.refusal("DELETE", f"{path}?type=%F0%9F%91%8D", status=404) == ("not_found", None)


@pytest.mark.parametrize("body", [{}, {"type": None}, {"type": ""}, {"type": 5}, {"type": "x" * 33}, {"type": ["a"]}])
def test_a_reaction_has_a_short_type(body: Any, as_alice: ApiClient, path: str) -> None:
    assert as_alice.refusal("POST", path, body, status=400)[1] == "type"
    assert not Reaction.objects.exists()


@pytest.mark.parametrize("query", ["", "?type=", "?type=%00", "?type=" + "x" * 33])
def test_which_one_to_take_back_has_to_be_said(query: str, as_alice: ApiClient, path: str) -> None:
    assert as_alice.refusal("DELETE", path + query, status=400)[1] == "type"
