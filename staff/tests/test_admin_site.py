"""REQUIRE_STAFF_MFA makes the admin require a second factor in each session. Django's password page is not used."""

import time
from typing import Any

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.test import Client

from accounts.models import User
from testing.authenticator import totp_code

PASSWORD = "a horse that is correct"
SECRET = "JBSWY3DPEHPK3PXP"


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root@example.com", PASSWORD)


@pytest.fixture
def mfa_required(settings: Any) -> None:
    settings.REQUIRE_STAFF_MFA = True


def sign_in(client: Client) -> Any:
    return client.post("/accounts/login/", {"login": "root@example.com", "password": PASSWORD}, follow=True)


def final_path(client: Client, path: str = "/admin/") -> str:
    return str(client.get(path, follow=True).request["PATH_INFO"])


def test_staff_without_a_factor_are_redirected_to_the_page_that_sets_one_up(
    client: Client, root: User, mfa_required: None
) -> None:
    sign_in(client)
    assert final_path(client) == "/accounts/2fa/"


def test_a_session_with_a_proven_factor_can_open_the_admin(client: Client, root: User, mfa_required: None) -> None:
    TOTP.activate(root, SECRET)
    sign_in(client)
    client.post("/accounts/2fa/authenticate/", {"code": totp_code(SECRET)})
    assert final_path(client) == "/admin/"
    root.authenticator_set.all().delete()
    assert final_path(client) == "/accounts/2fa/", "the factor is gone"


def test_a_session_without_a_proven_factor_is_asked_for_the_factor_of_its_user(
    client: Client, root: User, mfa_required: None
) -> None:
    """An attacker's session that began before the user set up a factor cannot open the admin."""
    sign_in(client)
    TOTP.activate(root, SECRET)
    RecoveryCodes.activate(root)
    assert final_path(client, "/admin/accounts/user/") == "/accounts/2fa/reauthenticate/"
    assert client.post("/admin/accounts/user/add/", {"email": "x@example.com"}).status_code == 302
    assert User.objects.count() == 1
    page = client.post("/accounts/2fa/reauthenticate/?next=/admin/", {"code": totp_code(SECRET)}, follow=True)
    assert page.request["PATH_INFO"] == "/admin/"


def test_a_factor_that_another_user_proved_in_the_session_does_not_count(
    client: Client, root: User, mfa_required: None
) -> None:
    TOTP.activate(root, SECRET)
    client.force_login(root)
    session = client.session
    session["account_authentication_methods"] = [{"method": "mfa", "at": time.time()}]
    session["account_authentication_methods_user"] = "somebody else"
    session.save()
    assert final_path(client) == "/accounts/2fa/reauthenticate/"


def test_djangos_page_for_changing_passwords_redirects_to_allauths(client: Client, root: User) -> None:
    sign_in(client)
    new = "another horse, and as correct"
    form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    for method in (client.get, client.post):
        answer = method("/admin/password_change/", form)
        assert (answer.status_code, answer.url) == (302, "/accounts/password/change/")
    root.refresh_from_db()
    assert root.check_password(PASSWORD)
    assert final_path(client, "/admin/password_change/done/") == "/admin/"
