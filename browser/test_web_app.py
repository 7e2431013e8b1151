"""The web app as a whole: its address, its answers of a model, and what its pages may not do."""

import json
from threading import Event
from typing import Any

from playwright.sync_api import Page, expect

from accounts.models import User
from testing.fake_provider import FakeProvider, fails, streams

from .web import Problems, SignIn, tool_call

ASK = """async (content) => {
    const headers = {"Content-Type": "application/json"};
    const body = JSON.stringify({content, stream: true});
    return await (await fetch("/api/v1/chat/", {method: "POST", headers, body})).text();
}"""


def ask(page: Page, question: str) -> list[Any]:
    """Ask the default model from the page. Return the data of the events."""
    lines = page.evaluate(ASK, question).splitlines()
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]


def status(events: list[Any]) -> str:
    return str(events[-1]["status"])


def test_the_app_opens_for_a_user_who_is_signed_in(alice_page: Page) -> None:
    alice_page.goto("/app/")
    expect(alice_page.get_by_role("main")).to_be_visible()
    assert alice_page.url.endswith("/app/")


def test_the_model_says_what_the_test_decides(alice_page: Page, model: FakeProvider) -> None:
    alice_page.goto("/app/")
    gate = Event()
    gate.set()
    model.behavior = streams({"reasoning": "Hm."}, "Hel", gate, "lo", tool_call("weather", "{}"))
    assert status(ask(alice_page, "Hello?")) == "completed"
    assert model.request_bodies[-1]["messages"][-1]["content"] == "Hello?"


def test_a_model_that_breaks_off_leaves_an_error(alice_page: Page, model: FakeProvider) -> None:
    alice_page.goto("/app/")
    model.behavior = streams("Hel", ends=False)
    assert status(ask(alice_page, "Hello?")) == "incomplete"
    model.behavior = fails(500)
    assert status(ask(alice_page, "Hello?")) == "failed"


def test_only_the_echo_answers_where_no_model_is_configured(sign_in: SignIn, alice: User, address: str) -> None:
    page = sign_in(alice, base_url=address)
    page.goto("/app/")
    assert "You said: Hello?" in "".join(event.get("text", "") for event in ask(page, "Hello?"))


def test_problems_of_a_page_are_found(alice_page: Page, problems: Problems, address: str) -> None:
    alice_page.goto("/app/")
    alice_page.evaluate("document.head.append(Object.assign(document.createElement('style'), {textContent: 'a{}'}))")
    problems.expect("Content Security Policy")
    alice_page.evaluate("setTimeout(() => { throw new Error('a bug') })")
    problems.expect("a bug")
    alice_page.evaluate("fetch('/api/v1/conversations/none/')")
    problems.expect("status of 404")
    alice_page.goto(f"{address}/livez")
    problems.expect(f"a request to {address}/livez")
