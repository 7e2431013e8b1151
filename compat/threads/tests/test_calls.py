"""The requests that the front end of contract E sends, and the fields that it reads."""

from testing.api_client import ApiClient


def test_a_conversation_begins_without_an_id_and_is_listed_and_read(as_alice: ApiClient) -> None:
    assert as_alice("GET", "/api/conversations") == []
    first = as_alice("POST", "/api/chat", {"message": "Hello", "conversation_id": None})
    second = as_alice("POST", "/api/chat", {"message": "Again", "conversation_id": first["conversation_id"]})
    assert second["conversation_id"] == first["conversation_id"]
    (listed,) = as_alice("GET", "/api/conversations")
    assert (listed["id"], listed["title"]) == (first["conversation_id"], "Hello")
    rows = as_alice("GET", f"/api/conversations/{listed['id']}/messages")
    assert [row["role"] for row in rows] == ["user", "assistant", "user", "assistant"]
    assert [row["content"] for row in rows] == ["Hello", first["response"], "Again", second["response"]]
    assert len({row["id"] for row in rows}) == 4
