"""The routes of the storage contract: requests, responses and refused requests."""

from typing import Any

import pytest

from testing.api_client import ApiClient
from testing.storage_client import (
    CREATED,
    NO_TOKENS,
    SESSIONS,
    STORAGE,
    assistant,
    every_message,
    load,
    message,
    messages_of,
    native,
    save,
    session,
    user,
)

CALL = {"id": "call_1", "type": "function", "function": {"name": "clock", "arguments": '{"zone": "UTC"}'}}


def test_the_configuration_has_only_the_kind_of_the_database(as_alice: ApiClient) -> None:
    assert as_alice("GET", f"{STORAGE}/config") == {"type": "postgres"}


def test_a_new_user_has_no_sessions_and_no_selection(as_alice: ApiClient) -> None:
    assert as_alice("GET", SESSIONS) == {"chatSessions": []}
    assert as_alice("GET", f"{STORAGE}/active-chat") == {"activeChatId": ""}
    assert as_alice("GET", f"{STORAGE}/selected-model") == {"selectedModel": ""}


def test_saved_sessions_are_read_back_unchanged(as_alice: ApiClient) -> None:
    messages = [
        message("1", "system", "Be brief."),
        message("2", "user", "What time is it?\n  é 北京 😀"),
        message("3", "assistant", None, model="m", tool_calls=[CALL], reasoning="A clock is needed."),
        message("4", "tool", "12:00", tool_call_id="call_1", name="clock"),
        message("5", "assistant", "", model="m", tool_calls=[]),
        message("6", "assistant", "Noon."),
    ]
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7, "details": {"cached": 1}}
    assert save(as_alice, session("s", *messages, title="Time", tokenUsage=usage)) == {"success": True}
    assert load(as_alice) == [
        {"id": "s", "title": "Time", "messages": messages, "createdAt": "2025-05-12T07:50:38.000Z", "tokenUsage": usage}
    ]


def test_sessions_are_listed_by_the_time_they_were_created(as_alice: ApiClient) -> None:
    save(as_alice, *(session(f"s{at}", createdAt=CREATED + at) for at in (2, 5, 1)))
    assert [each["id"] for each in load(as_alice)] == ["s5", "s2", "s1"]


@pytest.mark.parametrize("time", [1_747_036_238_123, "2025-05-12T07:50:38.123Z", "2025-05-12T09:50:38.123999+02:00"])
def test_created_at_is_accepted_in_milliseconds_and_in_iso_8601(time: Any, as_alice: ApiClient) -> None:
    save(as_alice, session("s", createdAt=time))
    assert load(as_alice)[0]["createdAt"] == "2025-05-12T07:50:38.123Z"


def test_a_session_without_title_time_or_usage_gets_defaults(as_alice: ApiClient) -> None:
    bare = {"id": "s", "messages": [user("1", "Where to?\nSoon.")]}
    save(as_alice, bare)
    (read,) = load(as_alice)
    assert (read["title"], read["tokenUsage"], read["messages"]) == ("Where to?", NO_TOKENS, bare["messages"])
    save(as_alice, bare)
    assert load(as_alice) == [read]


def test_chatstore_counts_the_token_usage_that_no_client_reported(as_alice: ApiClient) -> None:
    counted = {"role": "assistant", "content": "Hi", "prompt_tokens": 5, "completion_tokens": 7}
    as_alice("POST", "/api/v1/conversations/", {"external_id": "s", "messages": [counted]}, status=201)
    assert load(as_alice)[0]["tokenUsage"] == {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}


def test_title_usage_and_creation_time_of_a_session_can_change(as_alice: ApiClient) -> None:
    save(as_alice, session("s", user("1", "Hi")))
    changed = session("s", user("1", "Hi"), title="Hi", tokenUsage={"total_tokens": 9}, createdAt=CREATED + 1000)
    save(as_alice, changed)
    assert load(as_alice) == [changed | {"createdAt": "2025-05-12T07:50:39.000Z"}]
    assert native(as_alice, "s")["title_is_auto"] is False


def test_unknown_fields_are_ignored(as_alice: ApiClient) -> None:
    save(as_alice, session("s", user("1", "Hi") | {"draft": True}, pinned=1))
    assert messages_of(as_alice, "s") == [user("1", "Hi")]


def test_reasoning_under_its_older_name_is_kept(as_alice: ApiClient) -> None:
    save(as_alice, session("s", assistant("1", "Noon.", reasoning_content="Twelve.")))
    assert messages_of(as_alice, "s") == [assistant("1", "Noon.", reasoning="Twelve.")]


def test_a_message_without_an_id_gets_one_and_keeps_it(as_alice: ApiClient) -> None:
    bare = {"role": "user", "content": "Hi"}
    save(as_alice, session("s", bare))
    (read,) = messages_of(as_alice, "s")
    assert read == bare | {"id": every_message(as_alice, "s")[0]["id"]}
    save(as_alice, session("s", bare))
    save(as_alice, session("s", read))
    assert messages_of(as_alice, "s") == [read]


def test_hidden_messages_keep_their_place(as_alice: ApiClient) -> None:
    hidden = {"role": "developer", "content": "Secret."}
    messages = [hidden, {"role": "user", "content": "Hi", "external_id": "1"}, hidden]
    as_alice("POST", "/api/v1/conversations/", {"external_id": "s", "messages": messages}, status=201)
    save(as_alice, session("s", *messages_of(as_alice, "s"), assistant("2", "Hello")))
    shown = as_alice("GET", f"/api/v1/conversations/{native(as_alice, 's')['id']}/messages/")["results"]
    assert [row["content"] for row in shown] == ["Secret.", "Hi", "Secret.", "Hello"]


def test_users_with_equal_session_ids_do_not_affect_each_other(as_alice: ApiClient, as_bob: ApiClient) -> None:
    save(as_alice, session("s", user("1", "I am Alice")))
    save(as_bob, session("s", user("1", "I am Bob")))
    save(as_bob)
    assert load(as_bob) == []
    assert messages_of(as_alice, "s") == [user("1", "I am Alice")]


@pytest.mark.parametrize(("path", "field"), [("active-chat", "activeChatId"), ("selected-model", "selectedModel")])
def test_a_selection_is_stored_and_cleared(path: str, field: str, as_alice: ApiClient, as_bob: ApiClient) -> None:
    assert as_alice("POST", f"{STORAGE}/{path}", {field: "not stored yet"}) == {"success": True}
    assert as_alice("GET", f"{STORAGE}/{path}") == {field: "not stored yet"}
    assert as_bob("GET", f"{STORAGE}/{path}") == {field: ""}
    for nothing in ("", None):
        as_alice("POST", f"{STORAGE}/{path}", {field: nothing})
        assert as_alice("GET", f"{STORAGE}/{path}") == {field: ""}


@pytest.mark.parametrize("junk", [{}, {"activeChatId": 5}, {"activeChatId": "x" * 256}, {"activeChatId": ["x"]}])
def test_an_invalid_selection_is_refused(junk: Any, as_alice: ApiClient) -> None:
    assert as_alice("POST", f"{STORAGE}/active-chat", junk, status=400)["error"].startswith("activeChatId: ")


def test_the_active_chat_is_read_by_the_id_that_the_client_knows(as_alice: ApiClient) -> None:
    save(as_alice, session("s"))
    as_alice("PATCH", "/api/v1/preferences/", {"active_conversation": native(as_alice, "s")["id"]})
    assert as_alice("GET", f"{STORAGE}/active-chat") == {"activeChatId": "s"}
    save(as_alice)
    assert as_alice("GET", f"{STORAGE}/active-chat") == {"activeChatId": ""}


def test_a_model_selected_here_is_the_users_default_everywhere(as_alice: ApiClient) -> None:
    assert as_alice("GET", "/api/v1/preferences/")["default_model"] == "groq"
    as_alice("POST", f"{STORAGE}/selected-model", {"selectedModel": "openai/gpt-4o"})
    assert as_alice("GET", "/api/v1/preferences/")["default_model"] == "openai/gpt-4o"


BAD_MESSAGES = [
    ({"role": 5}, "role"),
    ({"role": "king"}, "role"),
    ({"role": None}, "role"),
    ({"content": None}, ""),
    ({"content": 5}, "content"),
    ({"content": ["Hi"]}, "content"),
    ({"content": "é" * 500_001}, "content"),
    ({"id": 5}, "id"),
    ({"id": ""}, "id"),
    ({"id": "x" * 256}, "id"),
    ({"tool_calls": {}}, "tool_calls"),
    ({"tool_call_id": "x" * 256}, "tool_call_id"),
    ({"model": 5}, "model"),
]
BAD_SESSIONS = [
    ({"id": None}, "id"),
    ({"id": 1_747_036_238_000}, "id"),
    ({"id": "x" * 256}, "id"),
    ({"title": "x" * 501}, "title"),
    ({"title": 5}, "title"),
    ({"messages": "Hello"}, "messages"),
    ({"messages": None}, "messages"),
    ({"messages": {}}, "messages"),
    ({"messages": ["Hello"]}, "messages[0]"),
    ({"createdAt": "yesterday"}, "createdAt"),
    ({"createdAt": True}, "createdAt"),
    ({"createdAt": -1}, "createdAt"),
    ({"createdAt": 1e300}, "createdAt"),
    ({"createdAt": "9999-12-31T23:59:59-23:59"}, "createdAt"),
    ({"tokenUsage": []}, "tokenUsage"),
    ({"tokenUsage": {"x": "y" * 16_000}}, "tokenUsage"),
]
BAD = [(session("bad") | fields, f"chatSessions[1].{path}") for fields, path in BAD_SESSIONS] + [
    (session("bad", user("1", "Hi"), user("2", "Hi") | fields), f"chatSessions[1].messages[1]{path and '.'}{path}")
    for fields, path in BAD_MESSAGES
]


@pytest.mark.parametrize(("bad", "path"), BAD, ids=str)
def test_a_save_with_one_invalid_session_stores_nothing(bad: Any, path: str, alice: Any) -> None:
    caller = ApiClient(alice)
    kept = session("kept", user("1", "Hi"))
    save(caller, kept)
    before = load(caller)
    refusal = save(caller, session("kept", user("1", "Changed")), bad, session("new"), status=400)
    assert refusal["error"].startswith(f"{path}: "), refusal
    assert load(caller) == before


@pytest.mark.parametrize("sessions", ["Hello", None, {}, 5, ["Hello"], [None]])
def test_chat_sessions_must_be_a_list_of_objects(sessions: Any, as_alice: ApiClient) -> None:
    save(as_alice, session("kept"))
    refusal = as_alice("POST", SESSIONS, {"chatSessions": sessions}, status=400)
    assert refusal["error"].startswith("chatSessions")
    assert len(load(as_alice)) == 1


def test_two_sessions_with_one_id_are_refused(as_alice: ApiClient) -> None:
    twice = [session("s"), session("s", user("1", "Hi"))]
    assert "'s'" in save(as_alice, *twice, status=400)["error"]
    save(as_alice, session("s"))
    ours = native(as_alice, "s")["id"]
    for other in ("s", ours):
        assert "two conversations" in save(as_alice, session("s"), session(other), status=400)["error"].lower()


def test_a_message_at_the_nesting_limit_of_the_native_api_can_be_saved(as_alice: ApiClient) -> None:
    deep: Any = "x"
    for _ in range(60):
        deep = [deep]
    body = {"messages": [{"role": "assistant", "content": None, "tool_calls": deep}]}
    as_alice("POST", "/api/v1/conversations/", body, status=201)
    save(as_alice, *load(as_alice))
