"""One person's way through the web app with the keyboard alone. After each step, the focus is where the next begins."""

import re

from playwright.sync_api import Locator, Page, expect

from accounts.models import User
from testing.cast import create_conversation
from testing.fake_provider import FakeProvider, completes_with, streams_on

from .site import PASSWORD
from .web import Problems, SignIn, composer, last, messages

IS_FOCUSED = "element => element === document.activeElement"
STEPS = 40  # more than between any two controls of these pages


class Keyboard:
    """A person who has no mouse, and finds controls by their role and name."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)

    def move_to(self, target: Locator, key: str = "Tab") -> None:
        """Press a key until the target has the focus."""
        expect(target).to_be_visible()
        for _ in range(STEPS):
            if target.evaluate(IS_FOCUSED):
                return
            self.press(key)
        raise AssertionError(f"{key} does not reach {target}")

    def run(self, name: str, key: str = "Tab") -> None:
        """Move to a button and press it."""
        self.move_to(self.page.get_by_role("button", name=name, exact=True).last, key)
        self.press("Enter")

    def choose(self, name: str) -> None:
        """Choose an item of the menu that has just been opened. Its first item has the focus."""
        items = self.page.get_by_role("menuitem")
        expect(items.first).to_be_focused()
        self.move_to(items.filter(has_text=re.compile(f"^{name}$")), "ArrowDown")
        self.press("Enter")


def test_a_person_without_a_mouse_chats_branches_shares_deletes_and_restores(
    sign_in: SignIn, alice: User, model: FakeProvider, problems: Problems
) -> None:
    porto = create_conversation(alice, "Where should I stay in Porto?", "In Ribeira.", title="Porto")
    page = sign_in(None)
    keyboard = Keyboard(page)

    page.goto("/")
    keyboard.move_to(page.get_by_role("link", name="Sign in").first)
    keyboard.press("Enter")
    keyboard.move_to(page.get_by_role("textbox", name="Email"))
    keyboard.type(str(alice.email))
    keyboard.move_to(page.get_by_role("textbox", name="Password"))
    keyboard.type(PASSWORD)
    keyboard.press("Enter")
    expect(composer(page)).to_be_focused()

    model.behavior = streams_on(0.05)
    keyboard.type("Where should I stay in Lisbon?")
    keyboard.press("Enter")
    expect(last(page)).to_contain_text("more more")
    expect(page).to_have_url(re.compile("/app/c/"))
    expect(composer(page)).to_be_focused()
    keyboard.run("Stop")
    expect(last(page)).to_contain_text("Stopped")
    expect(composer(page)).to_be_focused()

    model.behavior = completes_with("In Alfama.")
    keyboard.run("Try again", "Shift+Tab")
    keyboard.choose("Try again")
    expect(last(page)).to_contain_text("In Alfama.")
    expect(page.get_by_role("region", name="Messages")).to_be_focused()
    keyboard.run("Previous branch")
    expect(last(page)).to_contain_text("Stopped")
    expect(page.get_by_role("button", name="Next branch")).to_be_focused()
    keyboard.press("Enter")
    expect(last(page)).to_contain_text("In Alfama.")
    expect(page.get_by_role("button", name="Previous branch")).to_be_focused()

    model.behavior = completes_with("In Baixa.")
    keyboard.run("Edit the message", "Shift+Tab")
    expect(page.get_by_role("textbox", name="Edit the message")).to_be_focused()
    keyboard.type(" Without hills.")
    keyboard.press("Enter")
    expect(last(page)).to_contain_text("In Baixa.")
    expect(messages(page).first).to_contain_text("Without hills.")
    expect(page.get_by_role("region", name="Messages")).to_be_focused()
    problems.expect("status of 409")  # the message that the picker has shown is on another branch now

    keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="Search and commands")).to_be_focused()
    keyboard.type("Porto")
    expect(page.get_by_role("listbox").get_by_role("option", selected=True)).to_contain_text("Porto")
    keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/app/c/{porto.id}$"))
    expect(composer(page)).to_be_focused()

    menu = page.get_by_role("main").get_by_role("button", name="Actions for “Porto”")
    keyboard.move_to(menu, "Shift+Tab")
    keyboard.press("Enter")
    keyboard.choose("Share…")
    expect(page.get_by_role("dialog", name="Share").get_by_role("button", name="Close")).to_be_focused()
    keyboard.run("Create a link")
    expect(page.get_by_role("textbox", name="Link")).to_be_focused()
    keyboard.press("Escape")
    expect(menu).to_be_focused()

    keyboard.press("Enter")
    keyboard.choose("Move to the trash")
    expect(page).to_have_url(re.compile("/app/?$"))
    expect(composer(page)).to_be_focused()
    keyboard.run("Undo")
    expect(page).to_have_url(re.compile(f"/app/c/{porto.id}$"))
    expect(last(page)).to_contain_text("In Ribeira.")
    expect(composer(page)).to_be_focused()
