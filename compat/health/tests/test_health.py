"""GET /health and GET / as contracts C and E ask for them."""

from typing import Any

import pytest

from chatstore import health
from testing.api_client import ApiClient
from testing.live_server import Live, json_body
from testing.shapes import assert_matches, responses_of

AXIOS = "application/json, text/plain, */*"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@pytest.mark.parametrize("path", ["/health", "/health/"])
def test_health_needs_no_authentication(path: str, live: Live) -> None:
    answer = live.call("GET", path)
    assert (answer.status, json_body(answer)) == (200, {"status": "ok", "database": "ok"})
    assert_matches(json_body(answer), responses_of("GET", "/health/")["200"])
    assert live.call("GET", path, Authorization="Bearer cs_junk").status == 200


@pytest.mark.parametrize("state", [health.UNAVAILABLE, health.READ_ONLY])
def test_health_is_a_503_if_the_database_cannot_be_used(state: str, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "database_state", lambda: state)
    answer = ApiClient()("GET", "/health", status=503)
    assert answer == {"status": "unavailable", "database": state}
    assert_matches(answer, responses_of("GET", "/health/")["503"])


def test_health_has_no_limit_of_requests(db: None, settings: Any) -> None:
    settings.API_RATE = 1
    for _ in range(3):
        ApiClient()("GET", "/health")


@pytest.mark.parametrize(
    ("accept", "is_json"),
    [
        ("application/json", True),
        (AXIOS, True),
        ("text/html;q=0.5, application/json", True),
        (BROWSER, False),
        ("*/*", False),
        ("text/html, application/json", False),
        ("image/png", False),
        ("", False),
    ],
)
def test_the_start_page_is_json_only_for_clients_that_prefer_it(accept: str, is_json: bool, live: Live) -> None:
    answer = live.call("GET", "/", Accept=accept)
    assert answer.status == 200
    assert "Accept" in answer.headers["Vary"]
    if is_json:
        assert json_body(answer) == {"message": "chatstore is running.", "version": "1", "docs": "/docs"}
        assert live.call("GET", json_body(answer)["docs"]).status == 200
    else:
        assert b"/accounts/login/" in answer.body  # type: ignore[attr-defined]
