"""/conversations/{id}/messages/: reading pages, appending, and sending a complete history."""

from typing import Any

import pytest
from django.conf import settings

from conversations.models import Conversation, Message
from testing.api_client import ApiClient
from testing.shapes import TIME

DEFAULTS = {
    "external_id": None,
    "item_type": "message",
    "parts": None,
    "reasoning": "",
    "name": "",
    "model": "",
    "tool_calls": None,
    "tool_call_id": "",
    "status": "completed",
    "finish_reason": "",
    "error": "",
    "prompt_tokens": None,
    "completion_tokens": None,
    "usage": None,
    "metadata": {},
    "deleted_at": None,
    "reactions": [],
    "sibling_ids": [],
    "is_active": True,
}
EVERYTHING = {
    "external_id": "m-1",
    "role": "assistant",
    "item_type": "function_call",
    "content": " Two\r\nlines \u2028 é 北京 😀 <b> \ufeff",
    "parts": [{"type": "text", "text": "x", "n": [1, -0.5, True, None]}],
    "reasoning": "Because.",
    "name": "bot",
    "model": "gpt-5",
    "tool_calls": [{"id": "c1", "function": {"name": "f", "arguments": "{}"}}],
    "tool_call_id": "c0",
    "status": "incomplete",
    "finish_reason": "length",
    "error": "cut",
    "prompt_tokens": 0,
    "completion_tokens": 2**31 - 1,
    "usage": {"cached": 3},
    "metadata": {"k": "v"},
}
HELLO = {"role": "user", "content": "Hello?"}


@pytest.fixture
def path(as_alice: ApiClient) -> str:
    id = as_alice("POST", "conversations/", {}, status=201)["id"]
    return f"conversations/{id}/messages/"


def texts(rows: list[Any]) -> list[str]:
    return [row["content"] for row in rows]


def fill(client: ApiClient, path: str, count: int) -> None:
    client("POST", path, [{"role": "user", "content": str(i)} for i in range(count)], status=201)


# --- Appending ----------------------------------------------------------------------------------------


def test_a_post_of_one_message_returns_one_message(as_either: ApiClient, path: str) -> None:
    created = as_either("POST", path, HELLO, status=201)
    assert all(TIME.fullmatch(created.pop(name)) for name in ("created_at", "updated_at"))
    id, conversation_id = created.pop("id"), created.pop("conversation_id")
    assert created == DEFAULTS | HELLO | {"seq": 1, "parent_seq": None}
    assert conversation_id in path
    assert as_either("GET", f"messages/{id}/")["conversation_id"] == conversation_id


def test_all_writable_fields_are_stored(as_either: ApiClient, path: str) -> None:
    created = as_either("POST", path, EVERYTHING, status=201)
    assert {name: created[name] for name in EVERYTHING} == EVERYTHING
    assert as_either("GET", path) == {"results": [created], "next": None, "previous": None}


def test_a_post_of_an_array_returns_an_array_in_order(as_either: ApiClient, path: str) -> None:
    created = as_either("POST", path, [HELLO, {"role": "assistant", "content": "Yes?"}], status=201)
    assert [(row["seq"], row["parent_seq"], row["content"]) for row in created] == [(1, None, "Hello?"), (2, 1, "Yes?")]
    assert as_either("POST", path, [HELLO], status=201)[0]["parent_seq"] == 2


def test_an_append_updates_the_conversation(as_alice: ApiClient, path: str) -> None:
    before = as_alice("GET", path.replace("messages/", ""))
    as_alice("POST", path, [HELLO | {"prompt_tokens": 3}, EVERYTHING | {"completion_tokens": 4}], status=201)
    after = as_alice("GET", path.replace("messages/", ""))
    assert after["title"] == "Hello?" and after["title_is_auto"]
    assert (after["message_count"], after["prompt_tokens"], after["completion_tokens"]) == (2, 3, 4)
    assert after["preview"] == "Two lines \u2028 é 北京 😀 <b> \ufeff"
    assert after["active_at"] == after["updated_at"] > before["active_at"]


@pytest.mark.parametrize("body", [{"content": None, "parts": {}}, {"tool_calls": []}, {"parts": []}, {"content": ""}])
def test_a_message_has_content_parts_or_tool_calls(body: dict[str, Any], as_alice: ApiClient, path: str) -> None:
    as_alice("POST", path, {"role": "tool", **body}, status=201)


@pytest.mark.parametrize("body", [{}, {"content": None}, {"reasoning": "Hm."}, {"parts": None, "tool_calls": None}])
def test_an_empty_message_is_refused(body: dict[str, Any], as_alice: ApiClient, path: str) -> None:
    assert as_alice.refusal("POST", path, {"role": "tool", **body}, status=400) == ("invalid", "content")
    assert as_alice.refusal("POST", path, [{"role": "tool", **body}], status=400) == ("invalid", "[0].content")


def test_one_invalid_message_of_an_array_stores_none(as_alice: ApiClient, path: str) -> None:
    sent = [HELLO, HELLO | {"role": "king"}, {"content": 5}]
    error = as_alice("POST", path, sent, status=400)["error"]
    assert [detail["field"] for detail in error["details"]] == ["[1].role", "[2].role", "[2].content"]
    assert as_alice("GET", path)["results"] == []


@pytest.mark.parametrize("body", [[], [[]], [None], [1], None, "x", 1, True, [[HELLO]]])
def test_a_body_that_is_not_a_message_is_refused(body: Any, as_alice: ApiClient, path: str) -> None:
    as_alice.refusal("POST", path, body, status=400)
    assert not Message.objects.exists()


def test_one_request_stores_at_most_a_thousand_messages(as_alice: ApiClient, path: str) -> None:
    over = [HELLO] * (settings.MESSAGES_LIMIT + 1)
    assert as_alice.refusal("POST", path, over, status=400) == ("max_length", None)
    assert "1000" in as_alice.text
    created = as_alice("POST", path, over[1:], status=201)
    assert [row["seq"] for row in created] == list(range(1, 1001))


@pytest.mark.parametrize("text", ["x" * 2_000_000, "é" * 500_001])
def test_the_error_for_large_content_names_the_limit_and_the_size(text: str, as_alice: ApiClient, path: str) -> None:
    assert as_alice.refusal("POST", path, HELLO | {"content": text}, status=400) == ("bytes", "content")
    assert "1,000,000" in as_alice.text and f"{len(text.encode()):,}" in as_alice.text


@pytest.mark.parametrize("text", ["x " * 500_000, "北京" * 166_666, "".join(map(chr, range(0x4E00, 0x9FA5))) * 15])
def test_content_at_the_limit_is_stored(text: str, as_alice: ApiClient, path: str) -> None:
    assert as_alice("POST", path, HELLO | {"content": text}, status=201)["content"] == text
    assert as_alice("GET", path)["results"][0]["content"] == text


def test_a_body_over_the_limit_is_a_413_with_the_limit_and_the_size(as_alice: ApiClient, path: str) -> None:
    body = b" " * (settings.BODY_LIMIT + 1)
    assert as_alice.refusal("POST", path, body, status=413) == ("too_large", None)
    assert "4,000,000" in as_alice.text and "4,000,001" in as_alice.text


# --- External ids -------------------------------------------------------------------------------------


def test_a_post_with_the_same_external_id_returns_the_stored_message(as_either: ApiClient, path: str) -> None:
    sent = HELLO | {"external_id": "m"}
    created = as_either("POST", path, sent, status=201)
    assert as_either("POST", path, sent) == created
    assert as_either("POST", path, [sent]) == [created]
    as_either("PATCH", f"messages/{created['id']}/", {"content": "Edited"})
    as_either("POST", f"messages/{created['id']}/reactions/", {"type": "like"}, status=201)
    retried = as_either("POST", path, sent)
    assert (retried["id"], retried["content"], retried["reactions"]) == (created["id"], "Edited", ["like"])
    assert Message.objects.count() == 1


def test_a_post_with_the_same_external_id_and_other_content_is_a_conflict(as_alice: ApiClient, path: str) -> None:
    as_alice("POST", path, HELLO | {"external_id": "m"}, status=201)
    other = {"role": "user", "content": "Else", "external_id": "m"}
    assert as_alice.refusal("POST", path, other, status=409)[0] == "conflict"
    assert as_alice.refusal("POST", path, [HELLO, other], status=409)[0] == "conflict"
    assert Message.objects.count() == 1


def test_one_request_cannot_repeat_an_external_id(as_alice: ApiClient, path: str) -> None:
    assert as_alice.refusal("POST", path, [HELLO | {"external_id": "m"}] * 2, status=409)[0] == "conflict"


def test_stored_and_new_messages_are_returned_in_the_order_of_the_request(as_alice: ApiClient, path: str) -> None:
    old = as_alice("POST", path, HELLO | {"external_id": "old"}, status=201)
    as_alice("POST", f"messages/{old['id']}/reactions/", {"type": "like"}, status=201)
    sent = [HELLO | {"external_id": "new"}, HELLO | {"external_id": "old"}]
    created = as_alice("POST", path, sent, status=201)
    assert [row["external_id"] for row in created] == ["new", "old"]
    assert created[1]["id"] == old["id"] and created[1]["reactions"] == ["like"]


def test_two_conversations_can_use_the_same_external_id(as_alice: ApiClient, path: str) -> None:
    other = as_alice("POST", "conversations/", {}, status=201)["id"]
    for one in (path, f"conversations/{other}/messages/"):
        as_alice("POST", one, HELLO | {"external_id": "m"}, status=201)


# --- Reading ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 4, 5, 11, 12, 1000])
def test_pages_have_each_message_once_in_order(limit: int, as_alice: ApiClient, path: str) -> None:
    fill(as_alice, path, 11)
    assert texts(as_alice.pages(f"{path}?limit={limit}")) == [str(i) for i in range(11)]


def test_the_default_page_has_a_hundred_messages(as_alice: ApiClient, path: str) -> None:
    fill(as_alice, path, 101)
    page = as_alice("GET", path)
    assert len(page["results"]) == 100 and page["next"]
    assert texts(as_alice("GET", page["next"])["results"]) == ["100"]


def test_messages_appended_between_two_pages_are_on_the_last_page(as_alice: ApiClient, path: str) -> None:
    fill(as_alice, path, 4)
    page = as_alice("GET", f"{path}?limit=3")
    as_alice("POST", path, HELLO, status=201)
    assert texts(as_alice.pages(page["next"])) == ["3", "Hello?"]


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "1000000000", "abc", ""])
def test_a_limit_out_of_range_is_a_400(limit: str, as_alice: ApiClient, path: str) -> None:
    assert as_alice.refusal("GET", f"{path}?limit={limit}", status=400) == ("invalid", "limit")


@pytest.mark.parametrize("value", ["1", "TRUE", "", "both"])
def test_all_is_true_or_false(value: str, as_alice: ApiClient, path: str) -> None:
    assert as_alice.refusal("GET", f"{path}?all={value}", status=400) == ("invalid", "all")


def test_the_whole_tree_has_parents_and_sibling_counts(as_either: ApiClient, path: str) -> None:
    question, answer = as_either("POST", path, [HELLO, {"role": "assistant", "content": "A"}], status=201)
    other = as_either("PATCH", f"messages/{question['id']}/?branch=true", {"content": "Hi?"}, status=201)
    lost = as_either("PATCH", f"messages/{question['id']}/?branch=true", {"content": "Lost"}, status=201)
    as_either("DELETE", f"messages/{lost['id']}/", status=204)
    rows = as_either("GET", f"{path}?all=true")["results"]
    assert [(row["content"], row["parent_seq"], row["sibling_count"], row["is_active"]) for row in rows] == [
        ("Hello?", None, 2, False),
        ("A", 1, 1, False),
        ("Hi?", None, 2, False),
    ]
    as_either("POST", f"{path.replace('messages', 'branch')}", {"message_id": answer["id"]})
    shown = as_either("GET", path)["results"]
    assert texts(shown) == ["Hello?", "A"]
    assert "sibling_count" not in shown[0]
    assert other["is_active"] and texts(as_either.pages(f"{path}?all=true&limit=1")) == ["Hello?", "A", "Hi?"]


# --- A complete history -------------------------------------------------------------------------------


def test_a_put_history_is_returned_by_the_next_get(as_either: ApiClient, path: str) -> None:
    put = as_either("PUT", path, [HELLO, EVERYTHING])
    assert put == as_either("GET", path)
    assert [row["content"] for row in put["results"]] == [HELLO["content"], EVERYTHING["content"]]
    assert as_either("GET", path.replace("messages/", ""))["title"] == "Hello?"


def test_a_put_of_the_stored_history_writes_nothing(as_either: ApiClient, path: str) -> None:
    as_either("POST", path, [HELLO, EVERYTHING, {"role": "tool", "parts": {"a": 1.0}}], status=201)
    conversation, page = as_either("GET", path.replace("messages/", "")), as_either("GET", path)
    assert as_either("PUT", path, page["results"]) == page
    assert as_either("GET", path.replace("messages/", "")) == conversation
    whole = as_either("GET", f"{path}?all=true")["results"]
    assert as_either("PUT", path, whole) == page


def test_a_different_history_becomes_a_branch_and_keeps_all_messages(as_either: ApiClient, path: str) -> None:
    as_either("PUT", path, [HELLO, {"role": "assistant", "content": "A"}])
    as_either("PUT", path, [HELLO | {"content": "Else"}])
    assert texts(as_either("GET", path)["results"]) == ["Else"]
    as_either("PUT", path, [])
    assert as_either("GET", path)["results"] == []
    assert texts(as_either("GET", f"{path}?all=true")["results"]) == ["Hello?", "A", "Else"]


def test_a_history_can_be_longer_than_an_append_and_is_returned_in_pages(as_alice: ApiClient, path: str) -> None:
    history = [{"role": "user", "content": str(i)} for i in range(1_200)]
    page = as_alice("PUT", f"{path}?limit=1000", history)
    assert len(page["results"]) == 1_000
    assert texts(as_alice("GET", page["next"])["results"]) == [str(i) for i in range(1_000, 1_200)]
    over = [HELLO] * (settings.HISTORY_LIMIT + 1)
    assert as_alice.refusal("PUT", path, over, status=400) == ("max_length", None)


def test_a_history_has_a_higher_body_limit(as_alice: ApiClient, path: str) -> None:
    body = b"[]" + b" " * settings.BODY_LIMIT
    assert as_alice("PUT", path, body) == {"results": [], "next": None, "previous": None}
    body += b" " * settings.HISTORY_BODY_LIMIT
    assert as_alice.refusal("PUT", path, body, status=413) == ("too_large", None)
    assert "32,000,000" in as_alice.text


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, None),
        (None, None),
        ("x", None),
        ([None], "[0]"),
        ([HELLO, {"role": "king", "content": "x"}], "[1].role"),
        ([HELLO | {"id": "m"}], "[0].id"),
        ([HELLO | {"id": 5}], "[0].id"),
        ([HELLO | {"id": True}], "[0].id"),
        ([HELLO | {"shoe": 5}], "[0].shoe"),
    ],
)
def test_a_body_that_is_not_a_history_is_refused(body: Any, field: str | None, as_alice: ApiClient, path: str) -> None:
    as_alice("POST", path, HELLO, status=201)
    before = Conversation.objects.values().get()
    assert as_alice.refusal("PUT", path, body, status=400)[1] == field
    assert Conversation.objects.values().get() == before and Message.objects.count() == 1


def test_a_history_cannot_repeat_an_external_id(as_alice: ApiClient, path: str) -> None:
    body = [HELLO | {"external_id": "m"}] * 2
    assert as_alice.refusal("PUT", path, body, status=400)[0] == "invalid"
