"""The table of the routes of the contracts, with a valid request for each, and the objects that the requests name."""

from dataclasses import dataclass
from typing import Any

import pytest

from accounts.models import User
from conversations.services import conversations

from .api_client import AUTHENTICATION_KINDS, NO_BODY, ApiClient
from .shapes import assert_matches, responses_of

A, B, C, D, E = "ABCDE"
HEALTH = "api/health/"
# Routes that need no authentication, with tests of their own
PUBLIC = {
    ("GET", HEALTH),
    ("GET", "health/"),
    ("GET", "api/auth/session/"),
    ("GET", "api/auth/providers/"),
    ("GET", "api/auth/csrf/"),
    ("GET", "api/auth/signin/"),
    ("POST", "api/auth/signin/"),
    ("GET", "api/auth/signin/<str:provider>/"),
    ("POST", "api/auth/signin/<str:provider>/"),
    ("GET", "api/auth/signout/"),
    ("POST", "api/auth/signout/"),
    ("POST", "api/auth/_log/"),
}
CHAT = "chat-1"  # the external_id of Alice's conversation


@dataclass(frozen=True)
class Row:
    contract: str
    method: str
    path: str
    body: Any = NO_BODY
    status: int = 200  # of the response to the owner
    target: str = ""  # "chat" or "message": the object that the path or the body names

    def __str__(self) -> str:
        return f"{self.contract} {self.method} {self.path}"


HISTORY = {"messages": [{"role": "user", "content": "Hello"}]}
ROWS = [
    Row(A, "GET", "api/chat/sessions/"),
    Row(A, "POST", "api/chat/sessions/", HISTORY, 201),
    Row(A, "GET", "api/chat/sessions/<name:id>/", target="chat"),
    Row(A, "PUT", "api/chat/sessions/<name:id>/", HISTORY, target="chat"),
    Row(A, "DELETE", "api/chat/sessions/<name:id>/", target="chat"),
    Row(B, "POST", "api/chat/", {"message": "Hello", "model": "echo"}),
    Row(B, "GET", "api/chat/history/"),
    Row(C, "GET", "api/chats/"),
    Row(C, "POST", "api/chats/", {"name": "Zebras", "notebooks": ["stripes"]}, 201),
    Row(C, "GET", "api/chats/<name:id>/", target="chat"),
    Row(C, "PUT", "api/chats/<name:id>/", {"name": "New"}, target="chat"),
    Row(C, "DELETE", "api/chats/<name:id>/", status=204, target="chat"),
    Row(C, "POST", "api/messages/", {"chat_id": CHAT, "role": "ai", "content": "Yes?"}, 201, target="chat"),
    Row(C, "GET", "api/messages/chat/<name:id>/", target="chat"),
    Row(C, "GET", "api/notebooks/"),
    Row(C, "POST", "api/chat/completion/", {"messages": [{"role": "user", "content": "Hello"}]}),
    Row(C, "GET", "api/messages/<name:id>/", target="message"),
    Row(C, "PUT", "api/messages/<name:id>/", {"content": "New"}, target="message"),
    Row(C, "DELETE", "api/messages/<name:id>/", status=204, target="message"),
    Row(D, "GET", "api/v1/storage/config/"),
    Row(D, "GET", "api/v1/storage/chat-sessions/"),
    Row(D, "POST", "api/v1/storage/chat-sessions/", {"chatSessions": []}),
    Row(D, "GET", "api/v1/storage/active-chat/"),
    Row(D, "POST", "api/v1/storage/active-chat/", {"activeChatId": "not stored"}),
    Row(D, "GET", "api/v1/storage/selected-model/"),
    Row(D, "POST", "api/v1/storage/selected-model/", {"selectedModel": "m"}),
    Row(E, "GET", "api/conversations/"),
    Row(E, "GET", "api/conversations/<name:id>/messages/", target="chat"),
    Row(E, "PUT", "api/conversations/<name:id>/title/", {"title": "New"}, target="chat"),
    Row(E, "DELETE", "api/conversations/<name:id>/", target="chat"),
]
SAFE = ("GET",)
every_row = pytest.mark.parametrize("row", ROWS, ids=str)
both_kinds = pytest.mark.parametrize("by", AUTHENTICATION_KINDS)


class SampleObjects:
    def __init__(self, alice: User) -> None:
        drafts = [{"role": "user", "content": "The zebra?"}, {"role": "assistant", "content": "Striped."}]
        fields = {"title": "Zebras", "external_id": CHAT}
        self.conversation, _ = conversations.create(user=alice, fields=fields, drafts=drafts)
        self.message = self.conversation.messages.order_by("seq")[0]

    @property
    def ids(self) -> set[str]:
        return {CHAT, str(self.conversation.id)}

    def request(self, client: ApiClient, row: Row, status: int) -> Any:
        """Send the row's request, assert its status code and return the body of the response."""
        return client(row.method, self.path(row), row.body, status=status)

    def path(self, row: Row) -> str:
        id = {"chat": CHAT, "message": str(self.message.id)}.get(row.target, "")
        return "/" + row.path.replace("<name:id>", id)

    def body(self, row: Row) -> Any:
        return row.body

    def error(self, client: ApiClient, row: Row, status: int) -> Any:
        """Send a request that is refused with this status code, and return the error in the contract's own format."""
        body = self.request(client, row, status)
        check(row, "default", body)
        return body.get("error", body.get("detail"))


def check(row: Row, status: str, answer: Any) -> None:
    """Assert that a response body has the documented shape. The status "default" stands for errors."""
    path = "/" + row.path.replace("<name:id>", "{id}")
    assert_matches(answer, responses_of(row.method, path)[status])
