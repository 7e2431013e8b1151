"""/conversations/{id}/history/: the context for a model's next reply."""

import pytest

from testing.api_client import ApiClient


@pytest.fixture
def path(as_alice: ApiClient) -> str:
    messages = [{"role": ("user", "assistant")[i % 2], "content": str(i), "metadata": {"x": i}} for i in range(12)]
    id = as_alice("POST", "conversations/", {"messages": messages}, status=201)["id"]
    return f"conversations/{id}/history/"


def test_the_default_is_the_role_and_content_of_the_newest_ten_messages(as_either: ApiClient, path: str) -> None:
    expected = [{"role": ("user", "assistant")[i % 2], "content": str(i)} for i in range(2, 12)]
    assert as_either("GET", path) == expected
    assert as_either("GET", f"{path}?limit=2") == expected[-2:]
    assert len(as_either("GET", f"{path}?limit=1000")) == 12


def test_only_active_messages_are_returned(as_alice: ApiClient, path: str) -> None:
    rows = as_alice("GET", path.replace("history", "messages"))["results"]
    as_alice("DELETE", f"messages/{rows[10]['id']}/", status=204)
    as_alice("PATCH", f"messages/{rows[11]['id']}/?branch=true", {"content": "better"}, status=201)
    assert [messages["content"] for messages in as_alice("GET", f"{path}?limit=3")] == ["8", "9", "better"]


def test_content_may_be_null_and_a_history_empty(as_alice: ApiClient) -> None:
    id = as_alice("POST", "conversations/", {}, status=201)["id"]
    assert as_alice("GET", f"conversations/{id}/history/") == []
    as_alice("POST", f"conversations/{id}/messages/", {"role": "assistant", "tool_calls": [{}]}, status=201)
    assert as_alice("GET", f"conversations/{id}/history/") == [{"role": "assistant", "content": None}]


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "abc", ""])
def test_a_limit_out_of_range_is_a_400(limit: str, as_alice: ApiClient, path: str) -> None:
    assert as_alice.refusal("GET", f"{path}?limit={limit}", status=400) == ("invalid", "limit")
