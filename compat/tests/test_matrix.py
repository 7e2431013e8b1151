"""What is written through one contract is read through every other one, natively, by search, and by staff."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from testing.callers import Caller, person

SAID = "Where do zebras sleep?"
ANSWERED = "Standing up."
Write = Callable[[Caller], None]
Read = Callable[[Caller, str], Any]
SESSIONS, STORAGE = "/api/chat/sessions", "/api/v1/storage/chat-sessions"


def dialogue(assistant: str = "assistant", **ids: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": SAID}, {"role": assistant, "content": ANSWERED}]


# Each writes one conversation, in which a user says SAID.


def through_native(caller: Caller) -> None:
    caller("POST", "/api/v1/conversations/", {"external_id": "n", "messages": dialogue()}, status=201)


def through_a(caller: Caller) -> None:
    id = caller("POST", SESSIONS, {"messages": []}, status=201)["id"]
    caller("PUT", f"{SESSIONS}/{id}", {"messages": dialogue()})


def through_b(caller: Caller) -> None:
    caller("POST", "/api/chat", {"message": SAID, "model": "echo"})


def through_c(caller: Caller) -> None:
    id = caller("POST", "/api/chats/", {"notebooks": ["animals"]}, status=201)["id"]
    for said in dialogue("ai"):
        caller("POST", "/api/messages/", {"chat_id": id, **said}, status=201)


def through_d(caller: Caller) -> None:
    messages = [{"id": str(at), **said} for at, said in enumerate(dialogue())]
    caller("POST", STORAGE, {"chatSessions": [{"id": "d", "title": SAID, "messages": messages}]})


def through_e(caller: Caller) -> None:
    caller("POST", "/api/chat", {"message": SAID, "conversation_id": "conv-123", "message_id": "msg-1"})


def through_native_chat(caller: Caller) -> None:
    caller("POST", "/api/v1/chat/", {"content": SAID}, status=201)


# Each finds the one conversation that there is: its id and title where it is listed, and what was said in it.

Found = tuple[str, str, list[str]]


def in_native(caller: Caller) -> Found:
    (row,) = caller.pages("/api/v1/conversations/")
    said = caller.pages(f"/api/v1/conversations/{row['id']}/messages/")
    return row["external_id"] or row["id"], row["title"], texts(said)


def in_a(caller: Caller) -> Found:
    (row,) = caller("GET", SESSIONS)
    assert row["firstMessage"] == SAID
    return row["id"], row["title"], texts(caller("GET", f"{SESSIONS}/{row['id']}")["messages"])


def in_b(caller: Caller) -> Found:
    (row,) = caller("GET", "/api/chat/history")["chats"]
    said = in_native(caller)[2]
    assert (row["lastMessage"], row["messageCount"]) == (said[-1], 2)
    return row["id"], row["title"], said


def in_c(caller: Caller) -> Found:
    (row,) = caller("GET", "/api/chats/")
    detail = caller("GET", f"/api/chats/{row['id']}")
    assert detail["messages"] == caller("GET", f"/api/messages/chat/{row['id']}")
    assert [said["role"] for said in detail["messages"]] == ["user", "ai"]
    return row["id"], row["name"], texts(detail["messages"])


def in_d(caller: Caller) -> Found:
    (row,) = caller("GET", STORAGE)["chatSessions"]
    return row["id"], row["title"], texts(row["messages"])


def in_e(caller: Caller) -> Found:
    (row,) = caller("GET", "/api/conversations")
    return row["id"], row["title"], texts(caller("GET", f"/api/conversations/{row['id']}/messages"))


def texts(messages: list[dict[str, Any]]) -> list[str]:
    return [said["content"] for said in messages]


WRITERS = [through_native, through_a, through_b, through_c, through_d, through_e, through_native_chat]
READERS = [in_native, in_a, in_b, in_c, in_d, in_e]
by_each = pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
@by_each
def test_what_one_contract_writes_every_other_one_reads(
    write: Write, read: Any, as_alice: Caller, as_bob: Caller
) -> None:
    write(as_alice)
    name, title, said = read(as_alice)
    assert (name, title, said) == in_native(as_alice)
    assert (title, said[0], len(said)) == (SAID, SAID, 2)
    with pytest.raises(ValueError, match="not enough values to unpack"):
        read(as_bob)


@by_each
def test_what_one_contract_writes_is_found_by_search(write: Write, as_alice: Caller, as_bob: Caller) -> None:
    write(as_alice)
    found = as_alice("GET", "/api/v1/search/?q=zebras")
    assert {hit["conversation_title"] for hit in found["results"]} == {SAID}
    assert [hit["title"] for hit in found["conversations"]] == [SAID]
    nothing = as_bob("GET", "/api/v1/search/?q=zebras")
    assert (nothing["results"], nothing["conversations"]) == ([], [])


@by_each
def test_what_one_contract_writes_is_read_by_staff(write: Write, alice: User) -> None:
    write(Caller(alice))
    id = Caller(alice).pages("/api/v1/conversations/")[0]["id"]
    staff = Caller(person("Sam", is_staff=True, is_superuser=True), by="session")
    for page in ("conversation/", f"conversation/{id}/change/"):
        staff("GET", f"/admin/conversations/{page}")
        assert SAID in staff.text


CLOSERS = {
    "native": lambda caller, id: caller("DELETE", f"/api/v1/conversations/{id}/", status=204),
    "A": lambda caller, id: caller("DELETE", f"{SESSIONS}/{id}"),
    "C": lambda caller, id: caller("DELETE", f"/api/chats/{id}", status=204),
    "D": lambda caller, id: [caller("GET", STORAGE), caller("POST", STORAGE, {"chatSessions": []})],
    "E": lambda caller, id: caller("DELETE", f"/api/conversations/{id}"),
}


@pytest.mark.parametrize("through", CLOSERS)
@by_each
def test_what_one_contract_deletes_is_gone_from_all_and_can_be_restored(
    write: Write, through: str, as_alice: Caller
) -> None:
    write(as_alice)
    id = as_alice.pages("/api/v1/conversations/")[0]["id"]
    before = [read(as_alice) for read in READERS]
    CLOSERS[through](as_alice, id)
    for read in READERS:
        with pytest.raises(ValueError, match="not enough values to unpack"):
            read(as_alice)
    as_alice("POST", f"/api/v1/conversations/{id}/restore/")
    assert [read(as_alice) for read in READERS] == before
