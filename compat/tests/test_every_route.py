"""Every route of every contract: which callers are answered or refused, and the shape of the response."""

import re
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from django.urls import get_resolver

from accounts.models import Preferences, User
from compat.contract import ContractView
from conversations.models import Conversation, Message
from testing.api_client import NO_BODY, ApiClient
from testing.contract_routes import HEALTH, PUBLIC, ROWS, SAFE, C, Row, SampleObjects, check, every_row
from testing.routes import is_contract, methods, routes
from testing.shapes import SCHEMA


def stored() -> list[Any]:
    """Return all rows of the tables that the contracts write."""
    return [list(table.objects.order_by("pk").values()) for table in (Conversation, Message, Preferences)]


@pytest.fixture
def samples(alice: User) -> SampleObjects:
    return SampleObjects(alice)


def test_every_route_of_a_contract_is_in_the_table() -> None:
    found = {
        (method, route)
        for route, view in routes(get_resolver().url_patterns)
        if is_contract(view)
        for method in methods(view)
    }
    assert found - PUBLIC == {(row.method, row.path) for row in ROWS}


def test_every_route_has_a_description_of_its_own() -> None:
    paths = {row.path.replace("<name:id>", "{id}") for row in ROWS} | {HEALTH}
    operations = [operation for path in paths for operation in SCHEMA["paths"][f"/{path}"].values()]
    descriptions = [operation.get("description") for operation in operations]
    assert all(descriptions) and len(set(descriptions)) == len(operations) == len(ROWS) + 1
    errors = {operation["responses"]["default"]["description"] for operation in operations}
    assert errors == {"An error, in the shape of this contract."}


@every_row
def test_a_route_works_without_its_trailing_slash(row: Row, samples: SampleObjects, alice: User) -> None:
    samples.request(ApiClient(alice), replace(row, path=row.path.rstrip("/")), row.status)


@pytest.mark.parametrize("id", ["a\nb", "a\r\nb", "\n", "a/b\n"])
@pytest.mark.parametrize("row", [row for row in ROWS if row.target and "<" in row.path], ids=str)
def test_an_id_with_line_breaks_gets_the_404_of_the_contract(row: Row, id: str, db: None, alice: User) -> None:
    path = "/" + row.path.replace("<name:id>", quote(id, safe=""))
    check(row, "default", ApiClient(alice)(row.method, path, row.body, status=404))


@pytest.fixture
def on_another_site(alice: User) -> ApiClient:
    """Alice's browser, on a page of another site."""
    browser = ApiClient(alice, by="session")
    browser.headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    return browser


@pytest.mark.parametrize("row", [row for row in ROWS if row.method not in SAFE], ids=str)
def test_another_site_cannot_write(row: Row, samples: SampleObjects, alice: User, on_another_site: ApiClient) -> None:
    before = stored()
    assert "cross-site" in samples.error(on_another_site, row, 403)
    assert stored() == before
    samples.request(ApiClient(alice, by="session"), row, row.status)
    assert stored() != before or row.body == {"chatSessions": []}  # this client has listed nothing: nothing is deleted


@pytest.mark.parametrize("row", [row for row in ROWS if row.method in SAFE], ids=str)
def test_a_read_from_another_site_changes_no_conversation(
    row: Row, samples: SampleObjects, on_another_site: ApiClient
) -> None:
    before = stored()[:2]
    samples.request(on_another_site, row, row.status)
    assert stored()[:2] == before


@every_row
def test_an_unsupported_method_is_refused_in_the_error_shape_of_the_contract(
    row: Row, samples: SampleObjects, alice: User
) -> None:
    check(row, "default", samples.request(ApiClient(alice), replace(row, method="PATCH"), 405))


@pytest.mark.parametrize("junk", [b"{", b"\xff", b'{"a": NaN}', b'{"a": "\\ud800"}', b'"text"', b"[1]", b"5"])
@pytest.mark.parametrize("row", [row for row in ROWS if row.body is not NO_BODY], ids=str)
def test_junk_is_refused_in_the_error_shape_of_the_contract(
    row: Row, junk: bytes, samples: SampleObjects, alice: User
) -> None:
    before = stored()
    status = 422 if row.contract == C else 400
    samples.error(ApiClient(alice), replace(row, body=junk), status)
    assert stored() == before


@pytest.mark.parametrize("row", [row for row in ROWS if row.body is not NO_BODY], ids=str)
def test_a_body_over_the_limit_is_refused_in_the_error_shape_of_the_contract(
    row: Row, samples: SampleObjects, alice: User, settings: Any
) -> None:
    settings.BODY_LIMIT = 1_000
    large = (
        {**row.body, "filler": "x" * 33_000_000}
        if re.search("sessions|completion|^api/chat/$", row.path)
        else {"filler": "x" * 2_000}
    )
    refusal = samples.error(ApiClient(alice), replace(row, body=large), 413)
    assert "bytes; the limit is" in refusal


@pytest.mark.parametrize("row", [row for row in ROWS if row.method == "POST"], ids=str)
def test_an_internal_error_has_the_error_shape_of_the_contract(
    row: Row, samples: SampleObjects, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: Any) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr(ContractView, "read", broken)
    assert samples.error(ApiClient(alice), row, 500) == "Something broke on our side; it is logged."


@every_row
def test_too_many_requests_are_refused_in_the_error_shape_of_the_contract(
    row: Row, samples: SampleObjects, alice: User, settings: Any
) -> None:
    settings.API_RATE = 1
    caller = ApiClient(alice)
    samples.request(caller, row, row.status)
    assert "1 requests a minute" in samples.error(caller, row, 429)
    assert caller.answer.headers["Retry-After"] == "60"


def test_health_needs_no_authentication(db: None) -> None:
    health = ApiClient()("GET", f"/{HEALTH}")
    assert health | {"timestamp": ""} == {"status": "ok", "timestamp": "", "service": "chatstore", "database": "ok"}
