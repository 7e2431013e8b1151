"""Every route of every contract: who is answered, who is refused, in which words and shape."""

import re
from dataclasses import dataclass, replace
from typing import Any

import jsonschema
import pytest
from django.urls import get_resolver

from accounts.models import User
from compat.contract import ContractView
from conversations.api.tests.test_every_route import is_contract, methods, routes
from conversations.api.tests.test_shapes import SCHEMA, strict
from conversations.models import Conversation
from conversations.services import conversations
from testing.callers import KINDS, NOTHING, Caller, person

A, B, C, D, E = "ABCDE"
PUBLIC = "api/health/"
CHAT = "chat-1"  # Alice's id for her conversation; nobody else's


@dataclass(frozen=True)
class Row:
    contract: str
    method: str
    path: str
    body: Any = NOTHING
    status: int = 200  # to the owner
    names: str = ""  # whose id stands in the path or the body

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
both_kinds = pytest.mark.parametrize("by", KINDS)


class World:
    def __init__(self, alice: User) -> None:
        said = [{"role": "user", "content": "The zebra?"}, {"role": "assistant", "content": "Striped."}]
        fields = {"title": "Zebras", "external_id": CHAT}
        self.conversation, _ = conversations.create(user=alice, fields=fields, drafts=said)
        self.message = self.conversation.messages.order_by("seq")[0]

    def call(self, caller: Caller, row: Row, status: int) -> Any:
        id = {"chat": CHAT, "message": str(self.message.id)}.get(row.names, "")
        return caller(row.method, "/" + row.path.replace("<path:id>", id), row.body, status=status)

    def refused(self, caller: Caller, row: Row, status: int) -> Any:
        body = self.call(caller, row, status)
        check(row, "default", body)
        return body.get("error", body.get("detail"))


@pytest.fixture
def world(alice: User) -> World:
    return World(alice)


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


@both_kinds
@every_row
def test_nobody_and_a_stranger_are_refused_and_then_the_owner_is_answered(
    row: Row, by: str, world: World, alice: User
) -> None:
    """The owner comes last: what the others asked for has not been done."""
    nobody, stranger, reader = Caller(), Caller(person("Bob"), by=by), Caller(alice, scopes=["read"])
    assert world.refused(nobody, row, 401) in ("Unauthorized", "Authentication credentials were not provided.")
    if row.method not in SAFE:
        assert "scope 'write'" in world.refused(reader, row, 403)
    if row.names:
        world.refused(stranger, row, 404)
    else:
        world.call(stranger, row, row.status)
        assert CHAT not in stranger.text and str(world.conversation.id) not in stranger.text
    answer = world.call(Caller(alice, by=by), row, row.status)
    if row.status != 204:
        check(row, str(row.status), answer)


@every_row
def test_a_route_without_its_slash_is_the_same_route(row: Row, world: World, alice: User) -> None:
    world.call(Caller(alice), replace(row, path=row.path.rstrip("/")), row.status)


@every_row
def test_a_browser_on_another_site_is_refused_in_the_words_of_the_contract(row: Row, world: World, alice: User) -> None:
    before = list(Conversation.objects.values())
    browser = Caller(alice, by="session")
    browser.headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    if row.method not in SAFE:
        assert "cross-site" in world.refused(browser, row, 403)
    assert list(Conversation.objects.values()) == before


@every_row
def test_other_methods_are_refused_in_the_words_of_the_contract(row: Row, world: World, alice: User) -> None:
    check(row, "default", world.call(Caller(alice), replace(row, method="PATCH"), 405))


@pytest.mark.parametrize("junk", [b"{", b"\xff", b'{"a": NaN}', b'{"a": "\\ud800"}', b'"text"', b"[1]", b"5"])
@pytest.mark.parametrize("row", [row for row in ROWS if row.body is not NOTHING], ids=str)
def test_junk_is_refused_in_the_words_of_the_contract(row: Row, junk: bytes, world: World, alice: User) -> None:
    before = list(Conversation.objects.values())
    status = 422 if row.contract == C else 400
    world.refused(Caller(alice), replace(row, body=junk), status)
    assert list(Conversation.objects.values()) == before


@pytest.mark.parametrize("row", [row for row in ROWS if row.body is not NOTHING], ids=str)
def test_a_body_over_the_limit_is_refused_in_the_words_of_the_contract(
    row: Row, world: World, alice: User, settings: Any
) -> None:
    settings.BODY_LIMIT = 1_000
    large = {**row.body, "filler": "x" * 33_000_000} if re.search("sessions", row.path) else {"filler": "x" * 2_000}
    refusal = world.refused(Caller(alice), replace(row, body=large), 413)
    assert "bytes; the limit is" in refusal


@pytest.mark.parametrize("row", [row for row in ROWS if row.method == "POST"], ids=str)
def test_what_breaks_on_our_side_is_told_in_the_words_of_the_contract(
    row: Row, world: World, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: Any) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr(ContractView, "read", broken)
    assert world.refused(Caller(alice), row, 500) == "Something broke on our side; it is logged."


@every_row
def test_who_asks_too_often_is_told_so_in_the_words_of_the_contract(
    row: Row, world: World, alice: User, settings: Any
) -> None:
    settings.API_RATE = 1
    caller = Caller(alice)
    world.call(caller, row, row.status)
    assert "1 requests a minute" in world.refused(caller, row, 429)
    assert caller.answer.headers["Retry-After"] == "60"


def test_health_is_everybodys_business(db: None) -> None:
    told = Caller()("GET", f"/{PUBLIC}")
    assert told | {"timestamp": ""} == {"status": "ok", "timestamp": "", "service": "chatstore", "database": "ok"}
