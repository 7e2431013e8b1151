"""Every route of every contract: which callers are answered or refused, and the shape of the response."""

import re
from dataclasses import dataclass, replace
from typing import Any

import jsonschema
import pytest
from django.urls import get_resolver

from accounts.models import Preferences, User
from compat.contract import ContractView
from conversations.api.tests.test_every_route import is_contract, methods, routes
from conversations.api.tests.test_shapes import SCHEMA, strict
from conversations.models import Conversation, Message
from conversations.services import conversations
from testing.api_client import AUTHENTICATION_KINDS, NO_BODY, ApiClient, create_user

A, B, C, D, E = "ABCDE"
PUBLIC = "api/health/"
CHAT = "chat-1"  # the external_id of Alice's conversation; no other user has one like it


@dataclass(frozen=True)
class Row:
    contract: str
    method: str
    path: str
    body: Any = NO_BODY
    status: int = 200  # of the response to the owner
    names: str = ""  # the object whose id is in the path or the body: "chat", "message" or none

    def __str__(self) -> str:
        return f"{self.contract} {self.method} {self.path}"


HISTORY = {"messages": [{"role": "user", "content": "Hello"}]}
ROWS = [
    Row(A, "GET", "api/chat/sessions/"),
    Row(A, "POST", "api/chat/sessions/", HISTORY, 201),
    Row(A, "GET", "api/chat/sessions/<path:id>/", names="chat"),
    Row(A, "PUT", "api/chat/sessions/<path:id>/", HISTORY, names="chat"),
    Row(A, "DELETE", "api/chat/sessions/<path:id>/", names="chat"),
    Row(B, "POST", "api/chat/", {"message": "Hello", "model": "echo"}),
    Row(B, "GET", "api/chat/history/"),
    Row(C, "GET", "api/chats/"),
    Row(C, "POST", "api/chats/", {"name": "Zebras", "notebooks": ["stripes"]}, 201),
    Row(C, "GET", "api/chats/<path:id>/", names="chat"),
    Row(C, "PUT", "api/chats/<path:id>/", {"name": "New"}, names="chat"),
    Row(C, "DELETE", "api/chats/<path:id>/", status=204, names="chat"),
    Row(C, "POST", "api/messages/", {"chat_id": CHAT, "role": "ai", "content": "Yes?"}, 201, names="chat"),
    Row(C, "GET", "api/messages/chat/<path:id>/", names="chat"),
    Row(C, "GET", "api/messages/<path:id>/", names="message"),
    Row(C, "PUT", "api/messages/<path:id>/", {"content": "New"}, names="message"),
    Row(C, "DELETE", "api/messages/<path:id>/", status=204, names="message"),
    Row(D, "GET", "api/v1/storage/config/"),
    Row(D, "GET", "api/v1/storage/chat-sessions/"),
    Row(D, "POST", "api/v1/storage/chat-sessions/", {"chatSessions": []}),
    Row(D, "GET", "api/v1/storage/active-chat/"),
    Row(D, "POST", "api/v1/storage/active-chat/", {"activeChatId": "not stored"}),
    Row(D, "GET", "api/v1/storage/selected-model/"),
    Row(D, "POST", "api/v1/storage/selected-model/", {"selectedModel": "m"}),
    Row(E, "GET", "api/conversations/"),
    Row(E, "GET", "api/conversations/<path:id>/messages/", names="chat"),
    Row(E, "PUT", "api/conversations/<path:id>/title/", {"title": "New"}, names="chat"),
    Row(E, "DELETE", "api/conversations/<path:id>/", names="chat"),
]
SAFE = ("GET",)
every_row = pytest.mark.parametrize("row", ROWS, ids=str)
both_kinds = pytest.mark.parametrize("by", AUTHENTICATION_KINDS)


class SampleObjects:
    """Alice's conversation, and calls of the routes with its ids."""

    def __init__(self, alice: User) -> None:
        drafts = [{"role": "user", "content": "The zebra?"}, {"role": "assistant", "content": "Striped."}]
        fields = {"title": "Zebras", "external_id": CHAT}
        self.conversation, _ = conversations.create(user=alice, fields=fields, drafts=drafts)
        self.message = self.conversation.messages.order_by("seq")[0]

    def call(self, caller: ApiClient, row: Row, status: int) -> Any:
        id = {"chat": CHAT, "message": str(self.message.id)}.get(row.names, "")
        return caller(row.method, "/" + row.path.replace("<path:id>", id), row.body, status=status)

    def refused(self, caller: ApiClient, row: Row, status: int) -> Any:
        body = self.call(caller, row, status)
        check(row, "default", body)
        return body.get("error", body.get("detail"))


def stored() -> list[Any]:
    """Return every row that a route of a contract can write."""
    return [list(table.objects.order_by("pk").values()) for table in (Conversation, Message, Preferences)]


@pytest.fixture
def samples(alice: User) -> SampleObjects:
    return SampleObjects(alice)


def check(row: Row, status: str, answer: Any) -> None:
    path = SCHEMA["paths"]["/" + row.path.replace("<path:id>", "{id}")]
    schema = strict(path[row.method.lower()]["responses"][status]["content"]["application/json"]["schema"])
    problem = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(schema).iter_errors(answer))
    assert problem is None, f"{problem.json_path}: {problem.message}"


def test_every_route_of_a_contract_is_in_the_table() -> None:
    found = {
        (method, route)
        for route, view in routes(get_resolver().url_patterns)
        if is_contract(view)
        for method in methods(view)
    }
    assert found - {("GET", PUBLIC)} == {(row.method, row.path) for row in ROWS}


def test_every_route_has_a_description_of_its_own() -> None:
    paths = {row.path.replace("<path:id>", "{id}") for row in ROWS} | {PUBLIC}
    operations = [operation for path in paths for operation in SCHEMA["paths"][f"/{path}"].values()]
    descriptions = [operation.get("description") for operation in operations]
    assert all(descriptions) and len(set(descriptions)) == len(operations) == len(ROWS) + 1
    errors = {operation["responses"]["default"]["description"] for operation in operations}
    assert errors == {"An error, in the shape of this contract."}


@both_kinds
@every_row
def test_anonymous_and_strange_callers_are_refused_and_the_owner_is_answered(
    row: Row, by: str, samples: SampleObjects, alice: User
) -> None:
    """The owner calls last, so the response shows that the other calls changed nothing."""
    nobody, stranger, reader = ApiClient(), ApiClient(create_user("Bob"), by=by), ApiClient(alice, scopes=["read"])
    assert samples.refused(nobody, row, 401) in ("Unauthorized", "Authentication credentials were not provided.")
    if row.method not in SAFE:
        assert "scope 'write'" in samples.refused(reader, row, 403)
    if row.names:
        samples.refused(stranger, row, 404)
    else:
        samples.call(stranger, row, row.status)
        assert CHAT not in stranger.text and str(samples.conversation.id) not in stranger.text
    answer = samples.call(ApiClient(alice, by=by), row, row.status)
    if row.status != 204:
        check(row, str(row.status), answer)


@every_row
def test_a_route_works_without_its_trailing_slash(row: Row, samples: SampleObjects, alice: User) -> None:
    samples.call(ApiClient(alice), replace(row, path=row.path.rstrip("/")), row.status)


@pytest.fixture
def on_another_site(alice: User) -> ApiClient:
    """Alice's browser, on a page of another site."""
    browser = ApiClient(alice, by="session")
    browser.headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    return browser


@pytest.mark.parametrize("row", [row for row in ROWS if row.method not in SAFE], ids=str)
def test_another_site_cannot_write(row: Row, samples: SampleObjects, alice: User, on_another_site: ApiClient) -> None:
    before = stored()
    assert "cross-site" in samples.refused(on_another_site, row, 403)
    assert stored() == before
    samples.call(ApiClient(alice, by="session"), row, row.status)
    assert stored() != before or row.body == {"chatSessions": []}  # nothing is listed yet, so nothing is deleted


@pytest.mark.parametrize("row", [row for row in ROWS if row.method in SAFE], ids=str)
def test_a_read_from_another_site_changes_no_conversation(
    row: Row, samples: SampleObjects, on_another_site: ApiClient
) -> None:
    before = stored()[:2]
    samples.call(on_another_site, row, row.status)
    assert stored()[:2] == before


@every_row
def test_another_method_is_refused_in_the_error_shape_of_the_contract(
    row: Row, samples: SampleObjects, alice: User
) -> None:
    check(row, "default", samples.call(ApiClient(alice), replace(row, method="PATCH"), 405))


@pytest.mark.parametrize("junk", [b"{", b"\xff", b'{"a": NaN}', b'{"a": "\\ud800"}', b'"text"', b"[1]", b"5"])
@pytest.mark.parametrize("row", [row for row in ROWS if row.body is not NO_BODY], ids=str)
def test_junk_is_refused_in_the_error_shape_of_the_contract(
    row: Row, junk: bytes, samples: SampleObjects, alice: User
) -> None:
    before = stored()
    status = 422 if row.contract == C else 400
    samples.refused(ApiClient(alice), replace(row, body=junk), status)
    assert stored() == before


@pytest.mark.parametrize("row", [row for row in ROWS if row.body is not NO_BODY], ids=str)
def test_a_body_over_the_limit_is_refused_in_the_error_shape_of_the_contract(
    row: Row, samples: SampleObjects, alice: User, settings: Any
) -> None:
    settings.BODY_LIMIT = 1_000
    large = {**row.body, "filler": "x" * 33_000_000} if re.search("sessions", row.path) else {"filler": "x" * 2_000}
    refusal = samples.refused(ApiClient(alice), replace(row, body=large), 413)
    assert "bytes; the limit is" in refusal


@pytest.mark.parametrize("row", [row for row in ROWS if row.method == "POST"], ids=str)
def test_an_internal_error_has_the_error_shape_of_the_contract(
    row: Row, samples: SampleObjects, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: Any) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr(ContractView, "read", broken)
    assert samples.refused(ApiClient(alice), row, 500) == "Something broke on our side; it is logged."


@every_row
def test_too_many_requests_are_refused_in_the_error_shape_of_the_contract(
    row: Row, samples: SampleObjects, alice: User, settings: Any
) -> None:
    settings.API_RATE = 1
    caller = ApiClient(alice)
    samples.call(caller, row, row.status)
    assert "1 requests a minute" in samples.refused(caller, row, 429)
    assert caller.answer.headers["Retry-After"] == "60"


def test_health_needs_no_authentication(db: None) -> None:
    health = ApiClient()("GET", f"/{PUBLIC}")
    assert health | {"timestamp": ""} == {"status": "ok", "timestamp": "", "service": "chatstore", "database": "ok"}
