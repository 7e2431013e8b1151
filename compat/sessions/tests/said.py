"""How the tests of sessions speak."""

from typing import Any

from conversations.api.tests.test_shapes import TIME
from testing.callers import Caller

SESSIONS = "/api/chat/sessions"
Said = dict[str, Any]


def user(content: str) -> Said:
    return {"role": "user", "content": content, "thinkingContent": ""}


def assistant(content: str, thinking: str = "") -> Said:
    return {"role": "assistant", "content": content, "thinkingContent": thinking}


def system(content: str) -> Said:
    return {"role": "system", "content": content, "thinkingContent": ""}


HELLO = [user("Hello"), assistant("Hi there!")]


def post(caller: Caller, messages: list[Said]) -> Any:
    return caller("POST", SESSIONS, {"messages": messages}, status=201)


def put(caller: Caller, id: str, messages: list[Said]) -> Any:
    return caller("PUT", f"{SESSIONS}/{id}", {"messages": messages})


def read(caller: Caller, id: str) -> list[Said]:
    return list(caller("GET", f"{SESSIONS}/{id}")["messages"])


def stored(caller: Caller, id: str) -> list[Any]:
    """Natively: every message of every branch."""
    return caller.pages(f"conversations/{id}/messages/?all=true&limit=1000")


def texts(messages: list[Said]) -> list[Any]:
    return [said["content"] for said in messages]


def told(session: Any) -> Any:
    """What a session says beside its id and times, which it has."""
    rest = dict(session)
    id, made_at, changed_at = rest.pop("id"), rest.pop("createdAt"), rest.pop("updatedAt")
    assert id and TIME.fullmatch(made_at) and TIME.fullmatch(changed_at) and made_at <= changed_at
    return rest
