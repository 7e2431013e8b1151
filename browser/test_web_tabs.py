"""The web app in two tabs or on two devices, with sessions that end, and with connections that are silent."""

import re
from threading import Event
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from accounts.models import User
from conversations.models import Conversation, Message
from testing.cast import create_conversation
from testing.fake_provider import FakeProvider, streams, streams_on

from .site import PASSWORD
from .web import Problems, SignIn, ask, change_user, composer, last

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def chat(alice: User) -> Conversation:
    return create_conversation(alice, "Where should I stay?", "In Alfama.", title="Lisbon")


def open_twice(page: Page, path: str) -> Page:
    """Open an address in this tab and in another one, and return the other one."""
    page.goto(path)
    other = page.context.new_page()
    other.goto(path)
    return other


def come_back(page: Page) -> None:
    """Do what the browser does when the user comes back to the tab."""
    page.evaluate("window.dispatchEvent(new Event('visibilitychange'))")


def test_a_draft_that_one_tab_sends_is_gone_in_the_other(alice_page: Page, alice: User, chat: Conversation) -> None:
    alice_page.goto(f"/app/c/{chat.id}")
    composer(alice_page).fill("Once?")
    other = alice_page.context.new_page()
    other.goto(f"/app/c/{chat.id}")
    expect(composer(other)).to_have_value("Once?")
    composer(alice_page).press("Enter")
    expect(last(alice_page)).to_contain_text("Fine.")
    expect(composer(other)).to_have_value("")
    assert Message.objects.filter(user=alice, content="Once?").count() == 1


def test_a_reply_that_one_tab_stops_ends_in_the_other(
    alice_page: Page, chat: Conversation, model: FakeProvider
) -> None:
    model.behavior = streams_on(0.05)
    other = open_twice(alice_page, f"/app/c/{chat.id}")
    ask(alice_page, "Go on.")
    expect(last(other)).to_contain_text("more more")
    other.get_by_role("button", name="Stop", exact=True).click()
    for page in (alice_page, other):
        expect(last(page)).to_contain_text("Stopped")
        expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()


def test_a_silent_connection_is_replaced_and_the_reply_goes_on(
    alice_page: Page, chat: Conversation, model: FakeProvider
) -> None:
    gate = Event()
    model.behavior = streams("One ", gate, "two.")
    alice_page.clock.install()
    alice_page.goto(f"/app/c/{chat.id}")
    ask(alice_page, "Count.")
    expect(last(alice_page)).to_contain_text("One")
    with alice_page.expect_request(re.compile(r"/stream/\?after=[1-9]")):
        alice_page.clock.fast_forward("01:00")
    gate.set()
    expect(last(alice_page)).to_contain_text("One two.")


def test_a_title_that_another_device_changes_is_seen_after_coming_back(
    alice_page: Page, sign_in: SignIn, alice: User, chat: Conversation
) -> None:
    alice_page.goto(f"/app/c/{chat.id}")
    expect(alice_page).to_have_title("Lisbon · chatstore")
    other = sign_in(alice)
    other.goto("/app/")
    row = other.get_by_role("link", name="Lisbon")
    row.focus()
    row.press("F2")
    other.get_by_label("Title").fill("Porto")
    with other.expect_response(lambda response: response.request.method == "PATCH"):
        other.keyboard.press("Enter")
    come_back(alice_page)
    expect(alice_page).to_have_title("Porto · chatstore")
    expect(alice_page.get_by_role("link", name="Porto")).to_be_visible()


def test_a_page_that_the_end_of_the_session_has_stopped_goes_on_after_the_sign_in(
    alice_page: Page, alice: User, chat: Conversation, app_address: str, problems: Problems
) -> None:
    alice_page.goto("/app/")
    expect(alice_page.get_by_role("link", name="Lisbon")).to_be_visible()
    alice_page.context.clear_cookies()
    # Not `click`, because the dialog covers the link if another request was refused before.
    alice_page.get_by_role("link", name="Lisbon").dispatch_event("click")
    expect(alice_page.get_by_role("dialog", name="You are signed out")).to_be_visible()
    change_user(alice_page, alice, app_address)
    alice_page.get_by_role("button", name="I have signed in").click()
    expect(last(alice_page)).to_contain_text("In Alfama.")
    problems.expect("status of 401")


def test_another_person_who_signs_in_gets_a_page_without_anything_of_the_first(
    alice_page: Page, bob: User, chat: Conversation, app_address: str, problems: Problems
) -> None:
    alice_page.goto(f"/app/c/{chat.id}")
    expect(last(alice_page)).to_contain_text("In Alfama.")
    alice_page.context.clear_cookies()
    come_back(alice_page)
    expect(alice_page.get_by_role("dialog", name="You are signed out")).to_be_visible()
    change_user(alice_page, bob, app_address)
    alice_page.get_by_role("button", name="I have signed in").click()
    expect(alice_page.get_by_role("heading", name="Another user is signed in")).to_be_visible()
    alice_page.get_by_role("link", name="Open the page of this user").click()
    expect(alice_page.get_by_text("No conversations yet")).to_be_visible()
    expect(alice_page.get_by_text("Lisbon")).to_have_count(0)
    problems.expect("status of 401")


@pytest.mark.parametrize("path", ["c/{id}", "search?q=Alfama", "settings/account"])
def test_nothing_of_the_first_user_is_readable_while_another_user_is_signed_in(
    path: str, alice_page: Page, alice: User, bob: User, chat: Conversation, app_address: str, problems: Problems
) -> None:
    alice_page.goto(f"/app/{path.format(id=chat.id)}")
    expect(alice_page.get_by_role("navigation", name="Conversations").get_by_text("Lisbon")).to_be_visible()
    expect(alice_page.get_by_text(alice.email).first).to_be_visible()
    alice_page.keyboard.press("Control+k")
    expect(alice_page.get_by_role("dialog", name="Search and commands")).to_be_visible()
    change_user(alice_page, bob, app_address)
    come_back(alice_page)
    expect(alice_page.get_by_role("heading", name="Another user is signed in")).to_be_visible()
    expect(alice_page.locator("main")).to_be_focused()
    for _ in range(2):
        expect(alice_page).to_have_title("chatstore")
        expect(alice_page).to_have_url(f"{app_address}/app")
        for text in ("Lisbon", "Alfama", alice.email):
            assert text not in alice_page.content()
        expect(alice_page.get_by_role("dialog")).to_have_count(0)
        alice_page.keyboard.press("Escape")  # nothing brings the page back
        come_back(alice_page)
    problems.expect("status of 401")


def test_the_page_of_the_first_user_stays_hidden_when_a_late_response_says_that_the_session_has_ended(
    alice_page: Page, bob: User, chat: Conversation, app_address: str, problems: Problems
) -> None:
    alice_page.goto(f"/app/c/{chat.id}")
    expect(last(alice_page)).to_contain_text("In Alfama.")
    late: list[Route] = []
    alice_page.route(re.compile(r"/conversations/\?"), lambda route: late.append(route))
    change_user(alice_page, bob, app_address)
    come_back(alice_page)
    expect(alice_page.get_by_role("heading", name="Another user is signed in")).to_be_visible()
    alice_page.context.clear_cookies()
    error: Any = {"error": {"code": "not_authenticated", "message": "Not signed in.", "field": None, "details": []}}
    for route in late:
        route.fulfill(status=401, json=error)
    alice_page.wait_for_timeout(500)
    assert late
    expect(alice_page.get_by_role("heading", name="Another user is signed in")).to_be_visible()
    expect(alice_page.get_by_text("In Alfama.")).to_have_count(0)
    problems.expect("status of 401")


def test_a_draft_of_the_first_user_is_not_offered_to_the_other_user_and_is_not_lost(
    alice_page: Page, alice: User, bob: User, chat: Conversation, app_address: str, problems: Problems
) -> None:
    alice_page.goto(f"/app/c/{chat.id}")
    composer(alice_page).fill("A draft about Alfama")
    alice_page.get_by_role("link", name="New conversation").first.click()
    composer(alice_page).fill("A draft of a new conversation")
    change_user(alice_page, bob, app_address)
    come_back(alice_page)
    alice_page.get_by_role("link", name="Open the page of this user").click()
    expect(alice_page.get_by_text(bob.email)).to_be_visible()
    expect(composer(alice_page)).to_have_value("")
    alice_page.go_back()
    expect(alice_page.get_by_text(bob.email)).to_be_visible()
    expect(composer(alice_page)).to_have_value("")
    change_user(alice_page, alice, app_address)
    alice_page.goto("/app/")
    expect(composer(alice_page)).to_have_value("A draft of a new conversation")
    alice_page.goto(f"/app/c/{chat.id}")
    expect(composer(alice_page)).to_have_value("A draft about Alfama")
    problems.expect("status of 401")


def test_an_erased_account_leaves_no_draft_and_its_other_tab_says_that_the_session_has_ended(
    alice_page: Page, alice: User, chat: Conversation, problems: Problems
) -> None:
    other = open_twice(alice_page, f"/app/c/{chat.id}")
    composer(other).fill("A secret of Alice")
    alice_page.goto("/app/settings/data")
    alice_page.get_by_role("button", name="Erase the account…").click()
    dialog = alice_page.get_by_role("dialog")
    dialog.get_by_label("Type").fill(str(alice.email))
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Erase permanently").click()
    expect(alice_page.get_by_role("link", name="Sign up")).to_be_visible()
    assert "A secret of Alice" not in str(alice_page.evaluate("JSON.stringify(localStorage)"))
    come_back(other)
    expect(other.get_by_role("dialog", name="You are signed out")).to_be_visible()
    problems.expect("status of 401")
