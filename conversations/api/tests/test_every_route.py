"""Every route of the URL resolver: authentication, methods, malformed ids and rate limits.

conversations/tests/test_permissions.py checks the permissions of each kind of caller.
"""

import re
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from testing.api_client import NO_BODY, ApiClient, create_user
from testing.routes import (
    NAMED,
    PREFIX,
    PUBLIC,
    READING,
    ROWS,
    WRITES,
    Row,
    SampleObjects,
    both_kinds,
    every_row,
    methods,
    native_routes,
)


@pytest.fixture
def samples(alice: User) -> SampleObjects:
    return SampleObjects(alice)


def test_every_route_is_in_the_table() -> None:
    found = {(method, route) for route, view in native_routes() for method in methods(view)}
    assert found == {(row.method, PREFIX + row.route) for row in ROWS}


def test_public_routes_need_no_authentication(db: None) -> None:
    for path in PUBLIC:
        assert Client().get(f"/{path}").status_code == 200, path


@both_kinds
@every_row
def test_a_route_without_its_trailing_slash_works(row: Row, by: str, samples: SampleObjects, alice: User) -> None:
    path = re.sub(r"/(\?|$)", r"\1", row.path)
    samples.request(ApiClient(alice, by=by), replace(row, path=path), row.status)


def test_a_401_names_the_bearer_scheme(samples: SampleObjects) -> None:
    for row in ROWS:
        client = ApiClient()
        samples.error_code(client, row, 401)
        assert client.answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_message_of_another_user_cannot_be_activated_in_ones_own_conversation(samples: SampleObjects) -> None:
    bob = ApiClient(create_user("Bob"))
    his = bob("POST", "conversations/", {}, status=201)["id"]
    bob.refusal("POST", f"conversations/{his}/branch/", {"message_id": str(samples.message.id)}, status=404)


def test_an_absent_id_is_a_404(samples: SampleObjects, alice: User) -> None:
    client = ApiClient(alice)
    for row in NAMED:
        path = row.path.replace("<uuid:id>", "00000000-0000-7000-8000-000000000000")
        assert client.refusal(row.method, path, samples.body(row), status=404) == ("not_found", None)


@pytest.mark.parametrize("id", ["1", "not-a-uuid", "0190163d-8694-739b-aea5-966c26f8ad9", "%00", "..%2f", "%ff", "é"])
def test_a_malformed_id_is_a_404(id: str, alice: User) -> None:
    client = ApiClient(alice)
    for row in NAMED:
        path = row.path.replace("<uuid:id>", id)
        assert client.refusal(row.method, path, {}, status=404) == ("not_found", None)


def test_a_revoked_token_is_a_401(samples: SampleObjects, alice: User) -> None:
    revoked = ApiClient(alice)
    ApiClient(alice)("DELETE", f"tokens/{revoked.token.id}/", status=204)
    for row in ROWS:
        assert samples.error_code(revoked, row, 401) == "authentication_failed"


@both_kinds
def test_an_inactive_user_gets_a_401(by: str, samples: SampleObjects, alice: User) -> None:
    client = ApiClient(alice, by=by)
    User.objects.filter(id=alice.id).update(is_active=False)
    for row in ROWS:
        samples.error_code(client, row, 401)


# DELETE me/ is left out: after it, the user does not exist.
@pytest.mark.parametrize("row", [row for row in ROWS if str(row) != "DELETE me/"], ids=str)
def test_a_request_over_the_rate_limit_is_a_429(row: Row, samples: SampleObjects, alice: User, settings: Any) -> None:
    settings.API_RATE = 1
    client = ApiClient(alice)
    samples.request(client, row, row.status)
    assert samples.error_code(client, row, 429) == "rate_limited"
    assert client.answer.headers["Retry-After"] == "60"


def test_other_methods_are_a_405(samples: SampleObjects, alice: User) -> None:
    client = ApiClient(alice)
    for route in {row.route for row in ROWS}:
        known = {row.method: row for row in ROWS if row.route == route}
        target = next(iter(known.values())).target
        for method in ({"GET", "TRACE", "PROPFIND", "JUNK"} | WRITES) - known.keys():
            assert samples.error_code(client, Row(method, route, target=target), 405) == "method_not_allowed"
            assert known.keys() <= set(client.answer.headers["Allow"].split(", "))


def test_head_has_the_headers_of_get_and_no_body(samples: SampleObjects, alice: User) -> None:
    client = ApiClient(alice)
    for row in READING:
        samples.request(client, row, 200)
        length = client.answer.headers.get("Content-Length")  # streaming responses have none
        samples.request(client, replace(row, method="HEAD"), 200)
        assert client.text == ""
        assert client.answer.headers.get("Content-Length") == length


def test_options_lists_the_methods(samples: SampleObjects, alice: User) -> None:
    client = ApiClient(alice)
    for row in ROWS:
        samples.request(client, replace(row, method="OPTIONS", body=NO_BODY), 200)
        assert row.method in client.answer.headers["Allow"]
