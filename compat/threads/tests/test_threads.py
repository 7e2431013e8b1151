"""The routes of contract E, except its chat route: list, messages, title and deletion of conversations."""

from typing import Any
from urllib.parse import quote

import pytest

from testing.api_client import NO_BODY, ApiClient
from testing.shapes import TIME

THREADS = "/api/conversations"


def ask(caller: ApiClient, id: str, message: str = "Hello", **more: str) -> Any:
    return caller("POST", "/api/chat", {"message": message, "conversation_id": id, **more})


def thread_ids(caller: ApiClient) -> list[str]:
    return [thread["id"] for thread in caller("GET", THREADS)]


def messages(caller: ApiClient, id: str) -> Any:
    return caller("GET", f"{THREADS}/{quote(id)}/messages")


def questions(caller: ApiClient, id: str) -> list[str]:
    return [message["content"] for message in messages(caller, id) if message["role"] == "user"]


def title(caller: ApiClient, id: str) -> str:
    return next(thread["title"] for thread in caller("GET", THREADS) if thread["id"] == id)


def assert_refused(caller: ApiClient, method: str, path: str, body: Any = NO_BODY, *, status: int) -> str:
    refusal = caller(method, f"{THREADS}/{path}", body, status=status)
    assert list(refusal) == ["error", "detail"] and refusal["error"] == refusal["detail"]
    return refusal["error"]


def test_a_new_user_has_no_conversations(as_alice: ApiClient) -> None:
    assert as_alice("GET", THREADS) == []


def test_a_listed_conversation_has_its_id_title_and_times(as_alice: ApiClient) -> None:
    answer = ask(as_alice, "conv-123")
    (thread,) = as_alice("GET", THREADS)
    assert TIME.fullmatch(thread["created_at"]) and TIME.fullmatch(thread["updated_at"])
    assert thread["updated_at"] >= answer["aiMessage"]["timestamp"] > thread["created_at"]
    times = {name: thread[name] for name in ("created_at", "updated_at")}
    assert thread == {"id": "conv-123", "title": "Hello", **times}


def test_the_id_of_a_message_is_its_external_id_or_else_its_chatstore_id(as_alice: ApiClient) -> None:
    answer = ask(as_alice, "conv-1", message_id="msg-1")
    assert messages(as_alice, "conv-1") == [
        {
            "id": "msg-1",
            "conversation_id": "conv-1",
            "role": "user",
            "content": "Hello",
            "created_at": answer["userMessage"]["timestamp"],
        },
        {
            "id": answer["message_id"],
            "conversation_id": "conv-1",
            "role": "assistant",
            "content": answer["response"],
            "created_at": answer["aiMessage"]["timestamp"],
        },
    ]


@pytest.mark.parametrize("id", ["conv/1", "a b", "ü", "?", "#1", "1747036238000", "x" * 255, "%2F", "messages"])
def test_an_id_can_be_any_text(id: str, as_alice: ApiClient) -> None:
    assert ask(as_alice, id)["conversation_id"] == id
    assert questions(as_alice, id) == ["Hello"]
    as_alice("PUT", f"{THREADS}/{quote(id)}/title", {"title": "New"})
    assert title(as_alice, id) == "New"
    as_alice("DELETE", f"{THREADS}/{quote(id)}")
    assert thread_ids(as_alice) == []


def test_the_last_ten_are_listed_by_activity(as_alice: ApiClient) -> None:
    for number in range(12):
        ask(as_alice, f"conv-{number}")
    ask(as_alice, "conv-0")
    as_alice("PUT", f"{THREADS}/conv-1/title", {"title": "Renamed only"})
    assert thread_ids(as_alice) == ["conv-0", *(f"conv-{number}" for number in range(11, 2, -1))]
    assert questions(as_alice, "conv-1") == ["Hello"]


def test_only_user_and_assistant_messages_are_listed_in_order(as_alice: ApiClient) -> None:
    drafts = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "How much?"},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "function": {"name": "f"}}]},
        {"role": "tool", "content": "42", "tool_call_id": "c"},
        {"role": "assistant", "content": "42 it is."},
    ]
    as_alice("POST", "conversations/", {"external_id": "conv-1", "messages": drafts}, status=201)
    ask(as_alice, "conv-1", "And now?")
    listed = [(message["role"], message["content"]) for message in messages(as_alice, "conv-1")]
    assert listed[:3] == [("user", "How much?"), ("assistant", "42 it is."), ("user", "And now?")]
    assert [role for role, _ in listed[3:]] == ["assistant"]


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("", {"title": "New"}),
        ("?title=New", NO_BODY),
        ("?title=New", {}),
        ("?title=Other", {"title": "New"}),
        ("?title=Other", {"title": "New", "shoe": 1}),
    ],
)
def test_a_title_is_read_from_the_body_or_else_from_the_query(query: str, body: Any, as_alice: ApiClient) -> None:
    ask(as_alice, "conv-1")
    assert as_alice("PUT", f"{THREADS}/conv-1/title{query}", body) == {"status": "updated"}
    assert title(as_alice, "conv-1") == "New"


def test_a_title_can_have_500_characters(as_alice: ApiClient) -> None:
    ask(as_alice, "conv-1")
    as_alice("PUT", f"{THREADS}/conv-1/title", {"title": "ü" * 500})
    assert title(as_alice, "conv-1") == "ü" * 500


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("", NO_BODY),
        ("", {}),
        ("", {"title": ""}),
        ("", {"title": " \t"}),
        ("", {"title": None}),
        ("", {"title": 5}),
        ("", {"title": ["New"]}),
        ("", {"title": "x" * 501}),
        ("?title=", NO_BODY),
        ("?title=%20", NO_BODY),
        ("?name=New", NO_BODY),
        ("?title=" + "x" * 501, NO_BODY),
        ("?title=a%00b", NO_BODY),
    ],
)
def test_an_invalid_title_is_refused(query: str, body: Any, as_alice: ApiClient) -> None:
    ask(as_alice, "conv-1")
    assert "title" in assert_refused(as_alice, "PUT", f"conv-1/title{query}", body, status=400)
    assert title(as_alice, "conv-1") == "Hello"


@pytest.mark.parametrize("id", ["gone", "a%00b", "%ED%A0%80", "x" * 3000, ".."])
def test_an_unknown_conversation_is_not_found(id: str, as_alice: ApiClient) -> None:
    assert_refused(as_alice, "GET", f"{id}/messages", status=404)
    assert_refused(as_alice, "PUT", f"{id}/title", {"title": "New"}, status=404)
    assert_refused(as_alice, "DELETE", id, status=404)


def test_a_deleted_conversation_is_gone_and_its_id_can_be_used_again(as_alice: ApiClient) -> None:
    ask(as_alice, "conv-1", "Old", message_id="msg-1")
    assert as_alice("DELETE", f"{THREADS}/conv-1") == {"status": "deleted"}
    assert_refused(as_alice, "DELETE", "conv-1", status=404)
    assert_refused(as_alice, "GET", "conv-1/messages", status=404)
    assert_refused(as_alice, "PUT", "conv-1/title", {"title": "New"}, status=404)
    assert thread_ids(as_alice) == []
    ask(as_alice, "conv-1", "New", message_id="msg-1")
    assert questions(as_alice, "conv-1") == ["New"]


def test_a_deleted_conversation_without_an_external_id_can_be_started_again_by_its_id(as_alice: ApiClient) -> None:
    id = as_alice("POST", "/api/chat", {"message": "Old"})["conversation_id"]
    as_alice("DELETE", f"{THREADS}/{id}")
    assert ask(as_alice, id, "New")["conversation_id"] == id
    assert questions(as_alice, id) == ["New"] and thread_ids(as_alice) == [id]


def test_users_with_the_same_conversation_id_cannot_read_or_delete_each_others_conversation(
    as_alice: ApiClient, as_bob: ApiClient
) -> None:
    ask(as_alice, "conv-1", "Alice's")
    assert as_bob("GET", THREADS) == []
    assert_refused(as_bob, "GET", "conv-1/messages", status=404)
    ask(as_bob, "conv-1", "Bob's")
    as_bob("PUT", f"{THREADS}/conv-1/title", {"title": "Bob's title"})
    assert (questions(as_bob, "conv-1"), title(as_alice, "conv-1")) == (["Bob's"], "Alice's")
    as_bob("DELETE", f"{THREADS}/conv-1")
    assert (questions(as_alice, "conv-1"), thread_ids(as_bob)) == (["Alice's"], [])
