"""Every route, from the URL resolver, called by everyone: nobody, a stranger, the owner, with every kind of token."""

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from accounts.models import User
from compat.contract import ContractView
from conversations.services import conversations, messages, reactions
from testing.api_client import AUTHENTICATION_KINDS, NO_BODY, PASSWORD, ApiClient, create_user, is_error

# Answered to everyone.
PUBLIC = {"", "api/schema/", "api/docs/", "docs/", "livez/", "readyz/"}
# Behind a door of their own: pages for people, which are sent to sign in; their tests are elsewhere.
ELSEWHERE = ("admin/", "accounts/", "_allauth/")
PREFIX = "api/v1/"
WRITES = {"POST", "PUT", "PATCH", "DELETE"}


@dataclass(frozen=True)
class Row:
    method: str
    path: str
    body: Any = NO_BODY
    status: int = 200  # to the owner
    thing: str = ""  # whose id stands for <uuid:id>

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def route(self) -> str:
        return self.path.partition("?")[0]


MESSAGE = {"role": "user", "content": "Hello?"}
BRANCH = object()  # names a message that is made for the test
ROWS = [
    Row("GET", "conversations/"),
    Row("POST", "conversations/", {}, 201),
    Row("GET", "conversations/<uuid:id>/", thing="conversation"),
    Row("PATCH", "conversations/<uuid:id>/", {"title": "New"}, thing="conversation"),
    Row("PUT", "conversations/<uuid:id>/", {"title": "New"}, thing="conversation"),
    Row("DELETE", "conversations/<uuid:id>/", status=204, thing="conversation"),
    Row("DELETE", "conversations/<uuid:id>/?permanent=true", status=204, thing="conversation"),
    Row("POST", "conversations/<uuid:id>/restore/", thing="trashed_conversation"),
    Row("POST", "conversations/<uuid:id>/branch/", BRANCH, thing="conversation"),
    Row("GET", "conversations/<uuid:id>/messages/", thing="conversation"),
    Row("POST", "conversations/<uuid:id>/messages/", MESSAGE, 201, thing="conversation"),
    Row("PUT", "conversations/<uuid:id>/messages/", [MESSAGE], thing="conversation"),
    Row("GET", "conversations/<uuid:id>/history/", thing="conversation"),
    Row("POST", "chat/", {"content": "Hello?"}, 201),
    Row("GET", "messages/<uuid:id>/", thing="message"),
    Row("PATCH", "messages/<uuid:id>/", {"content": "New"}, thing="message"),
    Row("PATCH", "messages/<uuid:id>/?branch=true", {"content": "New"}, 201, thing="message"),
    Row("DELETE", "messages/<uuid:id>/", status=204, thing="message"),
    Row("POST", "messages/<uuid:id>/restore/", thing="trashed_message"),
    Row("GET", "messages/<uuid:id>/reactions/", thing="message"),
    Row("POST", "messages/<uuid:id>/reactions/", {"type": "wow"}, 201, thing="message"),
    Row("DELETE", "messages/<uuid:id>/reactions/?type=like", status=204, thing="message"),
    Row("GET", "search/?q=zebra"),
    Row("GET", "stats/"),
    Row("GET", "me/"),
    Row("PATCH", "me/", {"name": "Al"}),
    Row("DELETE", "me/", {"password": PASSWORD}),
    Row("GET", "me/export/"),
    Row("GET", "preferences/"),
    Row("PATCH", "preferences/", {"theme": "light"}),
    Row("PUT", "preferences/", {"theme": "light"}),
    Row("GET", "tokens/"),
    Row("POST", "tokens/", {"name": "a program"}, 201),
    Row("DELETE", "tokens/<uuid:id>/", status=204, thing="token"),
]
WRITING = [row for row in ROWS if row.method in WRITES]
READING = [row for row in ROWS if row.method not in WRITES]
NAMED = [row for row in ROWS if row.thing]
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
    """Of a view of the API."""
    names = getattr(view, "actions", None) or {name for name in view.cls.http_method_names if hasattr(view.cls, name)}
    return {name.upper() for name in names} - {"HEAD", "OPTIONS"}


class SampleObjects:
    """One of everything of Alice's."""

    def __init__(self, alice: User) -> None:
        drafts = [{"role": "user", "content": "The zebra?"}, {"role": "assistant", "content": "Striped."}]
        self.conversation, _ = conversations.create(user=alice, fields={"title": "Zebras"}, drafts=drafts)
        self.message, self.trashed_message = self.conversation.messages.order_by("seq")
        self.trashed_conversation, _ = conversations.create(user=alice, fields={}, drafts=drafts)
        self.token = ApiClient(alice).token
        self.reaction, _ = reactions.react(user=alice, message_id=self.message.id, type="like")
        messages.trash(user=alice, message_id=self.trashed_message.id)
        conversations.trash(user=alice, conversation_id=self.trashed_conversation.id)

    @property
    def ids(self) -> set[str]:
        return {str(thing.id) for thing in vars(self).values()}

    def call(self, caller: ApiClient, row: Row, status: int) -> Any:
        path = row.path.replace("<uuid:id>", str(getattr(self, row.thing).id) if row.thing else "")
        return caller(row.method, path, self.body(row), status=status)

    def body(self, row: Row) -> Any:
        return {"message_id": str(self.message.id)} if row.body is BRANCH else row.body

    def refuse(self, caller: ApiClient, row: Row, status: int) -> str:
        code: str = self.call(caller, row, status)["error"]["code"]
        assert is_error(caller.answer)
        return code


@pytest.fixture
def samples(alice: User) -> SampleObjects:
    return SampleObjects(alice)


def test_every_route_is_in_a_table_here() -> None:
    found = {(method, route) for route, view in ours() for method in methods(view)}
    assert found == {(row.method, PREFIX + row.route) for row in ROWS}


def ours() -> Iterator[tuple[str, Any]]:
    for route, view in routes(get_resolver().url_patterns):
        if route not in PUBLIC and not route.startswith(ELSEWHERE) and not is_contract(view):
            yield route, view


def is_contract(view: Any) -> bool:
    """These have a table of their own, in compat/tests."""
    return issubclass(getattr(view, "cls", object), ContractView)


def test_public_routes_answer_to_nobody(db: None) -> None:
    for path in PUBLIC:
        assert Client().get(f"/{path}").status_code == 200, path


@both_kinds
@every_row
def test_a_stranger_gets_a_404_and_then_the_owner_is_answered(
    row: Row, by: str, samples: SampleObjects, alice: User
) -> None:
    """The owner comes second: what nobody, a stranger and a reader asked for has not been done."""
    nobody, stranger, reader = ApiClient(), ApiClient(create_user("Bob"), by=by), ApiClient(alice, scopes=["read"])
    assert samples.refuse(nobody, row, 401) == "not_authenticated"
    if row.method in WRITES:
        assert samples.refuse(reader, row, 403) == "permission_denied"
    if row.thing:
        assert samples.refuse(stranger, row, 404) == "not_found"
    else:
        samples.call(stranger, row, row.status)
        assert not any(id in stranger.text for id in samples.ids), "a stranger reads something of Alice's"
    samples.call(ApiClient(alice, by=by), row, row.status)


@both_kinds
@every_row
def test_a_route_without_its_slash_answers_as_well(row: Row, by: str, samples: SampleObjects, alice: User) -> None:
    path = re.sub(r"/(\?|$)", r"\1", row.path)
    samples.call(ApiClient(alice, by=by), replace(row, path=path), row.status)


def test_nobody_is_told_how_to_sign_in(samples: SampleObjects) -> None:
    for row in ROWS:
        caller = ApiClient()
        samples.refuse(caller, row, 401)
        assert caller.answer.headers["WWW-Authenticate"] == "Bearer"


def test_staff_are_strangers_too(samples: SampleObjects) -> None:
    staff = ApiClient(create_user("Sam", is_staff=True, is_superuser=True))
    for row in NAMED:
        assert samples.refuse(staff, row, 404) == "not_found"


def test_a_stranger_does_not_show_a_message_of_another_in_a_conversation_of_his_own(samples: SampleObjects) -> None:
    bob = ApiClient(create_user("Bob"))
    his = bob("POST", "conversations/", {}, status=201)["id"]
    bob.refusal("POST", f"conversations/{his}/branch/", {"message_id": str(samples.message.id)}, status=404)


def test_an_absent_id_is_a_404(samples: SampleObjects, alice: User) -> None:
    caller = ApiClient(alice)
    for row in NAMED:
        path = row.path.replace("<uuid:id>", "00000000-0000-7000-8000-000000000000")
        assert caller.refusal(row.method, path, samples.body(row), status=404) == ("not_found", None)


@pytest.mark.parametrize("id", ["1", "not-a-uuid", "0190163d-8694-739b-aea5-966c26f8ad9", "%00", "..%2f", "%ff", "é"])
def test_a_malformed_id_is_a_404(id: str, alice: User) -> None:
    caller = ApiClient(alice)
    for row in NAMED:
        path = row.path.replace("<uuid:id>", id)
        assert caller.refusal(row.method, path, {}, status=404) == ("not_found", None)


def test_a_token_that_may_only_read_reads_and_does_not_write(samples: SampleObjects, alice: User) -> None:
    reader = ApiClient(alice, scopes=["read"])
    for row in READING:
        samples.call(reader, row, row.status)
    for row in WRITING:
        assert samples.refuse(reader, row, 403) == "permission_denied"
        assert "'write'" in reader.text


def test_a_token_that_may_only_write_does_not_read(samples: SampleObjects, alice: User) -> None:
    writer = ApiClient(alice, scopes=["write"])
    for row in READING:
        assert samples.refuse(writer, row, 403) == "permission_denied"


def test_an_expired_token_is_a_401(samples: SampleObjects, alice: User) -> None:
    expired = ApiClient(alice, expires_at=timezone.now() - datetime.timedelta(seconds=1))
    for row in ROWS:
        assert samples.refuse(expired, row, 401) == "authentication_failed"


def test_a_revoked_token_is_a_401(samples: SampleObjects, alice: User) -> None:
    revoked = ApiClient(alice)
    ApiClient(alice)("DELETE", f"tokens/{revoked.token.id}/", status=204)
    for row in ROWS:
        assert samples.refuse(revoked, row, 401) == "authentication_failed"


@both_kinds
def test_a_user_who_is_not_active_any_more_is_a_401(by: str, samples: SampleObjects, alice: User) -> None:
    caller = ApiClient(alice, by=by)
    User.objects.filter(id=alice.id).update(is_active=False)
    for row in ROWS:
        samples.refuse(caller, row, 401)


@pytest.mark.parametrize("row", [row for row in ROWS if str(row) != "DELETE me/"], ids=str)  # who asked that is gone
def test_who_asks_too_often_is_a_429(row: Row, samples: SampleObjects, alice: User, settings: Any) -> None:
    settings.API_RATE = 1
    caller = ApiClient(alice)
    samples.call(caller, row, row.status)
    assert samples.refuse(caller, row, 429) == "rate_limited"
    assert caller.answer.headers["Retry-After"] == "60"


def test_other_methods_are_a_405(samples: SampleObjects, alice: User) -> None:
    caller = ApiClient(alice)
    for route in {row.route for row in ROWS}:
        known = {row.method: row for row in ROWS if row.route == route}
        thing = next(iter(known.values())).thing
        for method in ({"GET", "TRACE", "PROPFIND", "JUNK"} | WRITES) - known.keys():
            assert samples.refuse(caller, Row(method, route, thing=thing), 405) == "method_not_allowed"
            assert known.keys() <= set(caller.answer.headers["Allow"].split(", "))


def test_head_answers_as_get_does_without_a_body(samples: SampleObjects, alice: User) -> None:
    caller = ApiClient(alice)
    for row in READING:
        samples.call(caller, row, 200)
        length = caller.answer.headers.get("Content-Length")  # what streams has none
        samples.call(caller, replace(row, method="HEAD"), 200)
        assert caller.text == ""
        assert caller.answer.headers.get("Content-Length") == length


def test_options_says_what_there_is(samples: SampleObjects, alice: User) -> None:
    caller = ApiClient(alice)
    for row in ROWS:
        samples.call(caller, replace(row, method="OPTIONS", body=NO_BODY), 200)
        assert row.method in caller.answer.headers["Allow"]
