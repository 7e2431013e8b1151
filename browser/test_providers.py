"""Tests of signing in with an OpenID Connect provider."""

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User

from .conftest import Provider
from .site import PASSWORD, Site, create_account, new_address


def test_name_and_picture_come_from_the_provider(site: Site, provider: Provider) -> None:
    email, picture = new_address(), "https://id.example.org/alice.png"
    provider.register(email, email=email, email_verified=True, name="Alice Example", picture=picture)
    site.sign_in_by_provider(email)
    assert site.signed_in_as() == email
    me = site.page.context.request.get("/api/v1/me/").json()
    assert (me["name"], me["image"]) == ("Alice Example", picture)


def test_a_verified_address_signs_in_to_the_existing_account(site: Site, provider: Provider) -> None:
    email = create_account()
    provider.register(email, email=email.upper(), email_verified=True)
    site.sign_in_by_provider(email)
    assert site.signed_in_as() == email
    site.sign_out()
    site.sign_in(email)
    assert site.signed_in_as() == email


def test_only_the_page_before_the_provider_has_a_form_that_can_lead_to_another_site(page: Page) -> None:
    for path, is_limited in (("/accounts/login/", True), ("/accounts/oidc/oidc/login/", False)):
        response = page.request.get(path)
        assert response.ok
        assert ("form-action 'self'" in response.headers["content-security-policy"]) is is_limited, path


def test_signing_up_with_the_address_of_a_provider_account_creates_no_second_account(
    site: Site, provider: Provider, page: Page
) -> None:
    email = new_address()
    provider.register(email, email=email, email_verified="true")
    site.sign_in_by_provider(email)
    site.sign_out()
    page.goto("/accounts/signup/")
    site.fill(email=email, password1=PASSWORD, password2=PASSWORD)
    assert site.signed_in_as() is None
    assert "already exists" in site.mails.to(email)[-1].get_payload()
    site.press("Cancel")
    site.sign_in_by_provider(email)
    assert site.signed_in_as() == email


@pytest.mark.parametrize("claims", [{}, {"email_verified": False}, {"email_verified": "false"}])
def test_an_unverified_address_never_links_to_an_existing_account(
    claims: dict[str, object], site: Site, provider: Provider, page: Page
) -> None:
    email = create_account()
    provider.register("stranger-" + email, email=email, **claims)
    site.sign_in_by_provider("stranger-" + email)
    expect(page.locator("input[name=code]")).to_be_visible()
    assert site.signed_in_as() is None
    assert site.mails.codes(email) == []
    assert not User.objects.get(email=email).socialaccount_set.exists()


def test_an_unverified_address_needs_a_code_by_mail_first(site: Site, provider: Provider) -> None:
    email = new_address()
    provider.register(email, email=email, email_verified=False, name="Alice")
    site.sign_in_by_provider(email)
    assert site.signed_in_as() is None
    site.fill(code=site.mails.code(email))
    assert site.signed_in_as() == email


def test_the_password_of_an_unverified_account_stops_working_when_the_owner_of_the_address_signs_in(
    site: Site, provider: Provider
) -> None:
    email = create_account(verified=False)
    provider.register(email, email=email, email_verified=True)
    site.sign_in_by_provider(email)
    site.fill(code=site.mails.code(email))
    assert site.signed_in_as() == email
    site.sign_out()
    site.sign_in(email)
    assert site.signed_in_as() is None
