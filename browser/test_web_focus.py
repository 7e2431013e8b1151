"""The focus in the web app: in dialogs, after something has disappeared, and on a new page.

The tests use the keyboard only, unless a line says otherwise.
"""

import re
from threading import Event

import pytest
from playwright.sync_api import Locator, Page, expect

from accounts import services
from accounts.models import User
from conversations.models import Conversation
from conversations.services import conversations, shares
from testing.cast import create_conversation
from testing.fake_provider import FakeProvider, completes_with, fails, streams

from .web import Problems, SignIn, ask, composer, last, messages

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def chat(alice: User) -> Conversation:
    """A conversation about Lisbon, beside one in the trash, a token and a share."""
    deleted = create_conversation(alice, "Where is Faro?", title="Faro")
    conversations.trash(user=alice, conversation_id=deleted.id)
    services.create_token(user=alice, name="Backup")
    chat = create_conversation(alice, "Where should I stay?", "In Alfama.", title="Lisbon", tags=["travel"])
    shares.create(user=alice, conversation_id=chat.id)
    return chat


def press(locator: Locator) -> None:
    locator.focus()
    locator.press("Enter")


def button(page: Page | Locator, name: str | re.Pattern[str]) -> Locator:
    return page.get_by_role("button", name=name, exact=isinstance(name, str))


def choose(opener: Locator, item: str) -> None:
    """Open the menu of a button, and choose an item."""
    press(opener)
    menu_item = opener.page.get_by_role("menuitem", name=item)
    expect(menu_item).to_be_visible()
    press(menu_item)


def header_menu(page: Page) -> Locator:
    return page.locator(".chat-header").get_by_role("button", name="Actions for")


def row_menu(page: Page) -> Locator:
    return page.get_by_role("navigation", name="Conversations").get_by_role("button", name="Actions for “Lisbon”")


# The name of a dialog: the page, the button that opens it, the item of the menu if it opens one, the first field
DIALOGS = {
    "Rename the conversation": ("c/{id}", header_menu, "Rename", "Title"),
    "Tags": ("c/{id}", header_menu, "Tags…", "New tag"),
    "Share": ("c/{id}", header_menu, "Share…", None),
    "Share up to this message": ("c/{id}", lambda page: button(page, "Share up to this message…").last, None, None),
    "System prompt": ("c/{id}", lambda page: button(page, "System prompt"), None, "System prompt"),
    "Search and commands": ("c/{id}", lambda page: button(page, "Search"), None, "Search and commands"),
    "Delete permanently?": ("trash", lambda page: button(page, "Delete “Faro” permanently"), None, None),
    "Revoke the token “Backup”?": ("settings/tokens", lambda page: button(page, "Revoke Backup"), None, None),
    "Erase the account?": ("settings/data", lambda page: button(page, "Erase the account…"), None, "Type "),
}


@pytest.mark.parametrize("name", DIALOGS)
def test_a_dialog_takes_the_focus_keeps_it_and_gives_it_back(name: str, alice_page: Page, chat: Conversation) -> None:
    path, opener_of, item, first_field = DIALOGS[name]
    alice_page.goto("/app/" + path.format(id=chat.id))
    opener = opener_of(alice_page)
    expect(opener).to_be_attached()
    if item:
        choose(opener, item)
    else:
        press(opener)
    dialog = alice_page.get_by_role("dialog", name=name, exact=True)
    expect(dialog).to_be_visible()
    if first_field:
        expect(dialog.get_by_label(first_field).first).to_be_focused()
    for _ in range(15):
        alice_page.keyboard.press("Tab")
        assert alice_page.evaluate(
            "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
        )
    alice_page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(opener).to_be_focused()


def test_the_arrow_keys_work_in_a_dialog_that_a_row_has_opened(alice_page: Page, chat: Conversation) -> None:
    alice_page.goto("/app/")
    choose(row_menu(alice_page), "Share…")
    expiry = alice_page.get_by_role("dialog").get_by_label("Expiry")
    expect(expiry).to_have_value("never")
    expiry.press("ArrowUp")
    expect(expiry).to_have_value("date")


def test_escape_closes_a_dialog_and_does_not_stop_the_reply(
    alice_page: Page, chat: Conversation, model: FakeProvider
) -> None:
    gate = Event()
    model.behavior = streams("One ", gate, "two.")
    alice_page.goto(f"/app/c/{chat.id}")
    ask(alice_page, "Count.")
    expect(last(alice_page)).to_contain_text("One")
    choose(header_menu(alice_page), "Rename")
    alice_page.keyboard.press("Escape")
    expect(alice_page.get_by_role("dialog")).to_have_count(0)
    gate.set()
    expect(last(alice_page)).to_contain_text("One two.")


class TestWhatDisappears:
    def test_a_deleted_message_leaves_the_focus_to_its_neighbour(self, alice_page: Page, chat: Conversation) -> None:
        alice_page.goto(f"/app/c/{chat.id}")
        press(last(alice_page).get_by_role("button", name="Delete the message"))
        expect(messages(alice_page)).to_have_count(1)
        expect(messages(alice_page).first).to_be_focused()

    def test_a_discarded_question_leaves_the_focus_to_the_composer(
        self, alice_page: Page, chat: Conversation, problems: Problems
    ) -> None:
        alice_page.goto(f"/app/c/{chat.id}")
        alice_page.route("**/reply/", lambda route: route.abort())
        ask(alice_page, "Later")
        press(button(alice_page, "Discard"))
        expect(composer(alice_page)).to_be_focused()
        problems.expect("ERR_FAILED")

    def test_a_reply_that_ends_while_stop_has_the_focus_leaves_it_to_the_composer(
        self, alice_page: Page, chat: Conversation, model: FakeProvider
    ) -> None:
        gate = Event()
        model.behavior = streams("In ", gate, "Baixa.")
        alice_page.goto(f"/app/c/{chat.id}")
        ask(alice_page, "And where else?")
        expect(last(alice_page)).to_contain_text("In")
        alice_page.keyboard.press("Tab")
        alice_page.keyboard.press("Tab")
        alice_page.keyboard.press("Tab")
        expect(button(alice_page, "Stop")).to_be_focused()
        gate.set()
        expect(last(alice_page)).to_contain_text("In Baixa.")
        expect(composer(alice_page)).to_be_focused()

    def test_a_failed_reply_that_is_asked_again_leaves_the_focus_to_the_messages(
        self, alice_page: Page, chat: Conversation, model: FakeProvider
    ) -> None:
        model.behavior = fails(401)
        alice_page.goto(f"/app/c/{chat.id}")
        ask(alice_page, "Are you there?")
        again = alice_page.locator(".message-failure").get_by_role("button", name="Try again")
        expect(again).to_be_visible()
        model.behavior = completes_with("Yes.")
        press(again)
        expect(last(alice_page)).to_contain_text("Yes.")
        expect(alice_page.get_by_label("Messages")).to_be_focused()

    def test_a_revoked_token_leaves_the_focus_to_the_page(self, alice_page: Page, chat: Conversation) -> None:
        alice_page.goto("/app/settings/tokens")
        press(button(alice_page, "Revoke Backup"))
        press(button(alice_page.get_by_role("dialog"), "Revoke"))
        expect(alice_page.get_by_text("You have no tokens.")).to_be_visible()
        expect(alice_page.get_by_role("main")).to_be_focused()

    def test_a_revoked_link_leaves_the_focus_to_the_page(self, alice_page: Page, chat: Conversation) -> None:
        alice_page.goto("/app/settings/shares")
        press(button(alice_page, re.compile("^Revoke")))
        press(button(alice_page, "Revoke the link"))
        expect(alice_page.get_by_text("You have no links.")).to_be_visible()
        expect(alice_page.get_by_role("main")).to_be_focused()

    def test_a_new_token_takes_the_focus_and_gives_it_to_the_page(self, alice_page: Page) -> None:
        alice_page.goto("/app/settings/tokens")
        name = alice_page.get_by_label("Name")
        name.fill("Mine")
        name.press("Enter")
        expect(alice_page.get_by_label("Token", exact=True)).to_be_focused()
        press(button(alice_page, "I have stored it"))
        expect(alice_page.get_by_role("main")).to_be_focused()

    def test_a_dismissed_note_leaves_the_focus_to_the_page(self, alice_page: Page, chat: Conversation) -> None:
        alice_page.goto("/app/")
        row = alice_page.get_by_role("link", name="Lisbon")
        row.focus()
        row.press("Delete")
        press(button(alice_page, "Dismiss"))
        expect(alice_page.get_by_role("main")).to_be_focused()


class TestPages:
    def test_the_skip_link_leads_past_the_sidebar(self, alice_page: Page, chat: Conversation) -> None:
        alice_page.goto("/app/archive")
        expect(alice_page.get_by_role("link", name="Lisbon")).to_be_visible()
        alice_page.keyboard.press("Tab")
        expect(alice_page.get_by_role("link", name="Skip to the content")).to_be_focused()
        alice_page.keyboard.press("Enter")
        expect(alice_page.get_by_role("main")).to_be_focused()
        expect(alice_page.get_by_role("heading", name="Archived conversations")).to_be_visible()

    @pytest.mark.parametrize("command", ["Open the archive", "Open the trash", "Usage"])
    def test_a_page_that_the_palette_opens_has_the_focus(self, command: str, alice_page: Page) -> None:
        alice_page.goto("/app/")
        expect(composer(alice_page)).to_be_focused()
        alice_page.keyboard.press("Control+k")
        alice_page.get_by_role("combobox", name="Search and commands").fill(command)
        expect(alice_page.get_by_role("listbox").get_by_role("option").first).to_contain_text(command)
        alice_page.keyboard.press("Enter")
        expect(alice_page.get_by_role("main")).to_be_focused()

    def test_a_conversation_has_the_focus_in_its_composer_and_names_the_tab(
        self, alice_page: Page, chat: Conversation
    ) -> None:
        alice_page.goto("/app/trash")
        press(alice_page.get_by_role("link", name="Lisbon"))
        expect(composer(alice_page)).to_be_focused()
        expect(alice_page).to_have_title("Lisbon · chatstore")

    def test_escape_closes_the_sidebar_of_a_narrow_window(
        self, sign_in: SignIn, alice: User, chat: Conversation
    ) -> None:
        page = sign_in(alice, viewport={"width": 390, "height": 844})
        page.goto("/app/")
        opener = button(page, "Conversations")
        press(opener)
        row = page.get_by_role("link", name="Lisbon")
        row.focus()
        row.press("Escape")
        expect(row).to_be_hidden()
        expect(opener).to_be_focused()


class TestScreenReaders:
    def test_a_quick_reply_to_the_first_question_is_announced(self, alice_page: Page) -> None:
        alice_page.goto("/app/")
        ask(alice_page, "Quick?")
        expect(last(alice_page)).to_contain_text("Fine.")
        expect(alice_page.locator("[aria-live=polite]").filter(has_text="Fine.")).to_have_count(1)

    def test_the_same_reply_is_announced_again(self, alice_page: Page, chat: Conversation) -> None:
        alice_page.goto(f"/app/c/{chat.id}")
        expect(messages(alice_page)).to_have_count(2)
        alice_page.evaluate(COUNT_ANNOUNCEMENTS)
        for count in (1, 2):
            ask(alice_page, "The same?")
            expect(messages(alice_page)).to_have_count(2 + 2 * count)
            expect(last(alice_page)).to_contain_text("Fine.")
            expect(alice_page.locator("body")).to_have_attribute("data-announcements", "Fine." * count)
            expect(button(alice_page, "Send")).to_be_visible()  # until then, Enter does not send

    def test_the_buttons_of_a_list_have_names_of_their_own(self, alice_page: Page, alice: User) -> None:
        for title in ("Porto", "Lisbon"):
            chat = create_conversation(alice, "Where?", title=title)
            shares.create(user=alice, conversation_id=chat.id)
            services.create_token(user=alice, name=f"Token for {title}")
        pages = {"/app/settings/shares": "main", "/app/settings/tokens": "main", "/app/": "nav .rows"}
        for path, part in pages.items():
            alice_page.goto(path)
            expect(alice_page.get_by_role("link", name="Lisbon").first).to_be_visible()
            alice_page.wait_for_load_state("networkidle")
            names = alice_page.evaluate(NAMES, part)
            assert sorted(names) == sorted(set(names)), path


# Adds up the texts that a screen reader reads from the live region of the chat.
COUNT_ANNOUNCEMENTS = """new MutationObserver((records) => {
    const texts = records.flatMap(({target, addedNodes, type}) =>
        type === "characterData" ? [target.data] : [...addedNodes].map((node) => node.textContent));
    document.body.dataset.announcements = (document.body.dataset.announcements ?? "") + texts.join("");
}).observe(document.querySelector(".visually-hidden[aria-live=polite]"),
    {childList: true, characterData: true, subtree: true})"""
# Returns the names of the buttons and links in a part of the page.
NAMES = """(part) => [...document.querySelector(part).querySelectorAll("button, a")].map(
    (element) => `${element.tagName} ${element.ariaLabel ?? element.textContent}`)"""
