"""Tests of all pages: they work with the keyboard, fit the screen of a phone, and have two color schemes."""

import pytest
from playwright.sync_api import Browser, Page, expect

from .site import PASSWORD, Site, create_account

PUBLIC = ["", "accounts/login/", "accounts/signup/", "accounts/password/reset/", "accounts/oidc/oidc/login/"]
PRIVATE = """email password/change 2fa 2fa/totp/activate 2fa/webauthn/add 2fa/recovery-codes/generate 3rdparty sessions
    logout""".split()
PHONE = {"width": 320, "height": 640}
CLEAR = "rgba(0, 0, 0, 0)"
FOCUSED = "document.activeElement.textContent.trim() || document.activeElement.name"


def test_a_person_can_sign_in_with_the_keyboard_only(site: Site, page: Page) -> None:
    email = create_account()
    page.goto("/")
    press_until(page, "Sign in")
    page.keyboard.press("Enter")
    page.wait_for_url("**/accounts/login/")
    press_until(page, "login")
    page.keyboard.type(email)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    press_until(page, "Sign In")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert site.signed_in_as() == email


def press_until(page: Page, focused: str) -> None:
    for _ in range(20):
        if page.evaluate(FOCUSED) == focused:
            return
        page.keyboard.press("Tab")
    pytest.fail(f"Tab does not reach {focused!r}")


def test_the_focused_element_has_a_visible_outline(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert outline == "2px"


@pytest.mark.parametrize("path", PUBLIC)
def test_a_public_page_fits_a_phone(path: str, page: Page) -> None:
    page.set_viewport_size(PHONE)
    assert_fits(page, "/" + path)


def test_the_pages_of_an_account_fit_a_phone(site: Site, page: Page) -> None:
    page.set_viewport_size(PHONE)
    site.sign_in(create_account())
    site.open_with_password("/accounts/2fa/totp/activate/")
    for path in PRIVATE:
        assert_fits(page, f"/accounts/{path}/")
    assert_fits(page, "/accounts/2fa/totp/activate/")
    site.activate_totp_here()
    assert_fits(page, "/accounts/2fa/recovery-codes/")


def assert_fits(page: Page, path: str) -> None:
    answer = page.goto(path)
    assert answer and answer.status == 200, path
    assert page.url.endswith(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path


@pytest.mark.parametrize(("scheme", "background"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(22, 24, 28)")])
def test_pages_have_a_light_and_a_dark_color_scheme(scheme: str, background: str, page: Page) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto("/accounts/login/")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == background
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_the_password_button_stands_out_from_the_other_ways_to_sign_in(page: Page) -> None:
    page.goto("/accounts/login/")
    expect(page.get_by_role("button", name="Sign In", exact=True)).not_to_have_css("background-color", CLEAR)
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_have_css("background-color", CLEAR)


def test_a_person_can_sign_in_without_javascript(chromium: Browser, address: str, site: Site) -> None:
    email = create_account()
    with chromium.new_context(base_url=address, java_script_enabled=False) as context:
        other = Site(context.new_page(), site.mails)
        other.sign_in(email)
        assert other.signed_in_as() == email
