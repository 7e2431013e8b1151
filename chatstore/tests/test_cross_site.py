"""The cross-site rule, with every combination of headers: in the API with a session cookie, at sign-in and in the
admin. Requests with a bearer token are exempt."""

from itertools import product
from typing import Any

import pytest
from django.middleware.csrf import _get_new_csrf_string
from django.test import Client
from pytest_django import Settings

from accounts import services
from accounts.models import ApiToken, User
from testing.api_client import create_user, sign_in

TRUSTED, FOREIGN, OWN = "https://app.example", "https://evil.example", "http://testserver"
SITES = (None, "same-origin", "same-site", "cross-site", "none")
ORIGINS = (None, OWN, TRUSTED, FOREIGN, "null")
TOKENS = (False, True)  # whether the request has a CSRF token
EVERY_CASE = list(product(SITES, ORIGINS, TOKENS))
WRITES = ("POST", "PUT", "PATCH", "DELETE")


def is_allowed(site: str | None, origin: str | None, token: bool) -> bool:
    """Return whether the cross-site rule in docs/architecture.md allows a request."""
    if site in ("same-origin", "none"):
        return True
    if site is not None:
        return origin == TRUSTED
    if origin is not None:
        return origin in (OWN, TRUSTED)
    return token


def test_is_allowed_gives_the_documented_result_in_the_most_important_cases() -> None:
    assert not is_allowed("cross-site", OWN, True)
    assert not is_allowed("cross-site", None, True)
    assert not is_allowed("same-site", FOREIGN, True)
    assert is_allowed("same-site", TRUSTED, False)
    assert not is_allowed(None, "null", True)
    assert not is_allowed(None, None, False)
    assert is_allowed(None, None, True)
    assert sum(is_allowed(*case) for case in EVERY_CASE) == 2 * 5 * 2 + 2 * 2 + 2 * 2 + 1


@pytest.fixture(autouse=True)
def trusted(settings: Settings) -> None:
    settings.ACCOUNT_RATE_LIMITS = False
    settings.CSRF_TRUSTED_ORIGINS = [TRUSTED, "https://*.partner.example"]


@pytest.fixture
def alice(db: None) -> User:
    return create_user("Alice", is_staff=True, is_superuser=True)


@pytest.fixture
def browser(alice: User) -> Client:
    client = Client(enforce_csrf_checks=True)
    sign_in(client, alice)
    return client


def headers(site: str | None, origin: str | None) -> dict[str, str]:
    values = {"Sec-Fetch-Site": site, "Origin": origin}
    return {name: value for name, value in values.items() if value is not None}


def set_csrf_cookie(client: Client) -> str:
    """Set Django's CSRF cookie and return the token that a request must send."""
    client.cookies["csrftoken"] = secret = _get_new_csrf_string()
    return secret


def write(client: Client, site: str | None, origin: str | None, token: bool, method: str = "POST") -> Any:
    path, body = ("tokens/", '{"name": "x"}') if method == "POST" else ("preferences/", '{"theme": "x"}')
    sent = headers(site, origin) | ({"X-CSRFToken": set_csrf_cookie(client)} if token else {})
    return client.generic(method, f"/api/v1/{path}", body, "application/json", headers=sent)


@pytest.mark.parametrize(("site", "origin", "token"), EVERY_CASE)
def test_the_rule_applies_to_the_api_with_a_session(
    site: str | None, origin: str | None, token: bool, browser: Client
) -> None:
    answer = write(browser, site, origin, token)
    if is_allowed(site, origin, token):
        assert answer.status_code == 201
    else:
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "cross_site")
    assert ApiToken.objects.exists() is is_allowed(site, origin, token)


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_the_rule_applies_to_every_method_that_writes(method: str, browser: Client) -> None:
    for site, origin, token in EVERY_CASE:
        expected = 200 if is_allowed(site, origin, token) else 403
        assert write(browser, site, origin, token, method).status_code == expected, (site, origin, token)


def test_a_session_can_read_with_any_headers(browser: Client) -> None:
    for site, origin, _ in EVERY_CASE:
        for method in ("GET", "HEAD", "OPTIONS"):
            answer = browser.generic(method, "/api/v1/me/", headers=headers(site, origin))
            assert answer.status_code == 200
            assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(("site", "origin", "token"), EVERY_CASE)
def test_the_rule_applies_to_the_admin(
    site: str | None, origin: str | None, token: bool, browser: Client, alice: User
) -> None:
    other = create_user("Bob")
    form = {"name": "Changed", "email": "bob@example.com"}
    if token:
        form["csrfmiddlewaretoken"] = set_csrf_cookie(browser)
    answer = browser.post(f"/admin/accounts/user/{other.pk}/edit/", form, headers=headers(site, origin))
    other.refresh_from_db()
    assert answer.status_code == (302 if is_allowed(site, origin, token) else 403)
    assert other.name == ("Changed" if is_allowed(site, origin, token) else "Bob")


@pytest.mark.parametrize(("site", "origin", "token"), EVERY_CASE)
def test_the_rule_applies_to_the_sign_in_page(site: str | None, origin: str | None, token: bool, alice: User) -> None:
    """Without the rule, another site could sign a visitor in as a different user."""
    client = Client(enforce_csrf_checks=True)
    form = {"login": "alice@example.com", "password": "wrong"}
    if token:
        form["csrfmiddlewaretoken"] = set_csrf_cookie(client)
    answer = client.post("/accounts/login/", form, headers=headers(site, origin))
    assert answer.status_code == (200 if is_allowed(site, origin, token) else 403)


@pytest.mark.parametrize(("site", "origin", "token"), EVERY_CASE)
def test_the_rule_applies_to_sign_in_by_the_headless_api(
    site: str | None, origin: str | None, token: bool, alice: User
) -> None:
    client = Client(enforce_csrf_checks=True)
    sent = headers(site, origin) | ({"X-CSRFToken": set_csrf_cookie(client)} if token else {})
    credentials = '{"email": "alice@example.com", "password": "wrong"}'
    answer = client.post("/_allauth/browser/v1/auth/login", credentials, "application/json", headers=sent)
    assert answer.status_code == (400 if is_allowed(site, origin, token) else 403)


@pytest.mark.parametrize("with_session", [False, True])
def test_the_rule_never_refuses_a_bearer_token(with_session: bool, browser: Client, alice: User) -> None:
    _, secret = services.create_token(user=alice, name="program")
    client = browser if with_session else Client(enforce_csrf_checks=True)
    for site, origin, _ in EVERY_CASE:
        sent = headers(site, origin) | {"Authorization": f"Bearer {secret}"}
        body = '{"theme": "x"}'
        answer = client.patch("/api/v1/preferences/", body, "application/json", headers=sent)
        assert answer.status_code == 200, (site, origin)


def test_a_bad_bearer_token_does_not_fall_back_to_the_session(browser: Client) -> None:
    sent = {"Authorization": "Bearer cs_junk", "Sec-Fetch-Site": "same-origin"}
    answer = browser.patch("/api/v1/preferences/", "{}", "application/json", headers=sent)
    assert answer.status_code == 401


def test_a_request_without_a_user_is_a_401_with_any_headers(db: None) -> None:
    for site, origin, token in EVERY_CASE:
        assert write(Client(enforce_csrf_checks=True), site, origin, token).status_code == 401


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://x.partner.example", 201),
        ("https://x.y.partner.example", 201),
        ("http://x.partner.example", 403),
        ("https://partner.example.evil.example", 403),
        ("https://evilpartner.example", 403),
        ("https://app.example.evil.example", 403),
        ("https://app.example:8443", 403),
        ("http://app.example", 403),
        ("HTTPS://APP.EXAMPLE", 403),
        ("https://app.example/", 403),
        ("", 403),
    ],
)
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_only_exact_matches_of_a_trusted_origin_are_allowed(
    site: str, origin: str, status: int, browser: Client
) -> None:
    assert write(browser, site, origin, True).status_code == status


@pytest.mark.parametrize("site", ["same-origin, cross-site", "Same-Origin", "junk", "cross-site, same-origin", " none"])
def test_unknown_values_of_sec_fetch_site_are_refused(site: str, browser: Client) -> None:
    assert write(browser, site, OWN, True).status_code == 403


@pytest.mark.parametrize("token", ["", "x" * 32, "x" * 64, "é"])
def test_a_wrong_csrf_token_is_refused(token: str, browser: Client) -> None:
    set_csrf_cookie(browser)
    answer = browser.post("/api/v1/tokens/", "{}", "application/json", headers={"X-CSRFToken": token})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "cross_site")


def test_a_cross_site_request_is_refused_before_its_body_is_parsed(browser: Client) -> None:
    for body in (b"{", b" " * 5_000_000):
        answer = browser.post("/api/v1/tokens/", body, "application/json", headers={"Sec-Fetch-Site": "cross-site"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "cross_site")
        answer = browser.post("/api/v1/tokens/", body, "application/json")
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "cross_site")
