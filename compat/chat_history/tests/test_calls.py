"""The requests that the front end of contract C sends, and the fields that it reads."""

from testing.api_client import ApiClient

LISTED = {"items", "total", "page", "page_size", "total_pages"}


def test_the_chat_list_is_read_and_a_new_chat_is_put_before_it(as_alice: ApiClient) -> None:
    assert as_alice("GET", "/api/chats/")["items"] == []
    made = as_alice("POST", "/api/chats/", {"name": "Chat 11/24/2026", "notebooks": []}, status=201)
    assert type(made["id"]) is int and made["name"] == "Chat 11/24/2026"
    (listed,) = as_alice("GET", "/api/chats/")["items"]
    assert (listed["id"], listed["name"]) == (made["id"], made["name"])


def test_a_question_with_a_notebook_is_answered(as_alice: ApiClient) -> None:
    body = {"messages": [{"role": "user", "content": "What is a graph?"}], "notebooks": ["discrete_math"]}
    answer = as_alice("POST", "/api/chat/completion", body)
    assert answer["response"] and answer["prefetch_content"] is None and answer["tool_calls"] == []
    assert as_alice("GET", "/api/notebooks/") == ["discrete_math"]


def test_the_library_pages_through_the_messages_of_a_chat(as_alice: ApiClient) -> None:
    chat = as_alice("POST", "/api/chats/", {}, status=201)
    for content in ("One", "Two", "Three"):
        as_alice("POST", "/api/messages", {"chat_id": chat["id"], "role": "user", "content": content}, status=201)
    assert as_alice("GET", f"/api/chats/{chat['id']}")["messages_count"] == 3
    page = as_alice("GET", f"/api/messages/chat/{chat['id']}?page=2&page_size=2")
    assert set(page) == LISTED and [row["content"] for row in page["items"]] == ["Three"]
    assert (page["total"], page["page"], page["page_size"], page["total_pages"]) == (3, 2, 2, 2)
    changed = as_alice("PUT", f"/api/messages/{page['items'][0]['id']}", {"content": "Four"})
    assert changed["content"] == "Four"
    as_alice("DELETE", f"/api/messages/{changed['id']}", status=204)
    as_alice("PUT", f"/api/chats/{chat['id']}", {"name": None})
    as_alice("DELETE", f"/api/chats/{chat['id']}", status=204)
    assert as_alice("GET", "/api/chats/")["items"] == []
