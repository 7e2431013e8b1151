"""Passwords, codes by mail, and sessions."""

from playwright.sync_api import Browser, Page, expect

from .site import PASSWORD, Site, account, somebody


def test_signing_up_takes_the_code_of_the_mail_and_then_one_is_signed_in(site: Site, page: Page) -> None:
    email = somebody()
    page.goto("/")
    site.follow("Sign up")
    site.fill(email=email, password1=PASSWORD, password2=PASSWORD)
    assert site.who() is None
    site.fill(code=site.mails.code(email))
    assert site.who() == email
    expect(page.get_by_role("link", name=email)).to_be_visible()


def test_a_wrong_code_does_not_sign_in(site: Site, page: Page) -> None:
    email = somebody()
    page.goto("/accounts/signup/")
    site.fill(email=email, password1=PASSWORD, password2=PASSWORD)
    site.fill(code="WRONG1")
    assert site.who() is None
    site.fill(code=site.mails.code(email))
    assert site.who() == email


def test_signing_in_and_out(site: Site, page: Page) -> None:
    email = account()
    site.sign_in(email)
    assert site.who() == email
    site.follow("Sign out")
    site.press("Sign Out")
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    assert site.who() is None


def test_a_wrong_password_does_not_sign_in(site: Site, page: Page) -> None:
    site.sign_in(account(), "not the password")
    expect(page.locator(".errorlist")).to_be_visible()
    assert site.who() is None


def test_a_forgotten_password_is_replaced_by_a_code(site: Site, page: Page) -> None:
    email = account()
    page.goto("/accounts/login/")
    page.get_by_role("link", name="Forgot your password?").click()
    site.fill(email=email)
    site.fill(code=site.mails.code(email))
    site.fill(password1="another one to remember", password2="another one to remember")
    site.sign_in(email)
    assert site.who() is None
    site.sign_in(email, "another one to remember")
    assert site.who() == email


def test_the_form_looks_the_same_for_an_address_that_is_unknown(site: Site, page: Page) -> None:
    page.goto("/accounts/password/reset/")
    site.fill(email=somebody())
    expect(page.locator("input[name=code]")).to_be_visible()


def test_sessions_elsewhere_are_listed_and_ended(site: Site, page: Page, chromium: Browser, address: str) -> None:
    email = account()
    site.sign_in(email)
    with chromium.new_context(base_url=address) as elsewhere:
        other = Site(elsewhere.new_page(), site.mails)
        other.sign_in(email)
        page.goto("/accounts/sessions/")
        expect(page.locator("tbody tr")).to_have_count(2)
        site.press("Sign Out Other Sessions")
        expect(page.locator("tbody tr")).to_have_count(1)
        assert (site.who(), other.who()) == (email, None)
