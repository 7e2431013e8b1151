"""One person's way through the web app, from the sign-up to an export, with a model that streams and with the echo."""

import json
import re
from threading import Event

import pytest
from playwright.sync_api import Locator, Page, expect

from testing.fake_provider import FakeProvider, completes_with, streams
from testing.outbox import Outbox

from .site import PASSWORD, Site, create_account, new_address
from .web import Problems, SignIn


class Person:
    """A person who uses the app. Each action waits until its result is visible."""

    def __init__(self, page: Page, mails: Outbox) -> None:
        self.page = page
        self.site = Site(page, mails)
        self.composer = page.get_by_label("Message", exact=True)
        self.messages = page.locator("article.message")

    def sign_up(self) -> None:
        email = new_address()
        self.page.goto("/")
        self.page.get_by_role("link", name="Sign up").first.click()
        self.site.fill(email=email, password1=PASSWORD, password2=PASSWORD)
        self.site.fill(code=self.site.mails.code(email))
        expect(self.page).to_have_url(re.compile(r"/app/$"))

    def sign_in(self) -> None:
        self.page.goto("/")
        self.page.get_by_role("link", name="Sign in").first.click()
        self.site.fill(login=create_account(), password=PASSWORD)
        expect(self.page).to_have_url(re.compile(r"/app/$"))

    def ask(self, question: str) -> None:
        self.composer.fill(question)
        self.composer.press("Enter")
        expect(self.messages.filter(has_text=question).first).to_be_visible()
        expect(self.page).to_have_url(re.compile("/app/c/"))

    def press(self, name: str, within: Locator | Page | None = None) -> None:
        (within or self.page).get_by_role("button", name=name, exact=True).click()

    def edit(self, question: str, changed: str) -> None:
        message = self.messages.filter(has_text=question)
        message.hover()
        self.press("Edit the message", message)
        field = self.page.get_by_role("textbox", name="Edit the message")
        field.fill(changed)
        field.press("Control+Enter")
        expect(self.messages.first).to_contain_text(changed)

    def switch_branch(self, name: str) -> None:
        """Press `Previous branch` or `Next branch` at the first message."""
        self.messages.first.hover()
        self.press(name, self.messages.first)

    def search(self, words: str) -> None:
        self.page.keyboard.press("Control+k")
        self.page.get_by_role("dialog").get_by_role("combobox").fill(words)
        self.page.get_by_role("dialog").get_by_role("combobox").press("Enter")
        self.page.get_by_role("main").get_by_role("link").filter(has_text=words).click()
        expect(self.page).to_have_url(re.compile("/app/c/"))

    def share(self) -> str:
        """Create a link to the first conversation in the sidebar and return it."""
        self.choose("Share…")
        dialog = self.page.get_by_role("dialog", name="Share")
        self.press("Create a link", dialog)
        link = dialog.get_by_label("Link", exact=True).input_value()
        self.page.keyboard.press("Escape")
        return link

    def choose(self, *names: str) -> None:
        """Open the menu of the first conversation in the sidebar and choose these items, one after the other."""
        row = self.page.get_by_role("navigation", name="Conversations").locator(".row").first
        row.hover()
        row.get_by_role("button", name="Actions").click()
        for name in names:
            self.page.get_by_role("menuitem", name=name, exact=True).click()

    def titles(self) -> Locator:
        return self.page.get_by_role("navigation", name="Conversations").locator(".row")


@pytest.fixture
def person(sign_in: SignIn, mails: Outbox) -> Person:
    return Person(sign_in(None), mails)


def test_a_person_signs_up_chats_reloads_edits_searches_shares_deletes_restores_and_exports(
    person: Person, model: FakeProvider, sign_in: SignIn, problems: Problems
) -> None:
    person.sign_up()

    gate = Event()
    model.behavior = streams("In Alfama, ", gate, "if hills are fine.")
    person.ask("Where should I stay in Lisbon?")
    expect(person.messages.last).to_contain_text("In Alfama,")
    person.page.reload()
    expect(person.messages.last).to_contain_text("In Alfama,")
    gate.set()
    expect(person.messages.last).to_contain_text("In Alfama, if hills are fine.")
    expect(person.messages).to_have_count(2)

    model.behavior = completes_with("In Ribeira, by the river.")
    person.edit("Where should I stay in Lisbon?", "Where should I stay in Porto?")
    expect(person.messages.last).to_contain_text("In Ribeira")
    person.switch_branch("Previous branch")
    expect(person.messages.last).to_contain_text("In Alfama")

    person.page.get_by_role("link", name="New conversation").click()
    expect(person.messages).to_have_count(0)
    person.search("Ribeira")
    expect(person.messages.last).to_contain_text("In Ribeira")
    problems.expect("status of 409")  # the message is on another branch, so the app displays this branch

    stranger = sign_in(None)
    stranger.goto(person.share())
    expect(stranger.locator("article").last).to_contain_text("In Ribeira")

    person.choose("Move to the trash")
    person.press("Undo")
    expect(person.titles()).to_have_count(1)
    person.choose("Move to the trash")
    expect(person.titles()).to_have_count(0)
    person.page.get_by_role("link", name="Trash").click()
    person.page.get_by_role("button", name=re.compile("^Restore “")).click()
    expect(person.titles()).to_have_count(1)

    with person.page.expect_download() as download:
        person.choose("Export", "JSON")
    exported = json.loads(download.value.path().read_text())
    assert "In Ribeira, by the river." in json.dumps(exported) and "if hills are fine." in json.dumps(exported)


def test_a_person_chats_with_the_echo_and_reads_that_no_model_is_configured(
    sign_in: SignIn, mails: Outbox, address: str
) -> None:
    person = Person(sign_in(None, base_url=address), mails)
    person.sign_in()
    expect(person.page.get_by_role("main")).to_contain_text("No model is configured")
    person.ask("A long question, so that the echo needs some time: " + "word " * 60)
    expect(person.messages.last).to_contain_text("built-in echo")
    person.page.reload()
    expect(person.messages.last).to_contain_text("word " * 59 + "word")
    expect(person.messages).to_have_count(2)
