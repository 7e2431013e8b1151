"""The chat route of the contracts B and E with the built-in echo: requests and responses."""

from typing import Any

import pytest
from django.conf import settings

from testing.api_client import ApiClient
from testing.shapes import TIME

CHAT = "/api/chat"
HISTORY = "/api/chat/history"
ECHO = "This is chatstore's built-in echo, not a language model. You said: "
LONG = "x" * 51


def chats(caller: ApiClient) -> Any:
    history = caller("GET", HISTORY)
    assert list(history) == ["success", "chats", "user"] and history["success"] is True
    return history["chats"]


def texts(caller: ApiClient, id: str) -> list[str]:
    return [message["content"] for message in caller("GET", f"/api/conversations/{id}/messages")]


def test_a_request_gets_the_fields_of_both_contracts(as_alice: ApiClient) -> None:
    answer = as_alice("POST", CHAT, {"message": "Hello", "model": "groq"})
    id = answer["conversation_id"]
    question, reply = answer["userMessage"], answer["aiMessage"]
    assert all(map(TIME.fullmatch, (question["timestamp"], reply["timestamp"])))
    assert question["timestamp"] < reply["timestamp"]
    alice = answer["user"]
    assert answer == {
        "success": True,
        "chatId": id,
        "messages": [
            {
                "id": question["id"],
                "chatId": id,
                "sender": "user",
                "content": "Hello",
                "timestamp": question["timestamp"],
                "user": alice,
            },
            {
                "id": reply["id"],
                "chatId": id,
                "sender": "assistant",
                "content": ECHO + "Hello",
                "timestamp": reply["timestamp"],
                "user": {"name": "echo", "email": None, "image": None},
                "model": "echo",
            },
        ],
        "user": alice,
        "modelUsed": "echo",
        "userMessage": {
            "id": question["id"],
            "content": "Hello",
            "role": "user",
            "timestamp": question["timestamp"],
            "conversationId": id,
        },
        "aiMessage": {
            "id": reply["id"],
            "content": ECHO + "Hello",
            "role": "assistant",
            "timestamp": reply["timestamp"],
            "conversationId": id,
            "model": "echo",
        },
        "response": ECHO + "Hello",
        "conversation_id": id,
        "message_id": reply["id"],
    }


def test_the_example_request_of_contract_e(as_alice: ApiClient) -> None:
    answer = as_alice("POST", CHAT, {"message": "Hello", "conversation_id": "conv-123"})
    assert (answer["response"], answer["conversation_id"]) == (ECHO + "Hello", "conv-123")
    (listed,) = as_alice("GET", "/api/conversations")
    assert (listed["id"], listed["title"]) == ("conv-123", "Hello")
    messages = as_alice("GET", "/api/conversations/conv-123/messages")
    assert messages[0] == {
        "id": answer["userMessage"]["id"],
        "conversation_id": "conv-123",
        "role": "user",
        "content": "Hello",
        "created_at": answer["userMessage"]["timestamp"],
    }
    assert messages[1]["id"] == answer["message_id"]


@pytest.mark.parametrize("spelling", ["chatId", "conversationId", "conversation_id"])
def test_every_spelling_continues_the_conversation(spelling: str, as_alice: ApiClient) -> None:
    id = as_alice("POST", CHAT, {"message": "One"})["conversation_id"]
    assert as_alice("POST", CHAT, {"message": "Two", spelling: id})["conversation_id"] == id
    assert texts(as_alice, id) == ["One", ECHO + "One", "Two", ECHO + "Two"]


def test_null_and_unknown_fields_count_as_absent(as_alice: ApiClient) -> None:
    nulls = dict.fromkeys(["model", "chatId", "conversationId", "conversation_id", "message_id"])
    first, second = [as_alice("POST", CHAT, {"message": "Hello", **nulls, "temperature": 1}) for _ in range(2)]
    assert first["conversation_id"] != second["conversation_id"]


@pytest.mark.parametrize(
    ("message", "title"),
    [
        ("Hello", "Hello"),
        ("x" * 50, "x" * 50),
        (LONG, "x" * 50 + "..."),
        ("x" * 500, "x" * 50 + "..."),
        ("First line\nsecond line", "First line"),
        ("\n  Hello", "Hello"),
        ("😀" * 51, "😀" * 50 + "..."),
    ],
)
def test_a_new_chat_is_titled_with_the_first_50_characters(message: str, title: str, as_alice: ApiClient) -> None:
    as_alice("POST", CHAT, {"message": message})
    assert [chat["title"] for chat in chats(as_alice)] == [title]


def test_a_title_set_by_the_user_is_not_shortened(as_alice: ApiClient) -> None:
    as_alice("POST", CHAT, {"message": "Hello", "conversation_id": "conv-1"})
    as_alice("PUT", "/api/conversations/conv-1/title", {"title": LONG})
    assert chats(as_alice)[0]["title"] == LONG


def test_the_history_lists_chats_by_activity_with_their_last_message(as_alice: ApiClient) -> None:
    assert chats(as_alice) == []
    for id in ("a", "b", "a"):
        last = as_alice("POST", CHAT, {"message": f"To {id}", "conversationId": id})
    first, second = chats(as_alice)
    assert first == {
        "id": "a",
        "title": "To a",
        "lastMessage": ECHO + "To a",
        "timestamp": last["aiMessage"]["timestamp"],
        "messageCount": 4,
        "userEmail": last["user"]["email"],
    }
    assert (second["id"], second["messageCount"]) == ("b", 2)


def test_trashed_and_archived_conversations_are_not_listed(as_alice: ApiClient) -> None:
    ours = [as_alice("POST", CHAT, {"message": "Hello"})["conversation_id"] for _ in range(3)]
    as_alice("DELETE", f"conversations/{ours[0]}/", status=204)
    as_alice("PATCH", f"conversations/{ours[1]}/", {"is_archived": True})
    assert [chat["id"] for chat in chats(as_alice)] == [ours[2]]


def test_a_message_sent_twice_is_stored_once_and_gets_the_same_reply(as_alice: ApiClient) -> None:
    question = {"message": "Hello", "conversation_id": "conv-1", "message_id": "msg-1"}
    first = as_alice("POST", CHAT, question)
    assert first["userMessage"]["id"] == "msg-1" and first["message_id"] != "msg-1"
    assert as_alice("POST", CHAT, question) == first
    as_alice("POST", CHAT, {"message": "Next", "conversation_id": "conv-1"})
    assert as_alice("POST", CHAT, question) == first
    assert len(texts(as_alice, "conv-1")) == 4


def test_another_text_under_the_same_message_id_is_a_conflict(as_alice: ApiClient) -> None:
    question = {"message": "Hello", "conversation_id": "conv-1", "message_id": "msg-1"}
    as_alice("POST", CHAT, question)
    refused(as_alice, question | {"message": "Other"}, "msg-1", status=409)
    assert texts(as_alice, "conv-1") == ["Hello", ECHO + "Hello"]


def test_two_users_with_the_same_conversation_id_have_two_conversations(as_alice: ApiClient, as_bob: ApiClient) -> None:
    for caller, text in ((as_alice, "Alice's"), (as_bob, "Bob's")):
        caller("POST", CHAT, {"message": text, "conversation_id": "conv-1", "message_id": "msg-1"})
    assert texts(as_alice, "conv-1") == ["Alice's", ECHO + "Alice's"]
    assert texts(as_bob, "conv-1") == ["Bob's", ECHO + "Bob's"]


def test_the_id_of_another_users_conversation_starts_a_new_one(as_alice: ApiClient, as_bob: ApiClient) -> None:
    id = as_alice("POST", CHAT, {"message": "Hello"})["conversation_id"]
    as_bob("POST", CHAT, {"message": "Mine", "conversation_id": id})
    assert texts(as_bob, id) == ["Mine", ECHO + "Mine"]
    assert texts(as_alice, id) == ["Hello", ECHO + "Hello"]


def refused(caller: ApiClient, body: Any, *words: str, status: int = 400) -> None:
    """Assert that the request is refused in the error shape of both contracts, with a message that has these words."""
    refusal = caller("POST", CHAT, body, status=status)
    assert list(refusal) == ["error", "detail"] and refusal["error"] == refusal["detail"]
    assert all(word in refusal["error"] for word in words), refusal


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, ["message", "required"]),
        ({"message": None}, ["message", "string"]),
        ({"message": 5}, ["message", "string"]),
        ({"message": ["Hello"]}, ["message", "string"]),
        ({"message": {"text": "Hello"}}, ["message", "string"]),
        ({"message": ""}, ["message", "empty"]),
        ({"message": " \n\t"}, ["message", "empty"]),
        ({"message": "x" * (settings.CONTENT_LIMIT + 1)}, ["message", "1,000,001", "1,000,000"]),
        ({"message": "é" * 500_001}, ["message", "1,000,002"]),
        ({"message": "a\0b"}, ["message", "NUL"]),
        ({"message": "Hello", "conversation_id": 5}, ["conversation_id", "string"]),
        ({"message": "Hello", "conversationId": 1747036238000}, ["conversationId", "string"]),
        ({"message": "Hello", "conversationId": ["a"]}, ["conversationId", "string"]),
        ({"message": "Hello", "chatId": 5}, ["chatId", "string"]),
        ({"message": "Hello", "chatId": "x" * 256}, ["chatId", "255"]),
        ({"message": "Hello", "conversation_id": "x" * 256}, ["conversation_id", "255"]),
        ({"message": "Hello", "message_id": "x" * 256}, ["message_id", "255"]),
        ({"message": "Hello", "message_id": 5}, ["message_id", "string"]),
        ({"message": "Hello", "model": 5}, ["model", "string"]),
        ({"message": "Hello", "model": "x" * 256}, ["model", "255"]),
        ([], ["object"]),
        (None, ["object"]),
    ],
    ids=lambda value: str(value)[:60],
)
def test_an_invalid_message_is_refused_and_not_stored(body: Any, words: list[str], as_alice: ApiClient) -> None:
    refused(as_alice, body, *words)
    assert chats(as_alice) == []


def test_a_message_of_the_maximum_size_is_accepted(as_alice: ApiClient) -> None:
    largest = "x" * settings.CONTENT_LIMIT
    assert as_alice("POST", CHAT, {"message": largest})["userMessage"]["content"] == largest


def test_an_empty_id_counts_as_absent(as_alice: ApiClient) -> None:
    empty = dict.fromkeys(["model", "chatId", "conversationId", "conversation_id", "message_id"], "")
    first, second = [as_alice("POST", CHAT, {"message": "Hello", **empty}) for _ in range(2)]
    assert len({first["conversation_id"], second["conversation_id"], ""}) == 3
    assert first["userMessage"]["id"]
