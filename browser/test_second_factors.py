"""Authenticator apps, recovery codes and passkeys; and staff, who need one of these."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from testing.authenticator import totp_code

from .site import PASSWORD, Site, account

ADMIN = "Site administration"


@pytest.fixture
def passkeys(page: Page) -> Iterator[None]:
    """A device that holds passkeys and whose owner touches it when asked, in Chromium's own simulation."""
    devtools = page.context.new_cdp_session(page)
    device = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": device})
    yield
    devtools.detach()


def test_with_an_authenticator_app_a_password_is_not_enough(site: Site, page: Page) -> None:
    email = account()
    site.sign_in(email)
    secret = site.activate_totp()
    site.sign_out()
    site.sign_in(email)
    assert site.who() is None
    site.fill(code="000000")
    assert site.who() is None
    site.fill(code=totp_code(secret))
    assert site.who() == email


def test_a_recovery_code_stands_in_for_the_app_once(site: Site, page: Page) -> None:
    email = account()
    site.sign_in(email)
    site.activate_totp()
    page.goto("/accounts/2fa/recovery-codes/")
    code = page.locator("#recovery_codes").input_value().split()[0]
    for signed_in in (email, None):
        site.sign_out()
        site.sign_in(email)
        site.fill(code=code)
        assert site.who() == signed_in


def test_a_passkey_is_added_and_signs_in_without_a_password(site: Site, page: Page, passkeys: None) -> None:
    email = account()
    site.sign_in(email)
    add_passkey(site)
    site.sign_out()
    page.goto("/accounts/login/")
    site.press("Sign in with a passkey")
    page.wait_for_url("/")
    assert site.who() == email


def add_passkey(site: Site) -> None:
    site.open_with_password("/accounts/2fa/webauthn/add/")
    site.page.get_by_label("Passwordless").check()
    site.press("Add")
    site.page.wait_for_url("**/2fa/recovery-codes/**")


def test_a_passkey_is_a_second_factor_after_the_password(site: Site, page: Page, passkeys: None) -> None:
    email = account()
    site.sign_in(email)
    add_passkey(site)
    site.sign_out()
    site.sign_in(email)
    assert site.who() is None
    site.press("Use a security key")
    page.wait_for_url("/")
    assert site.who() == email


def test_staff_come_into_the_admin_by_the_same_door_and_with_a_second_factor(site: Site, page: Page) -> None:
    email = account()
    User.objects.filter(email=email).update(is_staff=True, is_superuser=True)
    page.goto("/admin/")
    site.fill(login=email, password=PASSWORD)
    expect(page.get_by_text("Staff need a second factor here")).to_be_visible()
    secret = site.activate_totp()
    page.goto("/admin/")
    expect(page.get_by_text("prove yours, then go on")).to_be_visible()
    site.fill(code=totp_code(secret))
    expect(page.get_by_role("heading", name=ADMIN)).to_be_visible()


def test_others_do_not_come_into_the_admin(site: Site, page: Page) -> None:
    site.sign_in(account())
    assert page.context.request.get("/admin/login/").status == 403
    assert page.context.request.get("/admin/", max_redirects=0).status == 302
