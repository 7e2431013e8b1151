"""The table of the routes of the native API, with a valid request for each, and the objects that the requests name."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import User
from compat.contract import ContractView
from conversations.services import conversations, messages, reactions, shares

from .api_client import AUTHENTICATION_KINDS, NO_BODY, PASSWORD, ApiClient, is_error

# Routes that need no authentication
PUBLIC = {"", "api/schema/", "api/docs/", "docs/", "livez/", "readyz/"}
# Routes of the API that a link opens without authentication; conversations/api/tests/test_shares.py tests them
BY_LINK = {"api/v1/shared/<str:token>/", "api/v1/shared/<str:token>/messages/"}
# Pages with their own authentication and their own tests
ELSEWHERE = ("admin/", "accounts/", "_allauth/", "app/", "share/")
PREFIX = "api/v1/"
WRITES = {"POST", "PUT", "PATCH", "DELETE"}


@dataclass(frozen=True)
class Row:
    method: str
    path: str
    body: Any = NO_BODY
    status: int = 200  # of the response to the owner
    target: str = ""  # the attribute of SampleObjects whose id replaces <uuid:id>

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def route(self) -> str:
        return self.path.partition("?")[0]


MESSAGE = {"role": "user", "content": "Hello?"}
BRANCH = object()  # the body names the message of SampleObjects
ROWS = [
    Row("GET", "conversations/"),
    Row("POST", "conversations/", {}, 201),
    Row("POST", "conversations/bulk/", {"ids": ["0190163d-8694-739b-aea5-966c26f8ad90"], "action": "pin"}),
    Row("GET", "conversations/<uuid:id>/", target="conversation"),
    Row("PATCH", "conversations/<uuid:id>/", {"title": "New"}, target="conversation"),
    Row("PUT", "conversations/<uuid:id>/", {"title": "New"}, target="conversation"),
    Row("DELETE", "conversations/<uuid:id>/", status=204, target="conversation"),
    Row("DELETE", "conversations/<uuid:id>/?permanent=true", status=204, target="conversation"),
    Row("POST", "conversations/<uuid:id>/restore/", target="trashed_conversation"),
    Row("POST", "conversations/<uuid:id>/branch/", BRANCH, target="conversation"),
    Row("GET", "conversations/<uuid:id>/messages/", target="conversation"),
    Row("POST", "conversations/<uuid:id>/messages/", MESSAGE, 201, target="conversation"),
    Row("PUT", "conversations/<uuid:id>/messages/", [MESSAGE], target="conversation"),
    Row("GET", "conversations/<uuid:id>/history/", target="conversation"),
    Row("GET", "conversations/<uuid:id>/shares/", target="conversation"),
    Row("POST", "conversations/<uuid:id>/shares/", {}, 201, target="conversation"),
    Row("GET", "shares/"),
    Row("DELETE", "shares/<uuid:id>/", status=204, target="share"),
    Row("POST", "chat/", {"content": "Hello?"}, 201),
    Row("POST", "conversations/<uuid:id>/reply/", {"content": "Hello?"}, 201, target="conversation"),
    Row("POST", "conversations/<uuid:id>/stop/", {}, 202, target="conversation"),
    Row("GET", "conversations/<uuid:id>/messages/<uuid:message_id>/stream/", target="conversation"),
    Row("GET", "models/"),
    Row("GET", "messages/<uuid:id>/", target="message"),
    Row("PATCH", "messages/<uuid:id>/", {"content": "New"}, target="message"),
    Row("PATCH", "messages/<uuid:id>/?branch=true", {"content": "New"}, 201, target="message"),
    Row("DELETE", "messages/<uuid:id>/", status=204, target="message"),
    Row("POST", "messages/<uuid:id>/restore/", target="trashed_message"),
    Row("GET", "messages/<uuid:id>/reactions/", target="message"),
    Row("POST", "messages/<uuid:id>/reactions/", {"type": "wow"}, 201, target="message"),
    Row("DELETE", "messages/<uuid:id>/reactions/?type=like", status=204, target="message"),
    Row("GET", "search/?q=zebra"),
    Row("GET", "stats/"),
    Row("GET", "labels/"),
    Row("GET", "service/"),
    Row("GET", "me/"),
    Row("PATCH", "me/", {"name": "Al"}),
    Row("DELETE", "me/", {"password": PASSWORD}),
    Row("GET", "me/export/"),
    Row("GET", "conversations/export/"),
    Row("GET", "conversations/<uuid:id>/export/", target="conversation"),
    Row("GET", "me/audit/"),
    Row("GET", "preferences/"),
    Row("PATCH", "preferences/", {"theme": "light"}),
    Row("PUT", "preferences/", {"theme": "light"}),
    Row("GET", "tokens/"),
    Row("POST", "tokens/", {"name": "a program"}, 201),
    Row("DELETE", "tokens/<uuid:id>/", status=204, target="token"),
]
WRITING = [row for row in ROWS if row.method in WRITES]
READING = [row for row in ROWS if row.method not in WRITES]
NAMED = [row for row in ROWS if row.target]
every_row = pytest.mark.parametrize("row", ROWS, ids=str)
both_kinds = pytest.mark.parametrize("by", AUTHENTICATION_KINDS)


def routes(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        else:
            assert isinstance(pattern, URLPattern)
            yield route, pattern.callback


def methods(view: Any) -> set[str]:
    """Return the HTTP methods of a view of the API."""
    names = getattr(view, "actions", None) or {name for name in view.cls.http_method_names if hasattr(view.cls, name)}
    return {name.upper() for name in names} - {"HEAD", "OPTIONS"}


class SampleObjects:
    """One object of each kind, all of them Alice's."""

    def __init__(self, alice: User) -> None:
        drafts = [{"role": "user", "content": "The zebra?"}, {"role": "assistant", "content": "Striped."}]
        self.conversation, _ = conversations.create(user=alice, fields={"title": "Zebras"}, drafts=drafts)
        self.message, self.trashed_message = self.conversation.messages.order_by("seq")
        self.trashed_conversation, _ = conversations.create(user=alice, fields={}, drafts=drafts)
        self.token = ApiClient(alice).token
        self.reaction, _ = reactions.react(user=alice, message_id=self.message.id, type="like")
        self.share = shares.create(user=alice, conversation_id=self.conversation.id)
        messages.trash(user=alice, message_id=self.trashed_message.id)
        conversations.trash(user=alice, conversation_id=self.trashed_conversation.id)

    @property
    def ids(self) -> set[str]:
        return {str(object.id) for object in vars(self).values()}

    def request(self, client: ApiClient, row: Row, status: int) -> Any:
        """Send the row's request, assert its status code and return the body of the response."""
        return client(row.method, self.path(row), self.body(row), status=status)

    def path(self, row: Row) -> str:
        path = row.path.replace("<uuid:message_id>", str(self.message.id))
        return path.replace("<uuid:id>", str(getattr(self, row.target).id) if row.target else "")

    def body(self, row: Row) -> Any:
        return {"message_id": str(self.message.id)} if row.body is BRANCH else row.body

    def error_code(self, client: ApiClient, row: Row, status: int) -> str:
        """Send a request that is refused with this status code, and return the code of the error."""
        code: str = self.request(client, row, status)["error"]["code"]
        assert is_error(client.answer)
        return code


def native_routes() -> Iterator[tuple[str, Any]]:
    for route, view in routes(get_resolver().url_patterns):
        if route not in PUBLIC | BY_LINK and not route.startswith(ELSEWHERE) and not is_contract(view):
            yield route, view


def is_contract(view: Any) -> bool:
    """Return whether the view belongs to a contract. testing/contract_routes.py has the table of these routes."""
    return issubclass(getattr(view, "cls", object), ContractView)
