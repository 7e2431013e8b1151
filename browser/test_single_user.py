"""Single-user mode in a browser: pages without credentials, of an allowed origin and of others."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Page

from conversations.models import Conversation
from testing.api_client import create_user
from testing.generator import running as generating
from testing.live_server import serving

from .conftest import CHROMIUM, FLAGS

EMAIL = "ada@localhost"
REBOUND = "rebound.example"
FETCH = """async ([url, options]) => {
    const answer = await fetch(url, options);
    return [answer.status, answer.type === "opaque" ? null : await answer.json()];
}"""


@pytest.fixture(scope="module")
def address(front_end: str, django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    # ALLOWED_HOSTS is wider than chatstore.E005 allows, so that the browser can open a page with a rebound name.
    env = {"SINGLE_USER": EMAIL, "CORS_ALLOWED_ORIGINS": front_end, "CSRF_TRUSTED_ORIGINS": "", "ALLOWED_HOSTS": "*"}
    with django_db_blocker.unblock(), serving(**env) as live, generating():
        create_user("Ada", email=EMAIL)
        yield f"http://localhost:{live.port}"


@pytest.fixture
def headers() -> dict[str, str]:
    """Send no X-Forwarded-For, unlike other tests: the mode refuses forwarded requests."""
    return {}


def fetch(page: Page, url: str, **options: Any) -> Any:
    return page.evaluate(FETCH, [url, options])


def test_an_unmodified_front_end_reads_and_writes_without_credentials(
    page: Page,
    front_end: str,
    address: str,
) -> None:
    page.goto(front_end)
    assert fetch(page, f"{address}/api/auth/session")[1]["user"]["email"] == EMAIL
    body = '{"message": "Hello", "model": "echo"}'
    assert fetch(page, f"{address}/api/chat", method="POST", body=body)[0] == 200
    json = {"Content-Type": "application/json"}
    assert fetch(page, f"{address}/api/v1/conversations/", method="POST", body="{}", headers=json)[0] == 201
    assert fetch(page, f"{address}/api/conversations")[0] == 200


def test_a_page_of_another_site_reads_and_writes_nothing(
    page: Page,
    front_end: str,
    address: str,
    console_errors: list[str],
) -> None:
    page.goto(front_end.replace("localhost", "127.0.0.1"))
    before = Conversation.objects.count()
    with pytest.raises(Error, match="Failed to fetch"):
        fetch(page, f"{address}/api/v1/me/")
    body = '{"message": "Evil", "model": "echo"}'
    assert fetch(page, f"{address}/api/chat", method="POST", body=body, mode="no-cors") == [0, None]
    field = """<input name='{"message":"Evil' value='"}'>"""  # the form's body is JSON
    page.set_content(f"<form method=post enctype=text/plain action='{address}/api/chat'>{field}")
    with page.expect_navigation() as navigation:
        page.evaluate("document.forms[0].submit()")
    assert navigation.value.status == 403
    assert page.goto(f"{address}/api/v1/me/").status == 200  # a person has typed this address
    assert Conversation.objects.count() == before
    console_errors.clear()


def test_a_page_with_a_rebound_name_reads_nothing(chromium: Browser, address: str) -> None:
    browser = chromium.browser_type.launch(
        executable_path=CHROMIUM, args=[*FLAGS, f"--host-resolver-rules=MAP {REBOUND} 127.0.0.1"]
    )
    page = browser.new_page()
    page.goto(address.replace("localhost", REBOUND))
    assert page.title() == "Welcome · chatstore"
    status, answer = fetch(page, "/api/v1/me/")
    assert (status, answer["error"]["code"]) == (403, "single_user")
    browser.close()
