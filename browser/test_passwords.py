"""Tests of passwords, codes by mail, and sessions."""

from playwright.sync_api import Browser, Page, expect

from .site import PASSWORD, Site, create_account, new_address


def test_a_new_account_is_signed_in_after_the_code_from_the_mail_is_entered(site: Site, page: Page) -> None:
    email = new_address()
    page.goto("/")
    site.follow("Sign up")
    site.fill(email=email, password1=PASSWORD, password2=PASSWORD)
    assert site.signed_in_as() is None
    site.fill(code=site.mails.code(email))
    assert site.signed_in_as() == email
    page.wait_for_url("**/app/")


def test_a_wrong_code_does_not_sign_in(site: Site, page: Page) -> None:
    email = new_address()
    page.goto("/accounts/signup/")
    site.fill(email=email, password1=PASSWORD, password2=PASSWORD)
    site.fill(code="WRONG1")
    assert site.signed_in_as() is None
    site.fill(code=site.mails.code(email))
    assert site.signed_in_as() == email


def test_a_person_signs_in_and_out(site: Site, page: Page) -> None:
    email = create_account()
    site.sign_in(email)
    assert site.signed_in_as() == email
    site.sign_out()
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    assert site.signed_in_as() is None


def test_a_wrong_password_does_not_sign_in(site: Site, page: Page) -> None:
    site.sign_in(create_account(), "not the password")
    expect(page.locator(".errorlist")).to_be_visible()
    assert site.signed_in_as() is None


def test_a_code_by_mail_resets_a_forgotten_password(site: Site, page: Page) -> None:
    email = create_account()
    page.goto("/accounts/login/")
    page.get_by_role("link", name="Forgot your password?").click()
    site.fill(email=email)
    site.fill(code=site.mails.code(email))
    site.fill(password1="another one to remember", password2="another one to remember")
    site.sign_in(email)
    assert site.signed_in_as() is None
    site.sign_in(email, "another one to remember")
    assert site.signed_in_as() == email


def test_the_reset_form_does_not_reveal_that_an_address_is_unknown(site: Site, page: Page) -> None:
    page.goto("/accounts/password/reset/")
    site.fill(email=new_address())
    expect(page.locator("input[name=code]")).to_be_visible()


def test_a_person_lists_and_ends_their_other_sessions(site: Site, page: Page, chromium: Browser, address: str) -> None:
    email = create_account()
    site.sign_in(email)
    with chromium.new_context(base_url=address) as elsewhere:
        other = Site(elsewhere.new_page(), site.mails)
        other.sign_in(email)
        page.goto("/accounts/sessions/")
        expect(page.locator("tbody tr")).to_have_count(2)
        site.press("Sign Out Other Sessions")
        expect(page.locator("tbody tr")).to_have_count(1)
        assert (site.signed_in_as(), other.signed_in_as()) == (email, None)
