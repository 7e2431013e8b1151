"""Fixtures: Debian's chromium, a live chatstore and an OpenID Connect provider, all on loopback.

The fixtures for the web app are in web.py."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth import SESSION_KEY
from django.db import connections
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from accounts.models import User
from testing import scratch
from testing.live_server import random_ip_address, serving
from testing.outbox import Outbox, outbox

from .site import Site, create_account
from .web import alice, alice_page, app_address, bob, bob_page, model, problems, provider_of_models, sign_in

__all__ = [
    "alice",
    "alice_page",
    "app_address",
    "bob",
    "bob_page",
    "model",
    "problems",
    "provider_of_models",
    "sign_in",
]
# Playwright runs an event loop in this thread, and Django refuses database access in a thread with an event loop.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
CHROMIUM = "/usr/bin/chromium"
FLAGS = """--no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync
    --no-first-run""".split()


@pytest.fixture
def quick_passwords() -> None:
    """Override the fixture of the other tests, so that passwords are hashed as in production."""


class Provider:
    """An identity provider (oidc-provider-mock). It signs in the users that a test registers."""

    def __init__(self, url: str) -> None:
        self.url = url

    def register(self, sub: str, **claims: Any) -> None:
        body = json.dumps(claims).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/users/{quote(sub)}", body, headers, method="PUT")
        urllib.request.urlopen(request, timeout=scratch.TIMEOUT).close()


@contextmanager
def running(module: str, *arguments: str, probe: str) -> Iterator[None]:
    """Start a Python module that is a server, wait until it answers at `probe`, and stop it at the end of the block."""
    quiet: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([sys.executable, "-m", module, *arguments], **quiet)
    try:
        scratch.wait_until(lambda: is_answering(probe))
        yield
    finally:
        process.terminate()
        process.wait(timeout=scratch.TIMEOUT)


def is_answering(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=scratch.TIMEOUT).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="session")
def provider() -> Iterator[Provider]:
    port = str(scratch.free_port())
    url = f"http://localhost:{port}"
    with running("oidc_provider_mock", "--port", port, probe=f"{url}/.well-known/openid-configuration"):
        yield Provider(url)


@pytest.fixture(scope="module")
def front_end(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve an empty page on its own origin."""
    folder, port = tmp_path_factory.mktemp("front end"), str(scratch.free_port())
    (folder / "index.html").write_text("<!doctype html>")
    url = f"http://localhost:{port}"
    with running("http.server", port, "--bind", "127.0.0.1", "--directory", str(folder), probe=url):
        yield url


@pytest.fixture(scope="session")
def mails() -> Iterator[Outbox]:
    with outbox() as mails:
        yield mails


@pytest.fixture(scope="session")
def address(provider: Provider, mails: Outbox, django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    env = {
        "EMAIL_URL": mails.url,
        "OIDC_CLIENT_ID": "chatstore",
        "OIDC_CLIENT_SECRET": "a secret",
        "OIDC_SERVER_URL": provider.url,
        "OIDC_NAME": "Example ID",
        "REQUIRE_STAFF_MFA": "true",
        "PROXIES": "1",
    }
    with django_db_blocker.unblock(), serving(**env) as live:
        yield f"http://localhost:{live.port}"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
        # Django has separate connections for code in an event loop. They can be closed only while the loop runs.
        connections.close_all()


@pytest.fixture
def console_errors() -> Iterator[list[str]]:
    """Collect uncaught exceptions of scripts, and the console's errors and warnings, such as violations of the content
    security policy.

    A test fails if the list is not empty at its end.
    """
    errors: list[str] = []
    yield errors
    assert errors == []


@pytest.fixture
def headers() -> dict[str, str]:
    return {"X-Forwarded-For": random_ip_address()}


@pytest.fixture
def context(
    chromium: Browser, address: str, headers: dict[str, str], console_errors: list[str]
) -> Iterator[BrowserContext]:
    context = chromium.new_context(base_url=address, extra_http_headers=headers)
    context.set_default_timeout(scratch.TIMEOUT * 1000)
    # The provider's pages load styles from other sites, so messages in their console are ignored.
    own_pages = f"{address}/"
    context.on(
        "console", lambda message: console_errors.append(message.text) if _is_error(message, own_pages) else None
    )
    context.on("weberror", lambda error: console_errors.append(str(error.error)))
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def site(page: Page, mails: Outbox) -> Site:
    return Site(page, mails)


def _is_error(message: ConsoleMessage, own_pages: str) -> bool:
    return message.type in ("error", "warning") and message.location["url"].startswith(own_pages)


@pytest.fixture
def reader(context: BrowserContext, page: Page, address: str) -> Page:
    """The page of a superuser who has signed in to the admin with a second factor."""
    user = User.objects.get(email=create_account())
    user.is_staff = user.is_superuser = True
    user.save()
    Authenticator.objects.create(user=user, type="totp", data={"secret": "unused"})
    client = Client()
    client.force_login(user)
    session = client.session
    session["account_authentication_methods"] = [{"method": "mfa", "type": "totp", "at": time.time()}]
    session["account_authentication_methods_user"] = session[SESSION_KEY]
    session.save()
    context.add_cookies([{"name": "sessionid", "value": session.session_key, "url": address}])
    return page


@pytest.fixture
def requests(page: Page) -> list[str]:
    """Collect the addresses that the page loads."""
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    return urls
