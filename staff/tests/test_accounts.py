"""Users, tokens and preferences in the admin, and the permissions that they need."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import ApiToken, Preferences, User
from accounts.services import create_token
from testing.admin import allow, list_of, page_of, rights
from testing.api_client import create_user

NEW_PASSWORD = "another horse battery"  # create_user sets a different one
PASSWORDS = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}


def test_people_sign_in_by_email(client: Client, db: None) -> None:
    User.objects.create_superuser("Root@Example.com", NEW_PASSWORD)
    sign_in_page = client.get(reverse("admin:index"), follow=True).redirect_chain[-1][0]
    assert sign_in_page.startswith(reverse("account_login"))
    answer = client.post(sign_in_page, {"login": "ROOT@example.com", "password": NEW_PASSWORD})
    assert answer.status_code == 302
    assert "chatstore" in client.get(answer.url).text


def test_only_staff_can_open_the_admin(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get(reverse("admin:index"), follow=True).status_code == 403


def test_a_superuser_creates_a_user_with_an_email_and_a_password(client: Client, root: User) -> None:
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
def test_an_invalid_new_user_is_refused(
    client: Client, root: User, alice: User, form: dict[str, str], error: str
) -> None:
    valid = {
        "email": "new@example.com",
        "usable_password": "true",
        **PASSWORDS,
    }
    assert error in client.post(reverse("admin:accounts_user_add"), valid | form).text
    assert User.objects.count() == 2


def test_a_superuser_changes_a_password(client: Client, root: User, alice: User) -> None:
    path = reverse("admin:auth_user_password_change", args=[alice.pk])
    form = {"usable_password": "true", **PASSWORDS}
    assert client.post(path, form).status_code == 302
    alice.refresh_from_db()
    assert alice.check_password(NEW_PASSWORD)


def test_an_email_is_stored_in_lower_case_and_an_empty_one_as_null(client: Client, root: User, alice: User) -> None:
    assert client.post(page_of(alice, "edit"), rights(email="Other@Example.com")).status_code == 302
    alice.refresh_from_db()
    assert alice.email == "other@example.com"
    assert (
        client.post(page_of(alice, "edit"), rights(email="", managed_by=root.pk, external_id="a-1")).status_code == 302
    )
    alice.refresh_from_db()
    assert alice.email is None and alice.external_id == "a-1"


def test_only_a_superuser_can_make_a_user_staff_or_superuser(client: Client, alice: User, sam: User) -> None:
    allow(sam, "change_user")
    client.force_login(sam)
    form = rights(name="Alicia", is_staff="on", is_superuser="on")
    assert client.post(page_of(alice, "edit"), form).status_code == 302
    alice.refresh_from_db()
    assert alice.name == "Alicia" and not alice.is_staff and not alice.is_superuser

    client.force_login(create_user("Root", is_staff=True, is_superuser=True))
    assert client.post(page_of(alice, "edit"), form).status_code == 302
    alice.refresh_from_db()
    assert alice.is_staff and alice.is_superuser


@pytest.mark.parametrize("is_superuser", [False, True])
def test_only_a_superuser_can_change_other_staff(client: Client, sam: User, is_superuser: bool) -> None:
    colleague = create_user("Rita", is_staff=True, is_superuser=is_superuser)
    path = reverse("admin:auth_user_password_change", args=[colleague.pk])
    form = {"usable_password": "true", **PASSWORDS}
    allow(sam, "change_user")
    client.force_login(sam)
    assert client.post(page_of(colleague, "edit"), rights(email="rita@example.com")).status_code == 403
    assert client.post(path, form).status_code == 403

    client.force_login(create_user("Root", is_staff=True, is_superuser=True))
    assert client.post(path, form).status_code == 302


def test_users_cannot_be_deleted_without_an_erasure(client: Client, root: User, alice: User) -> None:
    assert client.post(page_of(alice, "delete"), {"post": "yes"}).status_code == 403
    assert "delete_selected" not in client.get(list_of(User)).text


def test_tokens_can_be_viewed_and_revoked_but_not_created_or_changed(client: Client, root: User, alice: User) -> None:
    token, secret = create_token(user=alice, name="laptop")
    pages = client.get(list_of(ApiToken)).text + client.get(page_of(token)).text
    assert "laptop" in pages and "alice@example.com" in pages
    assert secret not in pages and bytes(token.digest).hex() not in pages
    assert client.get(reverse("admin:accounts_apitoken_add")).status_code == 403
    assert client.post(page_of(token), {"name": "mine"}).status_code == 403

    assert client.post(page_of(token, "delete"), {"post": "yes"}).status_code == 302
    assert not ApiToken.objects.exists()


def test_preferences_can_be_changed_but_not_created(client: Client, root: User, alice: User) -> None:
    preferences = Preferences.objects.create(user=alice)
    assert client.get(reverse("admin:accounts_preferences_add")).status_code == 403
    form = {"default_model": "gpt-4o", "theme": "light", "language": "no", "active_conversation": ""}
    assert client.post(page_of(preferences), form).status_code == 302
    preferences.refresh_from_db()
    assert preferences.theme == "light"


def test_users_are_found_by_email_in_the_list_and_in_autocomplete(client: Client, root: User, alice: User) -> None:
    assert [user.pk for user in client.get(list_of(User), {"q": "alice@"}).context["cl"].result_list] == [alice.pk]
    field = {"app_label": "accounts", "model_name": "user", "field_name": "managed_by", "term": "alice"}
    results = client.get(reverse("admin:autocomplete"), field).json()["results"]
    assert results == [{"id": str(alice.pk), "text": "alice@example.com"}]


def test_the_stylesheets_of_the_admin_are_served(client: Client) -> None:
    for path in ("admin/css/base.css", "staff/transcript.css"):
        response = client.get(f"/static/{path}")
        assert b"".join(response.streaming_content) and response.status_code == 200
