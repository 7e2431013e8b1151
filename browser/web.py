"""Fixtures for tests of the web app: chatstore with a model that the test controls, and pages of signed-in users.

`model.behavior` decides what the model does (testing/fake_provider.py):

    gate = Event()
    model.behavior = streams("Hel", gate, "lo")    # sends "lo" when the test calls gate.set()
    model.behavior = streams("Hel", ends=False)    # breaks off in the middle
    model.behavior = streams({"reasoning": "Hm."}, "Hello.")
    model.behavior = streams(tool_call("weather", '{"city": "Lisbon"}'))
    model.behavior = streams_on(0.05)              # does not end
    model.behavior = fails(500)

The provider has two models, `openai` and `second`. `sign_in(alice, base_url=address)` opens the app of a chatstore
without a model, where only the built-in echo answers.
"""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, expect

from accounts.models import User
from testing import api_client, fake_provider, generator, scratch
from testing.fake_provider import FakeProvider, completes_with
from testing.live_server import random_ip_address, serving
from testing.outbox import Outbox

from .site import create_account

SignIn = Callable[..., Page]


class Problems(list[str]):
    """Problems that no page must have: errors and warnings in the console, exceptions, requests to another origin."""

    def __init__(self) -> None:
        super().__init__()
        self._expected: list[str] = []

    def watch(self, context: BrowserContext, origin: str) -> None:
        self.context = context
        context.on("console", lambda message: self._add_message(message))
        context.on("weberror", lambda error: self.append(str(error.error)))
        context.on("request", lambda request: self._add_address(request.url, origin))

    def expect(self, text: str) -> None:
        """Wait for a problem that contains this text. Forget all that do, also those that come later."""
        deadline = time.monotonic() + scratch.TIMEOUT
        while not any(text in problem for problem in self):
            assert time.monotonic() < deadline, f"no problem contains {text!r}: {self}"
            self.context.pages[0].wait_for_timeout(20)  # handles the events of all pages
        self[:] = [problem for problem in self if text not in problem]
        self._expected.append(text)

    def unexpected(self) -> list[str]:
        return [problem for problem in self if not any(text in problem for text in self._expected)]

    def _add_message(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.append(f"{message.text} ({message.location['url']})")

    def _add_address(self, url: str, origin: str) -> None:
        if not url.startswith((f"{origin}/", "data:", "blob:")):
            self.append(f"a request to {url}")


def tool_call(name: str, arguments: str, id: str = "call_1") -> dict[str, Any]:
    """Return the step in which the model calls a tool."""
    function = {"name": name, "arguments": arguments}
    return {"tool_calls": [{"index": 0, "id": id, "type": "function", "function": function}]}


def settings_of_models(provider: FakeProvider) -> dict[str, str]:
    """Return the environment variables of a chatstore whose models are those of the provider."""
    second = {"base_url": provider.base_url, "model": "second"}
    return {"OPENAI_BASE_URL": provider.base_url, "MODELS": json.dumps({"second": second})}


@pytest.fixture(scope="session")
def provider_of_models() -> Iterator[FakeProvider]:
    with fake_provider.running() as provider:
        yield provider


@pytest.fixture(scope="session")
def app_address(
    provider_of_models: FakeProvider, mails: Outbox, django_db_setup: None, django_db_blocker: Any
) -> Iterator[str]:
    """The address of a chatstore with models. Its generator also answers for all other servers on the test database."""
    if not (settings.WEB_APP / "app.html").exists():
        pytest.fail("web/dist is missing. Run: make web")
    models = settings_of_models(provider_of_models)
    answering = generator.process(**models, DJANGO_SETTINGS_MODULE="chatstore.settings")
    with django_db_blocker.unblock(), serving(PROXIES="1", EMAIL_URL=mails.url, **models) as live, answering:
        yield f"http://localhost:{live.port}"


@pytest.fixture
def model(provider_of_models: FakeProvider) -> FakeProvider:
    """The provider of the models. It answers "Fine.", unless the test chooses another behavior."""
    provider_of_models.behavior = completes_with("Fine.")
    provider_of_models.request_bodies.clear()
    return provider_of_models


@pytest.fixture
def problems() -> Iterator[Problems]:
    """The problems of all pages of the test. The test fails if there are any at its end.

    The browser writes responses with a status of 400 or more to the console. A test that causes one must expect it:
    `problems.expect("status of 503")`.
    """
    problems = Problems()
    yield problems
    if unexpected := problems.unexpected():
        pytest.fail("\n".join(unexpected))


@pytest.fixture
def alice(app_address: str) -> User:
    return User.objects.get(email=create_account())


@pytest.fixture
def bob(app_address: str) -> User:
    return User.objects.get(email=create_account())


@pytest.fixture
def sign_in(chromium: Browser, app_address: str, model: FakeProvider, problems: Problems) -> Iterator[SignIn]:
    """Open an empty page in a new browser context on which the user is signed in, as with a password a moment ago.

    Takes the user, or None for nobody, and options of the context, such as viewport, color_scheme and locale.
    """
    contexts: list[BrowserContext] = []

    def open_page(user: User | None, **options: Any) -> Page:
        headers = {"X-Forwarded-For": random_ip_address()}
        options = {"base_url": app_address, "extra_http_headers": headers, "reduced_motion": "reduce"} | options
        context = chromium.new_context(**options)
        contexts.append(context)
        context.set_default_timeout(scratch.TIMEOUT * 1000)
        problems.watch(context, options["base_url"])
        if user:
            cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session_of(user), "url": options["base_url"]}
            context.add_cookies([cookie])
        return context.new_page()

    expect.set_options(timeout=scratch.TIMEOUT * 1000)
    yield open_page
    for context in contexts:
        context.close()


def session_of(user: User) -> str:
    """Create a session in which allauth's pages do not ask for the password again. Return its key."""
    client = Client()
    client.force_login(user)
    session = client.session
    method = {"method": "password", "at": time.time(), "email": user.email}
    session["account_authentication_methods"] = [method]
    session["account_authentication_methods_user"] = session[SESSION_KEY]
    session.save()
    return str(session.session_key)


def sign_in_ten_minutes_ago(page: Page, user: User, address: str) -> None:
    """Sign the user in as ten minutes ago, so that the app asks for the password again."""
    client = Client()
    api_client.sign_in(client, user, seconds_ago=600)
    key = client.session.session_key
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": address}])


def change_user(page: Page, user: User, address: str) -> None:
    """Sign the user in, as in another tab of the same browser."""
    page.context.add_cookies([{"name": "sessionid", "value": session_of(user), "url": address}])


@pytest.fixture
def alice_page(sign_in: SignIn, alice: User) -> Page:
    return sign_in(alice)


@pytest.fixture
def bob_page(sign_in: SignIn, bob: User) -> Page:
    return sign_in(bob)


def composer(page: Page) -> Locator:
    return page.get_by_label("Message", exact=True)


def ask(page: Page, text: str) -> None:
    composer(page).fill(text)
    composer(page).press("Enter")


def messages(page: Page) -> Locator:
    return page.locator("article.message")


def last(page: Page) -> Locator:
    return messages(page).last
