"""Contract C: messages."""

from typing import Any

import pytest
from django.conf import settings

from testing.api_client import NO_BODY, ApiClient

from .helpers import MESSAGES, chat, detail, findings, is_missing, messages_in, native_id, say, without_id_and_times

ROLES = [("user", "user"), ("ai", "assistant"), ("system", "system")]


@pytest.fixture
def id(as_alice: ApiClient) -> int:
    return int(chat(as_alice, name="Zebras")["id"])


def natively(caller: ApiClient, id: int) -> Any:
    return caller.pages(f"conversations/{native_id(caller, id)}/messages/")


@pytest.mark.parametrize(("role", "native"), ROLES)
def test_a_message_is_created_read_changed_and_deleted(as_alice: ApiClient, id: int, role: str, native: str) -> None:
    made = say(as_alice, id, "Hello\n", role)
    assert without_id_and_times(made) == {"chat_id": id, "role": role, "content": "Hello\n"}
    assert as_alice("GET", f"{MESSAGES}{made['id']}") == made
    assert messages_in(as_alice, id) == detail(as_alice, id)["messages"] == [made]
    assert [(row["content"], row["role"]) for row in natively(as_alice, id)] == [("Hello\n", native)]
    changed = as_alice("PUT", f"{MESSAGES}{made['id']}", {"content": "Hello again"})
    assert without_id_and_times(changed) == {"chat_id": id, "role": role, "content": "Hello again"}
    assert (changed["id"], changed["created_at"]) == (made["id"], made["created_at"])
    assert changed["updated_at"] > made["updated_at"]
    assert messages_in(as_alice, id) == [changed]
    assert as_alice("DELETE", f"{MESSAGES}{made['id']}", status=204) is None
    assert as_alice.text == "" and messages_in(as_alice, id) == []
    for method, body in (("GET", NO_BODY), ("PUT", {"content": "New"}), ("DELETE", NO_BODY)):
        assert is_missing(as_alice, method, f"{MESSAGES}{made['id']}", body)


def test_messages_are_listed_in_the_order_of_their_creation(as_alice: ApiClient, id: int) -> None:
    made = [say(as_alice, id, str(index), ("user", "ai")[index % 2]) for index in range(12)]
    as_alice("PUT", f"{MESSAGES}{made[3]['id']}", {"content": "changed"})
    assert [row["id"] for row in messages_in(as_alice, id)] == [row["id"] for row in made]
    times = [row["created_at"] for row in messages_in(as_alice, id)]
    assert times == sorted(times)


def test_deleting_a_message_keeps_the_order_of_the_others(as_alice: ApiClient, id: int) -> None:
    one, two, three = (say(as_alice, id, text) for text in ("One", "Two", "Three"))
    as_alice("DELETE", f"{MESSAGES}{two['id']}", status=204)
    assert messages_in(as_alice, id) == [one, three]
    as_alice("DELETE", f"{MESSAGES}{three['id']}", status=204)
    four = say(as_alice, id, "Four")
    assert messages_in(as_alice, id) == [one, four]


def test_only_the_active_alternative_is_listed(as_alice: ApiClient, id: int) -> None:
    question, first = say(as_alice, id, "Hello"), say(as_alice, id, "Hi", "ai")
    stored = natively(as_alice, id)[1]
    as_alice("PATCH", f"messages/{stored['id']}/?branch=true", {"content": "Good day"}, status=201)
    assert [row["content"] for row in messages_in(as_alice, id)] == ["Hello", "Good day"]
    assert messages_in(as_alice, id)[0] == question and messages_in(as_alice, id)[1]["id"] > first["id"]
    assert detail(as_alice, id)["messages"] == messages_in(as_alice, id)


# --- Changes


def test_saving_an_unchanged_message_changes_nothing(as_alice: ApiClient, id: int) -> None:
    made = say(as_alice, id, "Hello", "ai")
    before = detail(as_alice, id)
    assert as_alice("PUT", f"{MESSAGES}{made['id']}", made) == made
    assert detail(as_alice, id) == before


@pytest.mark.parametrize(
    ("part", "after"),
    [
        ({}, {"role": "ai", "content": "Hello"}),
        ({"role": "system"}, {"role": "system", "content": "Hello"}),
        ({"chat_id": "other", "id": 5, "created_at": "1970", "likes": 3}, {"role": "ai", "content": "Hello"}),
    ],
)
def test_a_change_applies_only_to_the_sent_role_and_content(
    as_alice: ApiClient, id: int, part: Any, after: Any
) -> None:
    made = say(as_alice, id, "Hello", "ai")
    changed = as_alice("PUT", f"{MESSAGES}{made['id']}", part)
    assert without_id_and_times(changed) == {"chat_id": id, **after} and changed["id"] == made["id"]
    assert messages_in(as_alice, id) == [changed]


# --- Refused requests


OVER = settings.CONTENT_LIMIT + 1
BAD: dict[str, tuple[Any, list[str]]] = {
    "role a number": ({"role": 1}, ["role"]),
    "role null": ({"role": None}, ["role"]),
    "role as the native API names it": ({"role": "assistant"}, ["role"]),
    "role unknown": ({"role": "king"}, ["role"]),
    "content null": ({"content": None}, ["content"]),
    "content a number": ({"content": 5}, ["content"]),
    "content a list": ({"content": ["Hello"]}, ["content"]),
    "content too long": ({"content": "x" * OVER}, ["content"]),
    "content empty": ({"content": ""}, ["content"]),
    "content with NUL": ({"content": "a\0b"}, ["content"]),
    "both": ({"role": "king", "content": None}, ["role", "content"]),
}


@pytest.mark.parametrize(("wrong", "fields"), BAD.values(), ids=BAD)
def test_an_invalid_message_is_refused_and_changes_nothing(
    as_alice: ApiClient, id: int, wrong: Any, fields: list[str]
) -> None:
    made = say(as_alice, id, "Hello")
    before = detail(as_alice, id)
    for method, path in (("POST", MESSAGES), ("PUT", f"{MESSAGES}{made['id']}")):
        found = findings(as_alice, method, path, {"chat_id": id, "role": "ai", "content": "New", **wrong})
        assert [loc for _, loc in found] == [["body", field] for field in fields]
    assert detail(as_alice, id) == before


def test_the_error_of_an_empty_content_says_what_is_wrong(as_alice: ApiClient, id: int) -> None:
    body = {"chat_id": id, "role": "user", "content": ""}
    refusal = as_alice("POST", MESSAGES, body, status=422)
    assert refusal["detail"] == [{"type": "string_too_short", "loc": ["body", "content"], "msg": "Must not be empty."}]


@pytest.mark.parametrize("field", ["chat_id", "role", "content"])
def test_every_field_of_a_new_message_is_required(as_alice: ApiClient, id: int, field: str) -> None:
    body = {"chat_id": id, "role": "user", "content": "Hello"}
    del body[field]
    assert findings(as_alice, "POST", MESSAGES, body) == [("missing", ["body", field])]
    assert messages_in(as_alice, id) == []


@pytest.mark.parametrize("wrong", [None, True, 5.0, "", "x" * 256, ["chat-1"]])
def test_an_invalid_chat_id_is_refused(as_alice: ApiClient, wrong: Any) -> None:
    found = findings(as_alice, "POST", MESSAGES, {"chat_id": wrong, "role": "user", "content": "Hello"})
    assert [loc for _, loc in found] == [["body", "chat_id"]]


@pytest.mark.parametrize(
    "unknown", [0, 5, -1, 2**63 - 1, "nobody's", "01900000-0000-7000-8000-000000000000", "x" * 255]
)
def test_a_message_to_an_unknown_chat_is_not_found(as_alice: ApiClient, id: int, unknown: Any) -> None:
    assert is_missing(as_alice, "POST", MESSAGES, {"chat_id": unknown, "role": "user", "content": "Hello"})
    assert messages_in(as_alice, id) == []


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "unknown", ["5", "9" * 30, "%D9%A5", "nobody's", "%00", "a/b", "01900000-0000-7000-8000-000000000000"]
)
def test_an_unknown_message_is_not_found(as_alice: ApiClient, method: str, unknown: str) -> None:
    assert is_missing(as_alice, method, f"{MESSAGES}{unknown}", {"content": "New"} if method == "PUT" else NO_BODY)


def test_another_user_cannot_read_or_change_a_message(as_alice: ApiClient, as_bob: ApiClient, id: int) -> None:
    made = say(as_alice, id, "Hello")
    for method, body in (("GET", NO_BODY), ("PUT", {"content": "Mine"}), ("DELETE", NO_BODY)):
        assert is_missing(as_bob, method, f"{MESSAGES}{made['id']}", body)
    assert messages_in(as_alice, id) == [made]


@pytest.mark.parametrize(
    "unseen",
    [
        {"role": "tool", "content": "12:00", "tool_call_id": "c1"},
        {"role": "developer", "content": "Be exact."},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "c1"}]},
    ],
    ids=["a tool result", "a developer message", "a tool call"],
)
def test_a_message_that_the_contract_cannot_show_is_hidden_and_kept(as_alice: ApiClient, id: int, unseen: Any) -> None:
    one = say(as_alice, id, "What time is it?")
    hidden = as_alice("POST", f"conversations/{native_id(as_alice, id)}/messages/", unseen, status=201)
    two = say(as_alice, id, "Noon.", "ai")
    assert messages_in(as_alice, id) == detail(as_alice, id)["messages"] == [one, two]
    assert as_alice("GET", f"{MESSAGES}chat/{id}?page=2&page_size=1")["items"] == [two]
    for method, body in (("GET", NO_BODY), ("PUT", {"content": "New"}), ("DELETE", NO_BODY)):
        assert is_missing(as_alice, method, f"{MESSAGES}{hidden['id']}", body)
    assert [row["seq"] for row in natively(as_alice, id)] == [1, 2, 3]
    assert natively(as_alice, id)[1] == hidden
