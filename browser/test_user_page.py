"""Tests of what staff do with a user in a browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import Group
from playwright.sync_api import Browser, BrowserContext, Page, expect

from accounts import services
from accounts.models import User
from staff.models import AuditEvent
from testing.admin import list_of, page_of
from testing.cast import create_conversation

from .site import PASSWORD, Site, create_account
from .staff import PHONE, WIDE, serious_problems, sign_in_staff


@pytest.fixture
def ida(address: str) -> User:
    """A user with a verified address, two conversations, a token and a managed user."""
    ida = User.objects.get(email=create_account())
    services.update_user(user=ida, changes={"name": "Ida"})
    for title in ("A trip to Oslo", "A cake"):
        create_conversation(ida, "Hi", "Hello", title=title)
    services.create_token(user=ida, name="laptop")
    services.managed_user(manager=ida, external_id="child")
    return ida


@pytest.fixture
def privacy(site: Site) -> None:
    """A member of the group Privacy is signed in."""
    sign_in_staff(site)
    Group.objects.get(name="Privacy").user_set.add(User.objects.filter(is_staff=True).latest("pk"))


@pytest.fixture
def browser_of_ida(chromium: Browser, address: str, headers: dict[str, str], site: Site, ida: User) -> Iterator[Site]:
    """Another browser, in which Ida is signed in."""
    with chromium.new_context(base_url=address, extra_http_headers=headers) as context:
        other = Site(context.new_page(), site.mails)
        other.sign_in(str(ida.email), PASSWORD)
        yield other


def choose(page: Page, action: str) -> None:
    """Choose an action on the page of the user, and confirm it on the page that opens."""
    page.get_by_role("complementary").get_by_role("link", name=action, exact=True).click()
    page.get_by_role("button", name=action, exact=True).click()


def test_privacy_suspends_signs_out_exports_and_erases_a_user(
    privacy: None, ida: User, page: Page, tmp_path: Path, browser_of_ida: Site
) -> None:
    assert browser_of_ida.signed_in_as() == ida.email
    page.goto(list_of(User))
    page.get_by_role("link", name="Ida").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("active")
    expect(page.locator("#content")).not_to_contain_text("A trip to Oslo")
    choose(page, "Suspend")
    expect(page.get_by_role("heading", level=1)).to_contain_text("suspended")
    assert browser_of_ida.signed_in_as() is None
    choose(page, "End the suspension")
    expect(page.get_by_role("heading", level=1)).to_contain_text("active")
    choose(page, "Sign out everywhere")
    expect(page.get_by_text("All sessions of this user have ended.")).to_be_visible()

    with page.expect_download() as download:
        choose(page, "Export")
    download.value.save_as(tmp_path / "ida.zip")
    assert (tmp_path / "ida.zip").read_bytes().startswith(b"PK")

    page.goto(page_of(ida, "erase"))
    expect(page.get_by_text("Messages: 4")).to_be_visible()
    for typed, text in (("someone@example.com", "This is not the e-mail address"), (ida.email, "Deleted: 2 users")):
        page.get_by_label("To confirm").fill(str(typed))
        page.get_by_role("button", name="Erase").click()
        expect(page.get_by_text(text)).to_be_visible()
    actions = list(AuditEvent.objects.filter(owner=ida.pk).order_by("id").values_list("action", flat=True))
    assert actions == ["suspend", "unsuspend", "sign_out", "export", "erase"]


@pytest.mark.parametrize(("scheme", "size"), [("light", PHONE), ("dark", WIDE)], ids=["light", "dark"])
def test_the_page_of_a_user_fits_speaks_german_and_axe_finds_no_serious_problem(
    scheme: str,
    size: dict[str, int],
    privacy: None,
    ida: User,
    browser_of_ida: Site,
    context: BrowserContext,
    headers: dict[str, str],
    page: Page,
) -> None:
    context.set_extra_http_headers(headers | {"Accept-Language": "de"})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size(size)  # type: ignore[arg-type]
    for name, text in (("change", "Sitzungen"), ("sign_out", "Überall abmelden"), ("erase", "Gelöscht werden")):
        page.goto(page_of(ida, name))
        expect(page.locator("#content")).to_contain_text(text)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], name
        assert serious_problems(page) == [], name
