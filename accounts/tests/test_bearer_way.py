"""The straight way of requests with a bearer token (BearerMiddleware): what it keeps, and that it opens nothing."""

from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver
from pytest_django import Settings

from accounts.api.base import APIView
from accounts.authentication import BearerAuthentication
from accounts.middleware import takes_tokens_first
from accounts.models import User
from testing.api_client import ApiClient, create_user, sign_in
from testing.routes import routes
from testing.statements import executed_sql

JUNK = {"Authorization": "Bearer cs_junk"}
CROSS_SITE = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
PAGES = ["/", "/docs/", "/api/docs/", "/admin/", "/accounts/email/", "/accounts/login/", "/nothing/", "/api/nothing/"]
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


@pytest.fixture
def alice(db: None) -> User:
    return create_user("Alice", is_staff=True, is_superuser=True)


@pytest.fixture
def browser(alice: User) -> Client:
    client = Client(enforce_csrf_checks=True)
    sign_in(client, alice)
    return client


def header_values(answer: Any, names: Any) -> dict[str, str | None]:
    return {name: answer.headers.get(name) for name in names}


def test_only_views_of_the_api_that_look_for_a_bearer_token_first_are_open() -> None:
    views = dict(routes(get_resolver().url_patterns))
    open_routes = {route for route, view in views.items() if takes_tokens_first(view)}
    assert len(open_routes) > 30
    for route in open_routes:
        cls: Any = views[route].cls  # type: ignore[attr-defined]
        assert route.startswith("api/"), route
        assert issubclass(cls, APIView), route
        assert cls.authentication_classes[0] is BearerAuthentication, route
        assert "authentication_classes" not in views[route].initkwargs, route  # type: ignore[attr-defined]


def test_pages_the_admin_and_the_routes_of_sessions_are_not_open() -> None:
    views = dict(routes(get_resolver().url_patterns))
    closed = ("", "docs/", "api/docs/", "api/schema/", "api/auth/csrf/", "api/auth/signout/", "health/")
    assert [route for route in closed if takes_tokens_first(views[route])] == []
    elsewhere = [route for route in views if route.startswith(("admin/", "accounts/", "_allauth/"))]
    assert len(elsewhere) > 80
    assert [route for route in elsewhere if takes_tokens_first(views[route])] == []


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_the_same_with_a_bearer_header(path: str, browser: Client) -> None:
    names = [*SECURITY_HEADERS, "Vary", "Content-Type", "Location"]
    without, with_header = browser.get(path), browser.get(path, headers=JUNK)
    assert with_header.status_code == without.status_code
    assert header_values(with_header, names) == header_values(without, names)


@pytest.mark.parametrize(
    "path", ["/admin/logout/", "/accounts/logout/", "/accounts/email/", "/_allauth/browser/v1/auth/session"]
)
def test_a_bearer_header_does_not_lift_the_cross_site_rule(path: str, browser: Client) -> None:
    method = "DELETE" if path.startswith("/_allauth/") else "POST"
    assert browser.generic(method, path, headers=CROSS_SITE | JUNK).status_code == 403


def test_a_junk_token_gives_nobody_the_rights_of_a_session(browser: Client) -> None:
    for route, view in routes(get_resolver().url_patterns):
        if takes_tokens_first(view) and "<" not in route:
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
                answer = browser.generic(method, f"/{route}", b"{}", "application/json", headers=JUNK)
                assert answer.status_code == 401, (method, route, answer.content)


def test_a_request_with_a_token_neither_reads_nor_sets_a_session(browser: Client) -> None:
    bob = ApiClient(create_user("Bob"))
    with executed_sql() as statements:
        answer = browser.get("/api/v1/me/", headers=bob.headers)
    assert answer.json()["name"] == "Bob"
    assert not [sql for sql in statements if "django_session" in sql]
    assert not answer.cookies
    assert "Cookie" not in answer.headers["Vary"]


@pytest.mark.parametrize(("path", "status"), [("me/", 200), ("conversations/?limit=x", 400), ("stats/?x=%00", 200)])
def test_the_responses_have_all_security_headers(path: str, status: int, alice: User) -> None:
    client = ApiClient(alice)
    client("GET", path, status=status)
    assert header_values(client.answer, SECURITY_HEADERS) == SECURITY_HEADERS


def test_refused_tokens_and_failures_have_all_security_headers(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    client = ApiClient(alice)
    client("GET", "me/", status=401, **JUNK)
    assert header_values(client.answer, SECURITY_HEADERS) == SECURITY_HEADERS
    monkeypatch.setattr("accounts.api.views.MeView.get", lambda *_, **__: 1 / 0)
    client("GET", "me/", status=500)
    assert header_values(client.answer, SECURITY_HEADERS) == SECURITY_HEADERS


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_can_be_written_in_any_case(scheme: str, alice: User) -> None:
    client = ApiClient(alice)
    client.headers["Authorization"] = client.headers["Authorization"].replace("Bearer", scheme)
    client("GET", "me/")
    assert client.answer.headers["Content-Security-Policy"] == SECURITY_HEADERS["Content-Security-Policy"]


def test_errors_are_in_the_language_of_the_request(alice: User) -> None:
    client = ApiClient(alice)
    error = client("GET", "conversations/?limit=x", status=400, Accept_Language="de")["error"]
    assert error["message"] == "Muss eine ganze Zahl von 1 bis 100 sein."
    assert client.answer.headers["Content-Language"] == "de"
    assert "Accept-Language" in client.answer.headers["Vary"]


def test_front_ends_on_other_origins_can_read_the_responses(alice: User, settings: Settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example"]
    client = ApiClient(alice)
    client("GET", "me", Origin="https://app.example")  # without the slash at the end
    assert client.answer.headers["Access-Control-Allow-Origin"] == "https://app.example"
    client("GET", "me", Origin="https://evil.example")
    assert "Access-Control-Allow-Origin" not in client.answer.headers


def test_a_wrong_host_is_refused(alice: User) -> None:
    client = ApiClient(alice)
    assert client.status_of("GET", "me/", Host="evil.example") == 400
