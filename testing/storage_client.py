"""Helpers for the tests of the storage contract: sessions as its client sends them."""

from typing import Any

from testing.api_client import ApiClient

STORAGE = "/api/v1/storage"
SESSIONS = f"{STORAGE}/chat-sessions"
NO_TOKENS = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
CREATED = 1_747_036_238_000  # 2025-05-12T07:50:38Z
Json = dict[str, Any]


def message(id: str, role: str, content: str | None, **more: Any) -> Json:
    return {"id": id, "role": role, "content": content, **more}


def user(id: str, content: str) -> Json:
    return message(id, "user", content)


def assistant(id: str, content: str, **more: Any) -> Json:
    return message(id, "assistant", content, model="openai/gpt-4o", **more)


def session(id: str, *messages: Json, **more: Any) -> Json:
    fields = {
        "id": id,
        "title": "New Chat",
        "messages": list(messages),
        "createdAt": CREATED,
        "tokenUsage": NO_TOKENS,
    }
    return fields | more


def save(caller: ApiClient, *sessions: Json, status: int = 200) -> Any:
    return caller("POST", SESSIONS, {"chatSessions": list(sessions)}, status=status)


def load(caller: ApiClient) -> list[Json]:
    loaded: list[Json] = caller("GET", SESSIONS)["chatSessions"]
    return loaded


def messages_of(caller: ApiClient, id: str) -> list[Json]:
    (found,) = [session for session in load(caller) if session["id"] == id]
    messages: list[Json] = found["messages"]
    return messages


def native(caller: ApiClient, id: str) -> Json:
    """Return the conversation with this external_id or id, read through the native API."""
    pages = caller.pages("/api/v1/conversations/?archived=any")
    (found,) = [row for row in pages if id in (row["external_id"], row["id"])]
    return found  # type: ignore[no-any-return]


def every_message(caller: ApiClient, id: str) -> list[Json]:
    """Return the messages of every branch, read through the native API."""
    return caller.pages(f"/api/v1/conversations/{native(caller, id)['id']}/messages/?all=true")
