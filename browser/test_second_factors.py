"""Tests of authenticator apps, recovery codes and passkeys. REQUIRE_STAFF_MFA is on."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from testing.authenticator import totp_code

from .site import PASSWORD, Site, create_account

ADMIN = "Home"


@pytest.fixture
def passkeys(page: Page) -> Iterator[None]:
    """Simulate a device with passkeys in Chromium. The simulated owner confirms every request."""
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


def test_an_account_with_an_authenticator_app_needs_the_password_and_a_code(site: Site, page: Page) -> None:
    email = create_account()
    site.sign_in(email)
    secret = site.activate_totp()
    site.sign_out()
    site.sign_in(email)
    assert site.signed_in_as() is None
    site.fill(code="000000")
    assert site.signed_in_as() is None
    site.fill(code=totp_code(secret))
    assert site.signed_in_as() == email


def test_a_recovery_code_replaces_a_code_of_the_app_once(site: Site, page: Page) -> None:
    email = create_account()
    site.sign_in(email)
    site.activate_totp()
    page.goto("/accounts/2fa/recovery-codes/")
    code = page.locator("#recovery_codes").input_value().split()[0]
    for signed_in in (email, None):
        site.sign_out()
        site.sign_in(email)
        site.fill(code=code)
        assert site.signed_in_as() == signed_in


def test_a_passkey_signs_in_without_a_password(site: Site, page: Page, passkeys: None) -> None:
    email = create_account()
    site.sign_in(email)
    add_passkey(site)
    site.sign_out()
    page.goto("/accounts/login/")
    site.press("Sign in with a passkey")
    page.wait_for_url("/app/")
    assert site.signed_in_as() == email


def add_passkey(site: Site) -> None:
    site.open_with_password("/accounts/2fa/webauthn/add/")
    site.page.get_by_label("Passwordless").check()
    site.press("Add")
    site.page.wait_for_url("**/2fa/recovery-codes/**")


def test_a_passkey_is_a_second_factor_after_the_password(site: Site, page: Page, passkeys: None) -> None:
    email = create_account()
    site.sign_in(email)
    add_passkey(site)
    site.sign_out()
    site.sign_in(email)
    assert site.signed_in_as() is None
    site.press("Use a security key")
    page.wait_for_url("/app/")
    assert site.signed_in_as() == email


def test_staff_sign_in_to_the_admin_with_a_second_factor(site: Site, page: Page) -> None:
    email = create_account()
    User.objects.filter(email=email).update(is_staff=True, is_superuser=True)
    page.goto("/admin/")
    site.fill(login=email, password=PASSWORD)
    expect(page.get_by_text("Staff need a second factor here")).to_be_visible()
    secret = site.activate_totp()
    page.goto("/admin/")
    expect(page.get_by_text("Confirm yours to continue")).to_be_visible()
    site.fill(code=totp_code(secret))
    expect(page.get_by_role("heading", name=ADMIN)).to_be_visible()


def test_users_who_are_not_staff_cannot_open_the_admin(site: Site, page: Page) -> None:
    site.sign_in(create_account())
    assert page.context.request.get("/admin/login/").status == 403
    assert page.context.request.get("/admin/", max_redirects=0).status == 302
