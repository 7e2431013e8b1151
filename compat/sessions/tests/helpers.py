"""Helpers for the tests of sessions."""

from typing import Any

from testing.api_client import ApiClient
from testing.shapes import TIME

SESSIONS = "/api/chat/sessions"
Json = dict[str, Any]


def user(content: str) -> Json:
    return {"role": "user", "content": content, "thinkingContent": ""}


def assistant(content: str, thinking: str = "") -> Json:
    return {"role": "assistant", "content": content, "thinkingContent": thinking}


def system(content: str) -> Json:
    return {"role": "system", "content": content, "thinkingContent": ""}


HELLO = [user("Hello"), assistant("Hi there!")]


def post(caller: ApiClient, messages: list[Json]) -> Any:
    return caller("POST", SESSIONS, {"messages": messages}, status=201)


def put(caller: ApiClient, id: str, messages: list[Json]) -> Any:
    return caller("PUT", f"{SESSIONS}/{id}", {"messages": messages})


def read(caller: ApiClient, id: str) -> list[Json]:
    return list(caller("GET", f"{SESSIONS}/{id}")["messages"])


def stored(caller: ApiClient, id: str) -> list[Any]:
    """Return the messages of every branch, read through the native API."""
    return caller.pages(f"conversations/{id}/messages/?all=true&limit=1000")


def texts(messages: list[Json]) -> list[Any]:
    return [message["content"] for message in messages]


def without_id_and_times(session: Any) -> Any:
    """Check that the session has an id and times, and return its other fields."""
    rest = dict(session)
    id, made_at, changed_at = rest.pop("id"), rest.pop("createdAt"), rest.pop("updatedAt")
    assert id and TIME.fullmatch(made_at) and TIME.fullmatch(changed_at) and made_at <= changed_at
    return rest
