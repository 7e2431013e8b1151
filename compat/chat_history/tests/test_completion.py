"""Contract C: questions to a model. The client sends the whole history each time, and no id."""

from typing import Any

import pytest

from testing.api_client import ApiClient

from .helpers import chats, findings, messages_in

COMPLETION = "/api/chat/completion"


def say(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def ask(caller: ApiClient, *history: dict[str, str], **more: Any) -> str:
    answer = caller("POST", COMPLETION, {"messages": list(history), **more})
    assert set(answer) == {"response", "prefetch_content", "tool_calls"} and answer["tool_calls"] == []
    return str(answer["response"])


def texts(caller: ApiClient) -> list[list[str]]:
    """Return the texts of each chat, the newest chat first."""
    return [[row["content"] for row in messages_in(caller, chat["id"])] for chat in chats(caller)]


def test_a_dialogue_is_stored_once_as_one_chat_with_its_notebooks(as_alice: ApiClient) -> None:
    first = ask(as_alice, say("user", "One"), notebooks=["maths"])
    history = [say("user", "One"), say("assistant", first), say("user", "Two")]
    second = ask(as_alice, *history, notebooks=["maths"])
    third = ask(as_alice, *history, say("assistant", second), say("user", "Three"), notebooks=["maths"])
    assert texts(as_alice) == [["One", first, "Two", second, "Three", third]]
    assert [chat["notebooks"] for chat in chats(as_alice)] == [["maths"]]
    assert type(chats(as_alice)[0]["id"]) is int


def test_the_same_first_question_begins_a_chat_of_its_own(as_alice: ApiClient) -> None:
    first = ask(as_alice, say("user", "One"))
    ask(as_alice, say("user", "One"))
    second = ask(as_alice, say("user", "One"), say("assistant", first), say("user", "Two"))
    assert texts(as_alice) == [["One", first, "Two", second], ["One", first]]


def test_an_edited_history_becomes_a_new_chat(as_alice: ApiClient) -> None:
    first = ask(as_alice, say("user", "One"))
    edited = [say("user", "1"), say("assistant", first), say("user", "Two")]
    second = ask(as_alice, *edited)
    assert texts(as_alice) == [["1", first, "Two", second], ["One", first]]


def test_the_history_of_another_user_is_not_continued(as_alice: ApiClient, as_bob: ApiClient) -> None:
    first = ask(as_alice, say("user", "One"))
    second = ask(as_bob, say("user", "One"), say("assistant", first), say("user", "Two"))
    assert texts(as_alice) == [["One", first]]
    assert texts(as_bob) == [["One", first, "Two", second]]


@pytest.mark.parametrize(
    ("messages", "loc"),
    [
        (None, ["body", "messages"]),
        ("Hello", ["body", "messages"]),
        ([], ["body", "messages"]),
        ([say("assistant", "Hello")], ["body", "messages"]),
        ([say("ai", "Hello")], ["body", "messages", 0, "role"]),
        ([say("user", "")], ["body", "messages", 0, "content"]),
        ([{"role": "user"}], ["body", "messages", 0, "content"]),
    ],
)
def test_an_invalid_history_is_refused_and_stores_nothing(as_alice: ApiClient, messages: Any, loc: Any) -> None:
    assert [where for _, where in findings(as_alice, "POST", COMPLETION, {"messages": messages})] == [loc]
    assert chats(as_alice) == []
