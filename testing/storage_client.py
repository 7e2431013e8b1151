"""Helpers for the tests of the storage contract: its sessions and requests."""

from typing import Any

from accounts.models import User
from conversations.models import Conversation, Message
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


def save(client: ApiClient, *sessions: Json, status: int = 200) -> Any:
    return client("POST", SESSIONS, {"chatSessions": list(sessions)}, status=status)


def load(client: ApiClient) -> list[Json]:
    loaded: list[Json] = client("GET", SESSIONS)["chatSessions"]
    return loaded


def messages_of(client: ApiClient, id: str) -> list[Json]:
    (loaded,) = [session for session in load(client) if session["id"] == id]
    messages: list[Json] = loaded["messages"]
    return messages


def native(client: ApiClient, id: str) -> Json:
    """Return the conversation with this external_id or id, read through the native API."""
    pages = client.pages("/api/v1/conversations/?archived=any")
    (conversation,) = [row for row in pages if id in (row["external_id"], row["id"])]
    return conversation  # type: ignore[no-any-return]


def every_message(client: ApiClient, id: str) -> list[Json]:
    """Return the messages of every branch, read through the native API."""
    return client.pages(f"/api/v1/conversations/{native(client, id)['id']}/messages/?all=true")


def snapshot(user: User) -> list[Any]:
    """Return the rows of the user's conversations and messages."""
    tables = (Conversation, Message)
    return [list(table.objects.owned_by(user).order_by("id").values()) for table in tables]
