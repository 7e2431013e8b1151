"""The requests that the clients of contracts A and B send to the chat routes, and the fields that they read."""

import json
from typing import Any

import pytest

from testing.api_client import ApiClient
from testing.shapes import TIME

CHAT = "/api/chat"


def test_b_shows_the_messages_of_an_answer(as_alice: ApiClient) -> None:
    answer = as_alice("POST", CHAT, {"message": "Hello", "chatId": None, "model": "groq"})
    assert answer["success"] is True and isinstance(answer["chatId"], str)
    question, reply = answer["messages"]
    assert (question["sender"], question["content"]) == ("user", "Hello")
    assert reply["sender"] == "assistant" and reply["content"].endswith("Hello")
    assert len({question["id"], reply["id"]}) == 2
    for message in (question, reply):
        assert isinstance(message["user"]["name"], str) and message["user"]["name"]
        assert message["user"]["image"] is None and TIME.fullmatch(message["timestamp"])


def test_b_continues_a_chat_by_its_id_and_finds_it_in_the_history(as_alice: ApiClient) -> None:
    first = as_alice("POST", CHAT, {"message": "Hello", "model": "gemini"})
    second = as_alice("POST", CHAT, {"message": "And now?", "chatId": first["chatId"], "model": "rag"})
    assert second["chatId"] == first["chatId"]
    (chat,) = as_alice("GET", "/api/chat/history")["chats"]
    assert (chat["id"], chat["title"], chat["messageCount"]) == (first["chatId"], "Hello", 4)
    assert chat["lastMessage"] == second["messages"][1]["content"]
    assert TIME.fullmatch(chat["timestamp"])


@pytest.mark.parametrize("body", [{"message": ""}, {"message": " ", "chatId": None, "model": "groq"}], ids=str)
def test_b_shows_the_error_of_a_refused_question(body: Any, as_alice: ApiClient) -> None:
    assert as_alice("POST", CHAT, body, status=400)["error"] == "message: Must not be empty."


class ClientOfA:
    """Reads a stream as the client of contract A does: it splits each network chunk alone."""

    def __init__(self) -> None:
        self.content = self.thinkingContent = ""

    def read(self, chunk: bytes) -> None:
        for block in chunk.decode().split("\n\n"):
            if block.startswith("data: ") and block != "data: [DONE]":
                event = json.loads(block.removeprefix("data: "))
                if event["type"] == "thinking":
                    self.thinkingContent += event["text"]
                else:
                    self.content += event["text"]


def test_a_asks_shows_and_saves(as_alice: ApiClient) -> None:
    messages: list[Any] = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    as_alice("POST", CHAT, {"messages": [*messages, {"role": "assistant", "content": ""}], "model": "qwen-max"})
    client = ClientOfA()
    client.read(as_alice.content)
    assert client.content.endswith("You said: Hi")
    messages.append({"role": "assistant", **vars(client)})
    session = as_alice("POST", "/api/chat/sessions", {"messages": messages}, status=201)
    saved = as_alice("GET", f"/api/chat/sessions/{session['id']}")["messages"]
    assert [message["content"] for message in saved] == ["Be brief.", "Hi", client.content]


def test_a_is_told_that_the_messages_are_missing(as_alice: ApiClient) -> None:
    refusal = as_alice("POST", CHAT, {"messages": "Hi", "model": "qwen-max"}, status=400)
    assert refusal["error"] == "Messages are required and must be an array"
