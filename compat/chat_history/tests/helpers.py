"""Helpers for the tests of chats and messages."""

from typing import Any

from testing.api_client import ApiClient
from testing.shapes import TIME

CHATS, MESSAGES = "/api/chats/", "/api/messages/"


def chat(caller: ApiClient, **fields: Any) -> Any:
    return caller("POST", CHATS, fields, status=201)


def say(caller: ApiClient, chat_id: Any, content: str, role: str = "user") -> Any:
    return caller("POST", MESSAGES, {"chat_id": chat_id, "role": role, "content": content}, status=201)


def detail(caller: ApiClient, id: Any) -> Any:
    return caller("GET", f"{CHATS}{id}")


def chats(caller: ApiClient) -> Any:
    return caller("GET", CHATS)["items"]


def messages_in(caller: ApiClient, id: Any) -> Any:
    return caller("GET", f"{MESSAGES}chat/{id}")["items"]


def native_id(caller: ApiClient, id: int) -> str:
    """Return the id of a chat in the native API."""
    (row,) = caller("GET", f"conversations/?external_id={id}")["results"]
    return str(row["id"])


def without_id_and_times(row: Any) -> Any:
    """Check that the row has an id and times, and return its other fields."""
    rest = dict(row)
    id, made_at, changed_at = rest.pop("id"), rest.pop("created_at"), rest.pop("updated_at")
    assert id and TIME.fullmatch(made_at) and TIME.fullmatch(changed_at) and made_at <= changed_at
    return rest


def is_missing(caller: ApiClient, method: str, path: str, *body: Any) -> bool:
    refusal = caller(method, path, *body, status=404)
    return list(refusal) == ["detail"] and isinstance(refusal["detail"], str) and bool(refusal["detail"])


def findings(caller: ApiClient, method: str, path: str, *body: Any) -> Any:
    """Check that the call is refused, and return the code and the location of each error."""
    refusal = caller(method, path, *body, status=422)
    assert list(refusal) == ["detail"] and refusal["detail"]
    for finding in refusal["detail"]:
        assert list(finding) == ["type", "loc", "msg"] and all(finding.values())
    return [(finding["type"], finding["loc"]) for finding in refusal["detail"]]
