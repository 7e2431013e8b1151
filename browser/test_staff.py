"""Tests of the staff console with the sample conversations: it fits its screen, has two color schemes and two
languages, works with the keyboard, and axe-core finds no serious problem."""

import io
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.core.management import call_command
from django.urls import reverse
from playwright.sync_api import BrowserContext, Page, expect

from accounts.models import User
from conversations.models import Conversation
from conversations.services import conversations
from testing.admin import list_of, page_of

from .site import Site
from .staff import PHONE, TABLET, WIDE, serious_problems, sign_in_staff

LIST = list_of(Conversation)


@pytest.fixture(scope="module", autouse=True)
def sample(address: str) -> None:
    """Load the sample, and a conversation without spaces in its texts, which a browser cannot wrap."""
    owner = User.objects.create_user(f"{'a' * 60}@{'b' * 60}.example.org", name="N" * 150)
    fields = {"title": "W" * 480, "model": "m" * 250, "source": "s" * 32, "tags": ["t" * 100, "u" * 100]}
    conversations.create(user=owner, fields=fields, drafts=[{"role": "user", "content": "P" * 500}])
    call_command("loadsample", str(settings.BASE_DIR / "sample" / "console.jsonl"), stdout=io.StringIO())


@pytest.fixture
def support(site: Site) -> None:
    """A support person is signed in."""
    sign_in_staff(site, "view_conversation", "view_message", "view_user")


@pytest.fixture
def root(site: Site) -> None:
    """A superuser is signed in."""
    sign_in_staff(site, is_superuser=True)


def paths() -> Iterator[str]:
    user = User.objects.get(email="mara.lindqvist@example.org")
    conversation = user.conversations.latest("pk")
    message = conversation.messages.latest("seq")
    yield from ("/admin/", LIST, list_of(type(message)), list_of(User))
    yield from (page_of(message), page_of(user, "history"), list_of(User) + "add/")
    yield from (page_of(user, page) for page in ("change", "edit", "suspend", "sign_out", "erase"))
    yield from (reverse("admin:conversations_conversation_export_list"), f"{page_of(conversation)}?q=the")


def test_the_sidebar_of_a_support_person_has_no_internals(support: None, page: Page) -> None:
    page.goto("/admin/")
    sidebar = page.get_by_role("navigation", name="Pages")
    assert sidebar.get_by_role("link").all_text_contents() == ["Conversations", "Search", "Messages", "Users"]
    sidebar.get_by_role("link", name="Conversations").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Conversations")
    expect(sidebar.locator("[aria-current=page]")).to_have_text("Conversations")
    # A support person reads no names of Django's internals.
    for word in ("Recent actions", "Site administration", "Log entries", "Groups"):
        expect(page.get_by_text(word)).to_have_count(0)


@pytest.mark.parametrize("size", [WIDE, TABLET, PHONE], ids=["wide", "tablet", "phone"])
def test_the_pages_fit_their_screen(size: dict[str, int], root: None, page: Page) -> None:
    page.set_viewport_size(size)  # type: ignore[arg-type]
    for path in paths():
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], path
    page.goto(LIST)
    box = page.evaluate("(e => [e.scrollWidth, e.clientWidth])(document.querySelector('.results'))")
    assert box[0] <= box[1], "the rows do not fit the list"


@pytest.mark.parametrize(("scheme", "background"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(21, 23, 27)")])
def test_the_console_follows_the_color_scheme_of_the_system_and_its_switch(
    scheme: str, background: str, support: None, page: Page
) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "light" else "light")
    page.goto(LIST)
    body = page.locator("body")
    expect(body).not_to_have_css("background-color", background)
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    expect(body).to_have_css("background-color", background)
    page.evaluate("theme => { document.documentElement.dataset.theme = theme }", scheme)
    page.emulate_media(color_scheme="dark" if scheme == "light" else "light")
    expect(body).to_have_css("background-color", background)


@pytest.mark.parametrize(("scheme", "size"), [("light", WIDE), ("dark", PHONE)], ids=["light", "dark"])
def test_axe_finds_no_serious_problem(scheme: str, size: dict[str, int], root: None, page: Page) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size(size)  # type: ignore[arg-type]
    for path in paths():
        page.goto(path)
        assert serious_problems(page) == [], path


def test_the_list_speaks_german(support: None, context: BrowserContext, page: Page, headers: dict[str, str]) -> None:
    context.set_extra_http_headers(headers | {"Accept-Language": "de"})
    page.goto(LIST)
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.get_by_role("heading", level=1)).to_have_text("Konversationen")
    expect(page.get_by_role("navigation", name="Seiten")).to_contain_text("Nachrichten")
    expect(page.get_by_role("columnheader", name="Letzte Aktivität")).to_be_visible()
    expect(page.locator("#result_list time").first).to_have_text("vor einer Stunde")


def test_a_support_person_finds_and_opens_a_conversation_with_the_keyboard(support: None, page: Page) -> None:
    page.goto("/admin/")
    press_until(page, "Conversations")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{LIST}")
    press_until(page, "q")
    page.keyboard.type("mara")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=mara")
    press_until(page, "How do I cancel?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("How do I cancel?")


def press_until(page: Page, focused: str) -> None:
    """Press Tab until the element with this name or text has the focus. Fail if it has no visible outline."""
    for _ in range(40):
        page.keyboard.press("Tab")
        name, outline = page.evaluate("""() => { const e = document.activeElement, title = e.querySelector('.title');
            return [e.name || (title || e).textContent.trim(), getComputedStyle(e).outlineStyle] }""")
        if name == focused:
            assert outline != "none"
            return
    pytest.fail(f"Tab does not reach {focused!r}")


def test_filters_open_and_work_with_the_keyboard(support: None, page: Page) -> None:
    page.goto(LIST)
    page.locator(".folded-filters summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("In the trash")
    press_until(page, "errors")
    page.keyboard.press("Space")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.wait_for_url("**state=trash*")
    expect(page.locator("#result_list")).to_contain_text("in the trash")
    page.get_by_role("link", name="Clear all filters").click()
    expect(page.locator(".folded-filters details[open]")).to_have_count(0)
