"""Users and tokens in the admin: who may do what to whom."""

import pytest
from allauth.account.models import EmailAddress
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from accounts.models import ApiToken, Idempotency, Preferences, User
from accounts.services import create_token
from testing.admin import allow, list_of, page_of, rights
from testing.api_client import create_user

NEW_PASSWORD = "another horse battery"  # create_user sets a different one
PASSWORDS = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}


def test_every_model_is_there_but_the_one_with_a_composite_key() -> None:
    assert {User, Preferences, ApiToken, EmailAddress} <= admin.site._registry.keys()
    assert Idempotency not in admin.site._registry


def test_people_sign_in_by_email(client: Client, db: None) -> None:
    User.objects.create_superuser("Root@Example.com", NEW_PASSWORD)
    door = client.get(reverse("admin:index"), follow=True).redirect_chain[-1][0]
    assert door.startswith(reverse("account_login"))
    answer = client.post(door, {"login": "ROOT@example.com", "password": NEW_PASSWORD})
    assert answer.status_code == 302
    assert "chatstore" in client.get(answer.url).text


def test_who_is_no_staff_is_not_let_into_the_admin(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get(reverse("admin:index"), follow=True).status_code == 403


def test_a_user_is_made_with_an_email_and_a_password(client: Client, root: User) -> None:
    page = client.get(reverse("admin:accounts_user_add"))
    assert "username" not in page.text
    form = {"email": "New@Example.com", "name": "New", "usable_password": "true"}
    assert client.post(page.request["PATH_INFO"], form | PASSWORDS).status_code == 302
    user = User.objects.get(email="new@example.com")
    assert user.check_password(NEW_PASSWORD) and not user.is_staff


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"email": ""}, "This field is required."),
        ({"email": "ALICE@example.com"}, "A user with this e-mail exists."),
        ({"password2": "something else"}, "The two password fields didn’t match."),
    ],
)
def test_a_user_is_refused(client: Client, root: User, alice: User, form: dict[str, str], error: str) -> None:
    whole = {
        "email": "new@example.com",
        "usable_password": "true",
        **PASSWORDS,
    }
    assert error in client.post(reverse("admin:accounts_user_add"), whole | form).text
    assert User.objects.count() == 2


def test_a_password_is_changed(client: Client, root: User, alice: User) -> None:
    path = reverse("admin:auth_user_password_change", args=[alice.pk])
    form = {"usable_password": "true", **PASSWORDS}
    assert client.post(path, form).status_code == 302
    alice.refresh_from_db()
    assert alice.check_password(NEW_PASSWORD)


def test_an_email_is_kept_in_lower_case_and_none_is_null(client: Client, root: User, alice: User) -> None:
    assert client.post(page_of(alice), rights(email="Other@Example.com")).status_code == 302
    alice.refresh_from_db()
    assert alice.email == "other@example.com"
    assert client.post(page_of(alice), rights(email="", managed_by=root.pk, external_id="a-1")).status_code == 302
    alice.refresh_from_db()
    assert alice.email is None and alice.external_id == "a-1"


def test_only_a_superuser_gives_rights(client: Client, alice: User, sam: User) -> None:
    allow(sam, "change_user")
    client.force_login(sam)
    form = rights(name="Alicia", is_staff="on", is_superuser="on")
    assert client.post(page_of(alice), form).status_code == 302
    alice.refresh_from_db()
    assert alice.name == "Alicia" and not alice.is_staff and not alice.is_superuser

    client.force_login(create_user("Root", is_staff=True, is_superuser=True))
    assert client.post(page_of(alice), form).status_code == 302
    alice.refresh_from_db()
    assert alice.is_staff and alice.is_superuser


@pytest.mark.parametrize("is_superuser", [False, True])
def test_only_a_superuser_changes_a_colleague(client: Client, sam: User, is_superuser: bool) -> None:
    colleague = create_user("Rita", is_staff=True, is_superuser=is_superuser)
    path = reverse("admin:auth_user_password_change", args=[colleague.pk])
    form = {"usable_password": "true", **PASSWORDS}
    allow(sam, "change_user")
    client.force_login(sam)
    assert client.post(page_of(colleague), rights(email="rita@example.com")).status_code == 403
    assert client.post(path, form).status_code == 403

    client.force_login(create_user("Root", is_staff=True, is_superuser=True))
    assert client.post(path, form).status_code == 302


def test_nobody_is_deleted_here(client: Client, root: User, alice: User) -> None:
    assert client.post(page_of(alice, "delete"), {"post": "yes"}).status_code == 403
    assert "delete_selected" not in client.get(list_of(User)).text


def test_a_token_is_shown_and_revoked_and_never_made_or_changed(client: Client, root: User, alice: User) -> None:
    token, secret = create_token(user=alice, name="laptop")
    pages = client.get(list_of(ApiToken)).text + client.get(page_of(token)).text
    assert "laptop" in pages and "alice@example.com" in pages
    assert secret not in pages and bytes(token.digest).hex() not in pages
    assert client.get(reverse("admin:accounts_apitoken_add")).status_code == 403
    assert client.post(page_of(token), {"name": "mine"}).status_code == 403

    assert client.post(page_of(token, "delete"), {"post": "yes"}).status_code == 302
    assert not ApiToken.objects.exists()


def test_preferences_are_made_by_use_only(client: Client, root: User, alice: User) -> None:
    preferences = Preferences.objects.create(user=alice)
    assert client.get(reverse("admin:accounts_preferences_add")).status_code == 403
    form = {"default_model": "gpt-4o", "theme": "light", "language": "no", "active_conversation": ""}
    assert client.post(page_of(preferences), form).status_code == 302
    preferences.refresh_from_db()
    assert preferences.theme == "light"


def test_users_are_found_by_email_and_offered_to_other_forms(client: Client, root: User, alice: User) -> None:
    assert [user.pk for user in client.get(list_of(User), {"q": "alice@"}).context["cl"].result_list] == [alice.pk]
    field = {"app_label": "accounts", "model_name": "user", "field_name": "managed_by", "term": "alice"}
    found = client.get(reverse("admin:autocomplete"), field).json()["results"]
    assert found == [{"id": str(alice.pk), "text": "alice@example.com"}]


def test_the_pages_have_their_stylesheets(client: Client) -> None:
    for path in ("admin/css/base.css", "staff/transcript.css"):
        response = client.get(f"/static/{path}")
        assert b"".join(response.streaming_content) and response.status_code == 200
