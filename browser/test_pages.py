"""What holds of every page: the keyboard suffices, it fits a phone, and there is a dark one."""

import pytest
from playwright.sync_api import Browser, Page, expect

from .site import PASSWORD, Site, account

PUBLIC = ["", "accounts/login/", "accounts/signup/", "accounts/password/reset/", "accounts/oidc/oidc/login/"]
PRIVATE = """email password/change 2fa 2fa/totp/activate 2fa/webauthn/add 2fa/recovery-codes/generate 3rdparty sessions
    logout""".split()
PHONE = {"width": 320, "height": 640}
CLEAR = "rgba(0, 0, 0, 0)"
FOCUSED = "document.activeElement.textContent.trim() || document.activeElement.name"


def test_the_keyboard_suffices_to_sign_in(site: Site, page: Page) -> None:
    email = account()
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
    assert site.who() == email


def press_until(page: Page, focused: str) -> None:
    for _ in range(20):
        if page.evaluate(FOCUSED) == focused:
            return
        page.keyboard.press("Tab")
    pytest.fail(f"Tab does not come to {focused!r}")


def test_what_has_the_focus_is_seen(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert outline == "3px"


@pytest.mark.parametrize("path", PUBLIC)
def test_a_page_fits_a_phone(path: str, page: Page) -> None:
    page.set_viewport_size(PHONE)
    fits(page, "/" + path)


def test_an_account_fits_a_phone(site: Site, page: Page) -> None:
    page.set_viewport_size(PHONE)
    site.sign_in(account())
    site.open_with_password("/accounts/2fa/totp/activate/")
    for path in PRIVATE:
        fits(page, f"/accounts/{path}/")
    fits(page, "/accounts/2fa/totp/activate/")
    site.activate_totp_here()
    fits(page, "/accounts/2fa/recovery-codes/")


def fits(page: Page, path: str) -> None:
    answer = page.goto(path)
    assert answer and answer.status == 200, path
    assert page.url.endswith(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path


@pytest.mark.parametrize(("scheme", "paper"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(22, 24, 28)")])
def test_there_is_a_light_and_a_dark_one(scheme: str, paper: str, page: Page) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto("/accounts/login/")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == paper
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_the_first_way_to_sign_in_stands_out_from_the_others(page: Page) -> None:
    page.goto("/accounts/login/")
    expect(page.get_by_role("button", name="Sign In", exact=True)).not_to_have_css("background-color", CLEAR)
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_have_css("background-color", CLEAR)


def test_without_javascript_one_can_sign_in(chromium: Browser, address: str, site: Site) -> None:
    email = account()
    with chromium.new_context(base_url=address, java_script_enabled=False) as context:
        plain = Site(context.new_page(), site.mails)
        plain.sign_in(email)
        assert plain.who() == email
