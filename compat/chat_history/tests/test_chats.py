"""Contract C: chats."""

from typing import Any

import pytest
from django.conf import settings

from testing.api_client import NO_BODY, ApiClient

from .helpers import (
    CHATS,
    MESSAGES,
    chat,
    chats,
    detail,
    findings,
    is_missing,
    messages_in,
    native_id,
    say,
    without_id_and_times,
)

MISSING = "01900000-0000-7000-8000-000000000000"


def test_a_chat_is_created_read_changed_and_deleted(as_alice: ApiClient) -> None:
    assert chats(as_alice) == []
    made = chat(as_alice, name="Zebras", notebooks=["stripes", "savanna"])
    assert without_id_and_times(made) == {"name": "Zebras", "notebooks": ["stripes", "savanna"]}
    assert chats(as_alice) == [made]
    assert detail(as_alice, made["id"]) == {**made, "messages_count": 0, "messages": []}
    changed = as_alice("PUT", f"{CHATS}{made['id']}", {"name": "Horses", "notebooks": []})
    assert without_id_and_times(changed) == {"name": "Horses", "notebooks": []}
    assert (changed["id"], changed["created_at"]) == (made["id"], made["created_at"])
    assert changed["updated_at"] > made["updated_at"]
    assert detail(as_alice, made["id"]) == {**changed, "messages_count": 0, "messages": []}
    assert as_alice("DELETE", f"{CHATS}{made['id']}", status=204) is None
    assert as_alice.text == "" and chats(as_alice) == []


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("id", ["deleted", MISSING, "5", "nobody's", "%00"])
def test_an_unknown_chat_is_not_found(as_alice: ApiClient, method: str, id: str) -> None:
    if id == "deleted":
        id = chat(as_alice)["id"]
        as_alice("DELETE", f"{CHATS}{id}", status=204)
    assert is_missing(as_alice, method, f"{CHATS}{id}", {"name": "New"} if method == "PUT" else NO_BODY)
    assert is_missing(as_alice, "GET", f"{MESSAGES}chat/{id}")


def test_deleting_a_chat_deletes_its_messages(as_alice: ApiClient) -> None:
    id = chat(as_alice)["id"]
    message_id = say(as_alice, id, "Hello")["id"]
    as_alice("DELETE", f"{CHATS}{id}", status=204)
    for method, body in (("GET", NO_BODY), ("PUT", {"content": "New"}), ("DELETE", NO_BODY)):
        assert is_missing(as_alice, method, f"{MESSAGES}{message_id}", body)


def test_the_detail_of_a_chat_has_its_listed_fields_and_its_messages(as_alice: ApiClient) -> None:
    id = chat(as_alice, name="Zebras")["id"]
    messages = [say(as_alice, id, "Hello"), say(as_alice, id, "Hi there!", "ai")]
    whole = detail(as_alice, id)
    assert whole.pop("messages") == messages == messages_in(as_alice, id)
    assert whole.pop("messages_count") == 2
    assert [whole] == chats(as_alice)


@pytest.mark.parametrize("unnamed", [{}, {"name": None}, {"name": ""}])
def test_a_chat_without_a_name_has_the_name_null_here_and_an_automatic_title_elsewhere(
    as_alice: ApiClient, unnamed: Any
) -> None:
    made = chat(as_alice, **unnamed)
    assert made["name"] is None and made["notebooks"] == []
    say(as_alice, made["id"], "Why are zebras striped?\nAnd horses not?")
    assert detail(as_alice, made["id"])["name"] is None and chats(as_alice)[0]["name"] is None
    assert as_alice("GET", f"conversations/{native_id(as_alice, made['id'])}/")["title"] == "Why are zebras striped?"


def test_the_name_null_removes_the_name(as_alice: ApiClient) -> None:
    made = chat(as_alice, name="Zebras")
    say(as_alice, made["id"], "Why stripes?")
    assert as_alice("PUT", f"{CHATS}{made['id']}", {"name": None})["name"] is None
    assert as_alice("GET", f"conversations/{native_id(as_alice, made['id'])}/")["title"] == "Why stripes?"
    assert as_alice("PUT", f"{CHATS}{made['id']}", {"name": "Horses"})["name"] == "Horses"


def test_a_conversation_of_another_api_shows_its_automatic_title(as_alice: ApiClient) -> None:
    message = {"role": "user", "content": "Hello"}
    row = as_alice("POST", "conversations/", {"external_id": "conv-1", "messages": [message]}, status=201)
    assert [(each["id"], each["name"]) for each in chats(as_alice)] == [("conv-1", "Hello")]
    (message,) = messages_in(as_alice, "conv-1")
    assert message["chat_id"] == "conv-1" and messages_in(as_alice, row["id"]) == [message]
    assert as_alice("GET", f"{MESSAGES}{message['id']}") == message


def test_the_ids_of_chats_and_messages_are_integers_that_are_accepted_as_text_too(as_alice: ApiClient) -> None:
    made = chat(as_alice)
    assert type(made["id"]) is int
    first, second = say(as_alice, made["id"], "One"), say(as_alice, str(made["id"]), "Two")
    assert type(first["id"]) is int and first["chat_id"] == second["chat_id"] == made["id"]
    assert first["id"] < second["id"] < 2**53


def test_a_number_that_is_taken_as_an_external_id_is_skipped(as_alice: ApiClient) -> None:
    next_number = chat(as_alice)["id"] + 1
    as_alice("POST", "conversations/", {"external_id": str(next_number), "title": "Taken"}, status=201)
    assert chat(as_alice, name="New")["id"] == next_number + 1
    assert detail(as_alice, next_number)["name"] == "Taken"


def test_a_name_set_by_the_user_is_kept(as_alice: ApiClient) -> None:
    id = chat(as_alice, name="Mine")["id"]
    say(as_alice, id, "Hello")
    assert detail(as_alice, id)["name"] == "Mine"


# --- Changes


def test_saving_an_unchanged_chat_changes_nothing(as_alice: ApiClient) -> None:
    id = chat(as_alice, notebooks=["a"])["id"]
    say(as_alice, id, "Hello")
    whole = detail(as_alice, id)
    as_alice("PUT", f"{CHATS}{id}", whole)
    assert detail(as_alice, id) == whole


@pytest.mark.parametrize(
    ("part", "after"),
    [
        ({}, {"name": "Zebras", "notebooks": ["a"]}),
        ({"name": "Horses"}, {"name": "Horses", "notebooks": ["a"]}),
        ({"notebooks": ["b", "a", "b"]}, {"name": "Zebras", "notebooks": ["b", "a", "b"]}),
        ({"notebooks": []}, {"name": "Zebras", "notebooks": []}),
        ({"name": None, "notebooks": None}, {"name": None, "notebooks": ["a"]}),
        ({"name": ""}, {"name": None, "notebooks": ["a"]}),
        ({"id": "other", "user_id": 5, "created_at": "1970", "messages": None}, {"name": "Zebras", "notebooks": ["a"]}),
    ],
)
def test_a_change_keeps_the_fields_that_are_not_sent(as_alice: ApiClient, part: Any, after: Any) -> None:
    made = chat(as_alice, name="Zebras", notebooks=["a"])
    changed = as_alice("PUT", f"{CHATS}{made['id']}", part)
    assert without_id_and_times(changed) == after and changed["id"] == made["id"]
    assert chats(as_alice) == [changed]


LONG = settings.LABELS_LIMIT + 1
BAD: dict[str, tuple[Any, list[str | int]]] = {
    "a name that is a number": ({"name": 5}, ["body", "name"]),
    "a name that is too long": ({"name": "x" * 501}, ["body", "name"]),
    "notebooks that are a string": ({"notebooks": "a"}, ["body", "notebooks"]),
    "notebooks that are an object": ({"notebooks": {"a": 1}}, ["body", "notebooks"]),
    "a notebook that is a number": ({"notebooks": ["a", 5]}, ["body", "notebooks", 1]),
    "a notebook that is null": ({"notebooks": [None]}, ["body", "notebooks", 0]),
    "a notebook that is too long": ({"notebooks": ["x" * 101]}, ["body", "notebooks", 0]),
    "too many notebooks": ({"notebooks": ["a"] * LONG}, ["body", "notebooks"]),
    "NUL": ({"name": "\0"}, ["body", "name"]),
}


@pytest.mark.parametrize(("body", "loc"), BAD.values(), ids=BAD)
def test_an_invalid_chat_is_refused_and_changes_nothing(as_alice: ApiClient, body: Any, loc: Any) -> None:
    made = chat(as_alice, name="Zebras")
    for method, path in (("POST", CHATS), ("PUT", f"{CHATS}{made['id']}")):
        assert [where for _, where in findings(as_alice, method, path, {"name": "New", **body})] == [loc]
    assert chats(as_alice) == [made]


def test_every_invalid_field_is_reported(as_alice: ApiClient) -> None:
    found = findings(as_alice, "POST", CHATS, {"name": 5, "notebooks": ["a", 5]})
    assert found == [("string_type", ["body", "name"]), ("string_type", ["body", "notebooks", 1])]


# --- Lists, and the chats of other users


def test_the_newest_chat_comes_first(as_alice: ApiClient) -> None:
    first, second = chat(as_alice, name="first"), chat(as_alice, name="second")
    say(as_alice, first["id"], "Hello")
    assert [row["id"] for row in chats(as_alice)] == [second["id"], first["id"]]


ALL = {"page": 1, "page_size": 23, "total_pages": 1}


@pytest.mark.parametrize(
    ("query", "shown", "numbers"),
    [
        ("", range(23), ALL),
        ("?sort=name", range(23), ALL),
        ("?page=1", range(20), {"page": 1, "page_size": 20, "total_pages": 2}),
        ("?page=2", range(20, 23), {"page": 2, "page_size": 20, "total_pages": 2}),
        ("?page=3", [], {"page": 3, "page_size": 20, "total_pages": 2}),
        ("?page=1000000&page_size=100", [], {"page": 1_000_000, "page_size": 100, "total_pages": 1}),
        ("?page_size=5", range(5), {"page": 1, "page_size": 5, "total_pages": 5}),
        ("?page=2&page_size=5", range(5, 10), {"page": 2, "page_size": 5, "total_pages": 5}),
        ("?page=5&page_size=5", range(20, 23), {"page": 5, "page_size": 5, "total_pages": 5}),
        ("?page=1&page_size=100", range(23), {"page": 1, "page_size": 100, "total_pages": 1}),
    ],
)
def test_a_list_is_complete_unless_a_page_is_requested(
    as_alice: ApiClient, query: str, shown: Any, numbers: Any
) -> None:
    id = chat(as_alice, name="22")["id"]
    for index in reversed(range(22)):
        chat(as_alice, name=str(index))
    for index in range(23):
        say(as_alice, id, str(index))
    listed = as_alice("GET", CHATS + query)
    assert [row["name"] for row in listed.pop("items")] == [str(index) for index in shown]
    messages = as_alice("GET", f"{MESSAGES}chat/{id}{query}")
    assert [row["content"] for row in messages.pop("items")] == [str(index) for index in shown]
    assert listed == messages == {"total": 23, **numbers}


@pytest.mark.parametrize(("query", "size", "pages"), [("", 1, 0), ("?page=1&page_size=20", 20, 0)])
def test_an_empty_list_has_no_pages(as_alice: ApiClient, query: str, size: int, pages: int) -> None:
    empty = {"items": [], "total": 0, "page": 1, "page_size": size, "total_pages": pages}
    assert as_alice("GET", CHATS + query) == empty
    id = chat(as_alice)["id"]
    assert as_alice("GET", f"{MESSAGES}chat/{id}{query}") == empty


def test_the_notebooks_in_use_are_listed_by_name(as_alice: ApiClient, as_bob: ApiClient) -> None:
    assert as_alice("GET", "/api/notebooks/") == []
    chat(as_alice, notebooks=["b", "a"])
    chat(as_alice, notebooks=["c", "a"])
    deleted = chat(as_alice, notebooks=["d"])
    as_alice("DELETE", f"{CHATS}{deleted['id']}", status=204)
    chat(as_bob, notebooks=["e"])
    assert as_alice("GET", "/api/notebooks/") == ["a", "b", "c"]


@pytest.mark.parametrize("path", [CHATS, f"{MESSAGES}chat/chat-1"])
@pytest.mark.parametrize(
    "wrong",
    ["page=0", "page=-1", "page=x", "page=", "page=1.5", "page=1e3", "page=%D9%A1", "page=%00", "page=99999999999"]
    + ["page_size=0", "page_size=-1", "page_size=101", "page_size=1000000", "page_size=x", "page_size="],
)
def test_an_invalid_page_is_refused(as_alice: ApiClient, path: str, wrong: str) -> None:
    as_alice("POST", "conversations/", {"external_id": "chat-1"}, status=201)
    name = wrong.partition("=")[0]
    assert findings(as_alice, "GET", f"{path}?{wrong}") == [("invalid", ["query", name])]


def test_two_users_with_the_same_chat_id_have_two_chats(as_alice: ApiClient, as_bob: ApiClient) -> None:
    both = {"Alice": as_alice, "Bob": as_bob}
    for caller in both.values():
        caller("POST", "conversations/", {"external_id": "chat-1"}, status=201)
    for name, caller in both.items():
        assert say(caller, "chat-1", f"I am {name}")["chat_id"] == "chat-1"
    for name, caller in both.items():
        assert [row["content"] for row in messages_in(caller, "chat-1")] == [f"I am {name}"]
        assert [row["name"] for row in chats(caller)] == [f"I am {name}"]
    as_bob("DELETE", CHATS + "chat-1", status=204)
    assert len(messages_in(as_alice, "chat-1")) == 1


def test_another_user_cannot_read_or_change_a_chat(as_alice: ApiClient, as_bob: ApiClient) -> None:
    made = chat(as_alice, name="Zebras")
    for method, body in (("GET", NO_BODY), ("PUT", {"name": "Mine"}), ("DELETE", NO_BODY)):
        assert is_missing(as_bob, method, f"{CHATS}{made['id']}", body)
    assert is_missing(as_bob, "POST", MESSAGES, {"chat_id": made["id"], "role": "user", "content": "Hello"})
    assert chats(as_bob) == []
    assert detail(as_alice, made["id"]) == {**made, "messages_count": 0, "messages": []}


def test_the_interactive_documentation_is_served(as_alice: ApiClient) -> None:
    as_alice("GET", "/docs")
    assert "swagger" in as_alice.text.lower()
