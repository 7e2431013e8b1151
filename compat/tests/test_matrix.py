"""A conversation that one API stores can be read through every contract, the native API, search and the admin."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from testing.api_client import ApiClient, create_user

QUESTION = "Where do zebras sleep?"
ANSWER = "Standing up."
Write = Callable[[ApiClient], None]
SESSIONS, STORAGE = "/api/chat/sessions", "/api/v1/storage/chat-sessions"


def dialogue(assistant: str = "assistant") -> list[dict[str, Any]]:
    return [{"role": "user", "content": QUESTION}, {"role": assistant, "content": ANSWER}]


# Each function writes one conversation, whose first message is QUESTION.


def through_native(caller: ApiClient) -> None:
    caller("POST", "/api/v1/conversations/", {"external_id": "n", "messages": dialogue()}, status=201)


def through_a(caller: ApiClient) -> None:
    id = caller("POST", SESSIONS, {"messages": []}, status=201)["id"]
    caller("PUT", f"{SESSIONS}/{id}", {"messages": dialogue()})


def through_b(caller: ApiClient) -> None:
    caller("POST", "/api/chat", {"message": QUESTION, "model": "echo"})


def through_c(caller: ApiClient) -> None:
    id = caller("POST", "/api/chats/", {"name": QUESTION, "notebooks": ["animals"]}, status=201)["id"]
    for message in dialogue("ai"):
        caller("POST", "/api/messages/", {"chat_id": id, **message}, status=201)


def through_d(caller: ApiClient) -> None:
    messages = [{"id": str(index), **message} for index, message in enumerate(dialogue())]
    caller("POST", STORAGE, {"chatSessions": [{"id": "d", "title": QUESTION, "messages": messages}]})


def through_e(caller: ApiClient) -> None:
    caller("POST", "/api/chat", {"message": QUESTION, "conversation_id": "conv-123", "message_id": "msg-1"})


def through_native_chat(caller: ApiClient) -> None:
    caller("POST", "/api/v1/chat/", {"content": QUESTION}, status=201)


# Each function returns the id, the title and the texts of every conversation that its contract lists.

Found = list[tuple[str, str, list[str]]]
Read = Callable[[ApiClient], Found]


def in_native(caller: ApiClient) -> Found:
    rows = caller.pages("/api/v1/conversations/")
    messages = {row["id"]: caller.pages(f"/api/v1/conversations/{row['id']}/messages/") for row in rows}
    return [(row["external_id"] or row["id"], row["title"], texts(messages[row["id"]])) for row in rows]


def in_a(caller: ApiClient) -> Found:
    rows = caller("GET", SESSIONS)
    assert all(row["firstMessage"] == QUESTION for row in rows)
    return [(row["id"], row["title"], texts(caller("GET", f"{SESSIONS}/{row['id']}")["messages"])) for row in rows]


def in_b(caller: ApiClient) -> Found:
    """Contract B lists only the last message. The other texts come from the native API."""
    rows = caller("GET", "/api/chat/history")["chats"]
    natively = {name: messages for name, _, messages in in_native(caller)}
    for row in rows:
        assert (row["lastMessage"], row["messageCount"]) == (natively[row["id"]][-1], 2)
    return [(row["id"], row["title"], natively[row["id"]]) for row in rows]


def in_c(caller: ApiClient) -> Found:
    rows = caller("GET", "/api/chats/")["items"]
    return [(str(row["id"]), row["name"], texts(in_chat(caller, row["id"]))) for row in rows]


def in_chat(caller: ApiClient, id: int | str) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = caller("GET", f"/api/chats/{id}")["messages"]
    assert messages == caller("GET", f"/api/messages/chat/{id}")["items"]
    assert [message["role"] for message in messages] == ["user", "ai"]
    return messages


def in_d(caller: ApiClient) -> Found:
    return [(row["id"], row["title"], texts(row["messages"])) for row in caller("GET", STORAGE)["chatSessions"]]


def in_e(caller: ApiClient) -> Found:
    rows = caller("GET", "/api/conversations")
    return [(row["id"], row["title"], texts(caller("GET", f"/api/conversations/{row['id']}/messages"))) for row in rows]


def texts(messages: list[dict[str, Any]]) -> list[str]:
    return [message["content"] for message in messages]


WRITERS = [through_native, through_a, through_b, through_c, through_d, through_e, through_native_chat]
READERS = [in_native, in_a, in_b, in_c, in_d, in_e]
by_each = pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
@by_each
def test_a_conversation_written_through_one_contract_is_read_through_every_other_one(
    write: Write, read: Read, as_alice: ApiClient, as_bob: ApiClient
) -> None:
    assert read(as_alice) == []
    write(as_alice)
    assert read(as_alice) == in_native(as_alice)
    ((_, title, messages),) = read(as_alice)
    assert (title, messages[0], len(messages)) == (QUESTION, QUESTION, 2)
    assert read(as_bob) == []


@by_each
def test_a_conversation_written_through_a_contract_is_found_by_search(
    write: Write, as_alice: ApiClient, as_bob: ApiClient
) -> None:
    write(as_alice)
    found = as_alice("GET", "/api/v1/search/?q=zebras")
    assert {hit["conversation_title"] for hit in found["results"]} == {QUESTION}
    assert [hit["title"] for hit in found["conversations"]] == [QUESTION]
    nothing = as_bob("GET", "/api/v1/search/?q=zebras")
    assert (nothing["results"], nothing["conversations"]) == ([], [])


@by_each
def test_a_conversation_written_through_a_contract_is_shown_in_the_admin(write: Write, alice: User) -> None:
    write(ApiClient(alice))
    id = ApiClient(alice).pages("/api/v1/conversations/")[0]["id"]
    staff = ApiClient(create_user("Sam", is_staff=True, is_superuser=True), by="session")
    for page in ("conversation/", f"conversation/{id}/change/"):
        staff("GET", f"/admin/conversations/{page}")
        assert QUESTION in staff.text


DELETIONS = {
    "native": lambda caller, id: caller("DELETE", f"/api/v1/conversations/{id}/", status=204),
    "A": lambda caller, id: caller("DELETE", f"{SESSIONS}/{id}"),
    "C": lambda caller, id: caller("DELETE", f"/api/chats/{id}", status=204),
    "D": lambda caller, id: [caller("GET", STORAGE), caller("POST", STORAGE, {"chatSessions": []})],
    "E": lambda caller, id: caller("DELETE", f"/api/conversations/{id}"),
}


@pytest.mark.parametrize("through", DELETIONS)
@by_each
def test_a_conversation_deleted_through_one_contract_is_gone_from_all_and_can_be_restored(
    write: Write, through: str, as_alice: ApiClient
) -> None:
    write(as_alice)
    id = as_alice.pages("/api/v1/conversations/")[0]["id"]
    before = [read(as_alice) for read in READERS]
    assert all(len(conversations) == 1 for conversations in before)
    DELETIONS[through](as_alice, id)
    assert [read(as_alice) for read in READERS] == [[] for _ in READERS]
    as_alice("POST", f"/api/v1/conversations/{id}/restore/")
    assert [read(as_alice) for read in READERS] == before
