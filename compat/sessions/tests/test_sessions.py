"""The routes of contract A: example requests, titles, stored fields, lists and refused requests."""

from typing import Any

import pytest
from django.conf import settings

from testing.api_client import NO_BODY, ApiClient

from .helpers import HELLO, SESSIONS, Json, assistant, post, put, read, stored, system, user, without_id_and_times

CREATE = b"""{
  "messages": [
    { "role": "user", "content": "Hello" },
    { "role": "assistant", "content": "Hi there!" }
  ]
}"""
UPDATE = b"""{
  "messages": [
    { "role": "user", "content": "Hello" },
    { "role": "assistant", "content": "Hi there!" },
    { "role": "user", "content": "How are you?" }
  ]
}"""


def test_the_example_requests_of_contract_a(as_alice: ApiClient) -> None:
    assert as_alice("GET", SESSIONS) == []
    made = as_alice("POST", SESSIONS, CREATE, status=201)
    assert without_id_and_times(made) == {"title": "Hello", "messageCount": 2, "firstMessage": "Hello"}
    assert as_alice("GET", SESSIONS) == [made]
    one = f"{SESSIONS}/{made['id']}"
    assert as_alice("GET", one) == {"messages": HELLO}
    updated = as_alice("PUT", one, UPDATE)
    assert without_id_and_times(updated) == {"title": "Hello", "messageCount": 3, "firstMessage": "Hello"}
    assert (updated["id"], updated["createdAt"]) == (made["id"], made["createdAt"])
    assert updated["updatedAt"] > made["updatedAt"]
    assert as_alice("GET", SESSIONS) == [updated]
    assert as_alice("GET", one) == {"messages": [*HELLO, user("How are you?")]}
    assert as_alice("DELETE", one) == {"success": True}
    assert as_alice("GET", SESSIONS) == []


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("id", ["deleted", "01900000-0000-7000-8000-000000000000", "nobody's", "%00", "a/b"])
def test_an_unknown_session_is_not_found(as_alice: ApiClient, method: str, id: str) -> None:
    if id == "deleted":
        id = post(as_alice, HELLO)["id"]
        as_alice("DELETE", f"{SESSIONS}/{id}")
    refusal = as_alice(method, f"{SESSIONS}/{id}", UPDATE if method == "PUT" else NO_BODY, status=404)
    assert list(refusal) == ["error"] and "conversation" in refusal["error"]


# --- Titles


@pytest.mark.parametrize(
    ("messages", "title"),
    [
        ([user("x" * 30)], "x" * 30),
        ([user("x" * 31)], "x" * 30 + "..."),
        ([user("x" * 500)], "x" * 30 + "..."),
        ([user("Wie geht es dir, mein alter Freund?")], "Wie geht es dir, mein alter Fr..."),
        ([user("你" * 31)], "你" * 30 + "..."),
        ([user("Hello\nand a second line that is much longer than thirty")], "Hello"),
        ([user("\n  Hello\n")], "Hello"),
        ([system("Be kind."), assistant("Welcome!"), user("Hello"), user("Still here?")], "Hello"),
    ],
)
def test_the_title_is_the_first_line_of_the_first_user_message(
    as_alice: ApiClient, messages: list[Json], title: str
) -> None:
    made = post(as_alice, messages)
    assert made["title"] == title
    assert as_alice("GET", SESSIONS) == [made]


def test_a_later_change_of_the_first_message_does_not_change_the_title(as_alice: ApiClient) -> None:
    id = post(as_alice, HELLO)["id"]
    assert put(as_alice, id, [user("Good evening"), assistant("Hi there!")])["title"] == "Hello"


def test_a_title_set_by_the_user_is_not_shortened(as_alice: ApiClient) -> None:
    id, chosen = post(as_alice, HELLO)["id"], "A title that a person chose, of more than thirty characters"
    as_alice("PATCH", f"conversations/{id}/", {"title": chosen})
    assert put(as_alice, id, [*HELLO, user("How are you?")])["title"] == chosen


@pytest.mark.parametrize("before", [[], [system("Be kind.")], [assistant("Welcome!")]])
def test_a_session_without_a_user_message_gets_its_title_when_the_first_one_is_saved(
    as_alice: ApiClient, before: list[Json]
) -> None:
    made = post(as_alice, before)
    assert made["title"].startswith("New Chat ")
    assert "firstMessage" not in made and made["messageCount"] == len(before)
    assert as_alice("GET", SESSIONS) == [made]
    named = put(as_alice, made["id"], [*before, user("Hello")])
    assert without_id_and_times(named) == {"title": "Hello", "messageCount": len(before) + 1, "firstMessage": "Hello"}


def test_first_message_is_cut_to_200_characters(as_alice: ApiClient) -> None:
    made = post(as_alice, [user("你" * 500)])
    assert made["firstMessage"] == "你" * 200
    assert as_alice("GET", SESSIONS) == [made]


# --- Stored fields of a message


@pytest.mark.parametrize(
    "thinking", [{"thinkingContent": "Hm.\n\nWell."}, {"thinkingContent": ""}, {"thinkingContent": None}, {}]
)
def test_thinking_is_stored_and_is_empty_if_it_was_not_sent(as_alice: ApiClient, thinking: Json) -> None:
    sent = [user("Hello"), {"role": "assistant", "content": "Hi there!", **thinking}]
    id = post(as_alice, sent)["id"]
    assert read(as_alice, id) == [user("Hello"), assistant("Hi there!", thinking.get("thinkingContent") or "")]
    assert put(as_alice, id, sent)["updatedAt"] == as_alice("GET", SESSIONS)[0]["createdAt"]


def test_unusual_texts_are_read_back_unchanged(as_alice: ApiClient) -> None:
    messages = [
        user(" \n\t"),
        assistant(""),
        user("'; DROP TABLE message; --"),
        assistant("你好 👋🏽 \u202e\u0001\r\n", "🤔"),
    ]
    id = post(as_alice, messages)["id"]
    assert read(as_alice, id) == messages


def test_unknown_fields_are_ignored(as_alice: ApiClient) -> None:
    extras = {"id": "m1", "timestamp": 1747036238000, "isStreaming": False}
    body = {"id": "mine", "title": "Mine", "messages": [message | extras for message in HELLO]}
    made = as_alice("POST", SESSIONS, body, status=201)
    assert made["title"] == "Hello" and made["id"] != "mine"
    assert read(as_alice, made["id"]) == HELLO


# --- Lists, and the sessions of other users


def test_the_session_with_the_latest_activity_is_listed_first(as_alice: ApiClient) -> None:
    first, second, third = (post(as_alice, [user(text)])["id"] for text in ("One", "Two", "Three"))

    def listed() -> list[str]:
        return [session["id"] for session in as_alice("GET", SESSIONS)]

    assert listed() == [third, second, first]
    put(as_alice, first, [user("One"), assistant("1")])
    assert listed() == [first, third, second]
    put(as_alice, second, read(as_alice, second))
    assert listed() == [first, third, second]


def test_two_users_with_the_same_session_id_have_two_sessions(as_alice: ApiClient, as_bob: ApiClient) -> None:
    both = {"Alice": as_alice, "Bob": as_bob}
    for caller in both.values():
        caller("POST", "conversations/", {"external_id": "session-1"}, status=201)
    for name, caller in both.items():
        assert put(caller, "session-1", [user(f"I am {name}")])["id"] == "session-1"
    for name, caller in both.items():
        assert read(caller, "session-1") == [user(f"I am {name}")]
        assert [session["title"] for session in caller("GET", SESSIONS)] == [f"I am {name}"]
    as_bob("DELETE", f"{SESSIONS}/session-1")
    assert read(as_alice, "session-1") == [user("I am Alice")]


def test_another_user_cannot_read_or_change_a_session(as_alice: ApiClient, as_bob: ApiClient) -> None:
    made = post(as_alice, HELLO)
    for method, body in (("GET", NO_BODY), ("PUT", {"messages": []}), ("DELETE", NO_BODY)):
        as_bob(method, f"{SESSIONS}/{made['id']}", body, status=404)
    assert as_bob("GET", SESSIONS) == []
    assert as_alice("GET", SESSIONS) == [made]
    assert read(as_alice, made["id"]) == HELLO


# --- Refused requests


def wrong(**changes: Any) -> Any:
    """Return a history whose second message has these changes."""
    second = {name: value for name, value in (assistant("Hi") | changes).items() if value is not NO_BODY}
    return {"messages": [user("Hello"), second]}


OVER = settings.CONTENT_LIMIT + 1
BAD = {
    "messages a string": ({"messages": "Hello"}, "messages: Must be an array."),
    "messages null": ({"messages": None}, "messages: Must be an array."),
    "messages a number": ({"messages": 5}, "messages: Must be an array."),
    "messages an object": ({"messages": user("Hello")}, "messages: Must be an array."),
    "messages missing": ({}, "messages: This field is required."),
    "role a number": (wrong(role=1), "messages[1].role: "),
    "role unknown": (wrong(role="king"), "messages[1].role: "),
    "role in capitals": (wrong(role="User"), "messages[1].role: "),
    "role null": (wrong(role=None), "messages[1].role: "),
    "role missing": (wrong(role=NO_BODY), "messages[1].role: This field is required."),
    "content a number": (wrong(content=5), "messages[1].content: Must be a string."),
    "content null": (wrong(content=None), "messages[1].content: Must be a string."),
    "content parts": (wrong(content=[{"type": "text"}]), "messages[1].content: Must be a string."),
    "content missing": (wrong(content=NO_BODY), "messages[1].content: This field is required."),
    "content too long": (wrong(content="x" * OVER), "messages[1].content: Has 1,000,001 bytes; the limit is"),
    "content too long in bytes": (wrong(content="你" * (OVER // 3 + 1)), "messages[1].content: Has 1,000,002 bytes"),
    "thinking a number": (wrong(thinkingContent=5), "messages[1].thinkingContent: Must be a string."),
    "thinking too long": (wrong(thinkingContent="x" * OVER), "messages[1].thinkingContent: Has 1,000,001 bytes"),
    "a message that is a string": ({"messages": [user("Hello"), "Hi"]}, "messages[1]: Must be an object."),
    "a message that is null": ({"messages": [user("Hello"), None]}, "messages[1]: Must be an object."),
    "too many": (
        {"messages": [user("x")] * (settings.HISTORY_LIMIT + 1)},
        "messages: Must have at most 10,000 entries.",
    ),
}


@pytest.mark.parametrize(("body", "error"), BAD.values(), ids=BAD)
def test_an_invalid_history_changes_nothing_and_the_error_names_the_wrong_field(
    as_alice: ApiClient, body: Any, error: str
) -> None:
    made = post(as_alice, HELLO)
    before = stored(as_alice, made["id"])
    for method, path in (("POST", SESSIONS), ("PUT", f"{SESSIONS}/{made['id']}")):
        refusal = as_alice(method, path, body, status=400)
        assert list(refusal) == ["error"] and refusal["error"].startswith(error)
    assert as_alice("GET", SESSIONS) == [made]
    assert stored(as_alice, made["id"]) == before
