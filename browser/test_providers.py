"""Signing in by an OpenID Connect provider."""

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User

from .conftest import Provider
from .site import PASSWORD, Site, account, somebody


def test_name_and_picture_arrive(site: Site, provider: Provider) -> None:
    email, picture = somebody(), "https://id.example.org/alice.png"
    provider.knows(email, email=email, email_verified=True, name="Alice Example", picture=picture)
    site.sign_in_by_provider(email)
    assert site.who() == email
    me = site.page.context.request.get("/api/v1/me/").json()
    assert (me["name"], me["image"]) == ("Alice Example", picture)


def test_the_same_verified_address_is_the_same_account(site: Site, provider: Provider) -> None:
    email = account()
    provider.knows(email, email=email.upper(), email_verified=True)
    site.sign_in_by_provider(email)
    assert site.who() == email
    site.sign_out()
    site.sign_in(email)
    assert site.who() == email


def test_a_password_for_an_address_that_came_by_a_provider_is_no_second_account(
    site: Site, provider: Provider, page: Page
) -> None:
    email = somebody()
    provider.knows(email, email=email, email_verified="true")
    site.sign_in_by_provider(email)
    site.sign_out()
    page.goto("/accounts/signup/")
    site.fill(email=email, password1=PASSWORD, password2=PASSWORD)
    assert site.who() is None
    assert "already exists" in site.mails.to(email)[-1].get_payload()
    site.press("Cancel")
    site.sign_in_by_provider(email)
    assert site.who() == email


@pytest.mark.parametrize("said", [{}, {"email_verified": False}, {"email_verified": "false"}])
def test_an_unverified_address_never_links_and_never_takes_over(
    said: dict[str, object], site: Site, provider: Provider, page: Page
) -> None:
    email = account()
    provider.knows("stranger-" + email, email=email, **said)
    site.sign_in_by_provider("stranger-" + email)
    expect(page.locator("input[name=code]")).to_be_visible()
    assert site.who() is None
    assert site.mails.codes(email) == []
    assert not User.objects.get(email=email).socialaccount_set.exists()


def test_an_unverified_address_is_verified_by_a_code_before_it_counts(site: Site, provider: Provider) -> None:
    email = somebody()
    provider.knows(email, email=email, email_verified=False, name="Alice")
    site.sign_in_by_provider(email)
    assert site.who() is None
    site.fill(code=site.mails.code(email))
    assert site.who() == email


def test_whoever_took_an_address_before_its_owner_came_is_locked_out(site: Site, provider: Provider) -> None:
    email = account(verified=False)
    provider.knows(email, email=email, email_verified=True)
    site.sign_in_by_provider(email)
    site.fill(code=site.mails.code(email))
    assert site.who() == email
    site.sign_out()
    site.sign_in(email)
    assert site.who() is None
