"""Debian's chromium, a live chatstore, and an OpenID Connect provider, all on loopback."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connections
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from testing import scratch
from testing.live_server import an_address, serving
from testing.outbox import Outbox, outbox

from .site import Site

# Playwright runs an event loop in this thread, where Django would then refuse to ask the database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
CHROMIUM = "/usr/bin/chromium"
FLAGS = """--no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync
    --no-first-run""".split()


@pytest.fixture
def quick_passwords() -> None:
    """The server hashes as it does in production."""


class Provider:
    """oidc-provider-mock, which signs in whomever it is told of."""

    def __init__(self, url: str) -> None:
        self.url = url

    def knows(self, sub: str, **claims: Any) -> None:
        body = json.dumps(claims).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/users/{quote(sub)}", body, headers, method="PUT")
        urllib.request.urlopen(request, timeout=scratch.PATIENCE).close()


@contextmanager
def running(module: str, *arguments: str, probe: str) -> Iterator[None]:
    """A module of Python's that serves, until it is no longer needed."""
    quiet: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([sys.executable, "-m", module, *arguments], **quiet)
    try:
        scratch.eventually(lambda: answers(probe))
        yield
    finally:
        process.terminate()
        process.wait(timeout=scratch.PATIENCE)


def answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=scratch.PATIENCE).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="session")
def provider() -> Iterator[Provider]:
    port = str(scratch.free_port())
    url = f"http://localhost:{port}"
    with running("oidc_provider_mock", "--port", port, probe=f"{url}/.well-known/openid-configuration"):
        yield Provider(url)


@pytest.fixture(scope="session")
def mails() -> Iterator[Outbox]:
    with outbox() as mails:
        yield mails


@pytest.fixture(scope="session")
def address(provider: Provider, mails: Outbox, django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    knobs = {
        "EMAIL_URL": mails.url,
        "OIDC_CLIENT_ID": "chatstore",
        "OIDC_CLIENT_SECRET": "a secret",
        "OIDC_SERVER_URL": provider.url,
        "OIDC_NAME": "Example ID",
        "REQUIRE_STAFF_MFA": "true",
        "PROXIES": "1",
    }
    with django_db_blocker.unblock(), serving(**knobs) as live:
        yield f"http://localhost:{live.port}"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
        connections.close_all()  # Django's beside an event loop are not those without


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """What the console says, refusals by the content security policy among it; a test that leaves any fails."""
    heard: list[str] = []
    yield heard
    assert heard == []


@pytest.fixture
def headers() -> dict[str, str]:
    return {"X-Forwarded-For": an_address()}


@pytest.fixture
def context(
    chromium: Browser, address: str, headers: dict[str, str], complaints: list[str]
) -> Iterator[BrowserContext]:
    context = chromium.new_context(base_url=address, extra_http_headers=headers)
    context.set_default_timeout(scratch.PATIENCE * 1000)
    # The provider's pages, which load styles from elsewhere, are none of ours.
    ours = f"{address}/"
    context.on("console", lambda said: complaints.append(said.text) if _is_bad(said, ours) else None)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def site(page: Page, mails: Outbox) -> Site:
    return Site(page, mails)


def _is_bad(said: ConsoleMessage, ours: str) -> bool:
    return said.type in ("error", "warning") and said.location["url"].startswith(ours)
