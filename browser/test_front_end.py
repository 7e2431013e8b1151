"""Tests of a single-page app on its own origin, with the settings that docs/sign-in.md describes."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Error, Page

from testing.live_server import serving

from .site import PASSWORD, create_account

FETCH = """async ([method, url, body]) => {
    const headers = {"Content-Type": "application/json"};
    const answer = await fetch(url, {method, headers, body: body && JSON.stringify(body), credentials: "include"});
    return [answer.status, await answer.json()];
}"""


@pytest.fixture(scope="module")
def address(front_end: str, django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    env = dict.fromkeys(["CORS_ALLOWED_ORIGINS", "CSRF_TRUSTED_ORIGINS"], front_end)
    with django_db_blocker.unblock(), serving(**env) as live:
        yield f"http://localhost:{live.port}"


@pytest.fixture
def headers() -> dict[str, str]:
    """Send no X-Forwarded-For, unlike other tests: the CORS settings do not allow it."""
    return {}


def fetch(page: Page, method: str, url: str, body: Any = None) -> Any:
    return page.evaluate(FETCH, [method, url, body])


def test_a_front_end_on_its_own_origin_signs_in_reads_and_writes(
    page: Page, front_end: str, address: str, console_errors: list[str]
) -> None:
    email = create_account()
    page.goto(front_end)
    assert fetch(page, "GET", f"{address}/api/v1/me/")[0] == 401
    credentials = {"email": email, "password": PASSWORD}
    assert fetch(page, "POST", f"{address}/_allauth/browser/v1/auth/login", credentials)[0] == 200
    assert fetch(page, "GET", f"{address}/api/v1/me/")[1]["email"] == email
    status, chat = fetch(page, "POST", f"{address}/api/v1/conversations/", {"title": "From elsewhere"})
    assert (status, chat["title"]) == (201, "From elsewhere")
    console_errors.clear()  # the expected 401


def test_the_sign_in_page_leads_back_to_a_front_end_on_its_own_origin(
    page: Page, front_end: str, address: str, console_errors: list[str]
) -> None:
    page.goto(f"{address}/accounts/login/?next={quote(front_end)}/")
    page.locator("input[name=login]").fill(create_account())
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Sign In", exact=True).click()
    page.wait_for_url(f"{front_end}/")
    console_errors.clear()  # the front end has no icon


def test_a_front_end_signs_in_without_cookies(page: Page, front_end: str, address: str) -> None:
    email = create_account()
    page.goto(front_end)
    credentials = {"email": email, "password": PASSWORD}
    response = fetch(page, "POST", f"{address}/_allauth/app/v1/auth/login", credentials)[1]
    code = 'async ([url, token]) => (await (await fetch(url, {headers: {"X-Session-Token": token}})).json()).email'
    assert page.evaluate(code, [f"{address}/api/v1/me/", response["meta"]["session_token"]]) == email


def test_an_origin_that_is_not_allowed_is_refused(
    page: Page, front_end: str, address: str, console_errors: list[str]
) -> None:
    page.goto(front_end.replace("localhost", "127.0.0.1"))
    with pytest.raises(Error, match="Failed to fetch"):
        fetch(page, "GET", f"{address}/api/v1/me/")
    with pytest.raises(Error, match="Failed to fetch"):
        fetch(
            page, "POST", f"{address}/_allauth/browser/v1/auth/login", {"email": create_account(), "password": PASSWORD}
        )
    console_errors.clear()
