"""The actions on a user: suspend, sign out everywhere, export, erase. Each asks for a confirmation and is audited."""

import io
import json
from typing import Any
from zipfile import ZipFile

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.test import Client

from accounts import services
from accounts.models import ApiToken, User
from conversations.models import Conversation
from staff.models import AuditEvent
from testing.admin import allow, audited, list_of, page_of
from testing.api_client import PASSWORD, create_user
from testing.cast import create_conversation

ACTIONS = ("suspend", "unsuspend", "sign_out", "export", "erase")


@pytest.fixture
def privacy(client: Client, sam: User) -> User:
    """A member of the group Privacy, who is signed in."""
    sam.groups.add(Group.objects.get(name="Privacy"))
    client.force_login(sam)
    return sam


def act(client: Client, name: str, user: User, **form: str) -> Any:
    return client.post(page_of(user, name), form, follow=True)


def sign_in(user: User) -> Client:
    """Return a browser in which the user has signed in with the password."""
    EmailAddress.objects.update_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})
    browser = Client()
    answer = browser.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert answer.status_code == 302 and "inactive" not in answer.url
    return browser


def is_signed_in(browser: Client) -> bool:
    return browser.get("/api/v1/me/").status_code == 200


def app_session(user: User) -> str:
    """Sign in with a native app. Return its session token."""
    form = {"email": user.email, "password": PASSWORD}
    answer = Client().post("/_allauth/app/v1/auth/login", form, content_type="application/json")
    return str(answer.json()["meta"]["session_token"])


def app_is_signed_in(token: str) -> bool:
    return Client().get("/api/v1/me/", headers={"X-Session-Token": token}).status_code == 200


def bearer_status(secret: str, **headers: str) -> int:
    return Client().get("/api/v1/me/", headers={"Authorization": f"Bearer {secret}", **headers}).status_code


# --- Suspend ---------------------------------------------------------------------------------------------


def test_a_suspended_user_can_use_no_session_and_cannot_sign_in(client: Client, privacy: User, alice: User) -> None:
    browser, app = sign_in(alice), app_session(alice)
    assert is_signed_in(browser) and app_is_signed_in(app)
    assert "This user is suspended." in act(client, "suspend", alice).text
    assert not is_signed_in(browser) and not app_is_signed_in(app)

    answer = browser.post("/accounts/login/", {"login": alice.email, "password": PASSWORD}, follow=True)
    assert not is_signed_in(browser) and "inactive" in answer.redirect_chain[-1][0]
    form = {"email": alice.email, "password": PASSWORD}
    assert Client().post("/_allauth/app/v1/auth/login", form, content_type="application/json").status_code != 200
    assert audited(alice) == [("suspend", {})]


def test_after_a_suspension_the_user_can_sign_in_but_old_sessions_stay_invalid(
    client: Client, privacy: User, alice: User
) -> None:
    browser, app = sign_in(alice), app_session(alice)
    act(client, "suspend", alice)
    assert "This user can sign in again." in act(client, "unsuspend", alice).text
    assert not is_signed_in(browser) and not app_is_signed_in(app)
    assert is_signed_in(sign_in(alice)) and app_is_signed_in(app_session(alice))
    assert audited(alice) == [("suspend", {}), ("unsuspend", {})]


def test_the_tokens_of_a_suspended_user_are_invalid_until_the_suspension_ends(
    client: Client, privacy: User, alice: User
) -> None:
    _, secret = services.create_token(user=alice, name="laptop")
    assert bearer_status(secret) == 200
    act(client, "suspend", alice)
    assert bearer_status(secret) == 401
    act(client, "unsuspend", alice)
    assert bearer_status(secret) == 200


def test_nobody_acts_as_a_suspended_user_or_with_the_token_of_a_suspended_back_end(
    client: Client, privacy: User, back_end: User
) -> None:
    child = services.managed_user(manager=back_end, external_id="child")
    _, secret = services.create_token(user=back_end, name="server", scopes=["read", "write", "act_as"])
    _, own = services.create_token(user=child, name="own")
    as_child = {"X-Act-As": "child"}
    assert (bearer_status(secret, **as_child), bearer_status(own)) == (200, 200)
    act(client, "suspend", child)
    assert (bearer_status(secret, **as_child), bearer_status(own), bearer_status(secret)) == (401, 401, 200)
    act(client, "unsuspend", child)
    act(client, "suspend", back_end)
    assert (bearer_status(secret, **as_child), bearer_status(own), bearer_status(secret)) == (401, 401, 401)


# --- Sign out everywhere ---------------------------------------------------------------------------------


def test_signing_out_everywhere_ends_all_sessions_of_this_user_only(
    client: Client, privacy: User, alice: User, bob: User
) -> None:
    browsers, app, other = [sign_in(alice) for _ in range(2)], app_session(alice), sign_in(bob)
    _, secret = services.create_token(user=alice, name="laptop")
    assert "All sessions of this user have ended." in act(client, "sign_out", alice).text
    assert not any(map(is_signed_in, browsers)) and not app_is_signed_in(app)
    assert is_signed_in(other) and is_signed_in(client) and bearer_status(secret) == 200
    assert not UserSession.objects.filter(user=alice).exists() and Session.objects.count() == 2
    assert is_signed_in(sign_in(alice)), "the user can sign in again"
    assert audited(alice) == [("sign_out", {})]


def test_a_session_that_no_table_lists_ends_as_well(client: Client, privacy: User, alice: User) -> None:
    browser = sign_in(alice)
    UserSession.objects.all().delete()
    act(client, "sign_out", alice)
    assert Session.objects.count() == 2 and not is_signed_in(browser)


def test_signing_out_can_revoke_all_tokens(client: Client, privacy: User, alice: User, bob: User) -> None:
    for user in (alice, alice, bob):
        services.create_token(user=user, name="laptop")
    assert "Tokens revoked: 2." in act(client, "sign_out", alice, revoke_tokens="on").text
    assert ApiToken.objects.get().user == bob
    assert audited(alice) == [("sign_out", {"revoked_tokens": 2})]


# --- Export ----------------------------------------------------------------------------------------------


def test_privacy_exports_all_data_of_a_user_without_being_able_to_read_it_in_the_console(
    client: Client, privacy: User, alice: User
) -> None:
    chat = create_conversation(alice, "a secret")
    answer = client.post(page_of(alice, "export"))
    assert answer.streaming and answer.headers["Content-Disposition"].startswith("attachment")
    files = ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    assert json.loads(files.read("account.json"))["profile"]["email"] == alice.email
    line = json.loads(files.read("conversations.jsonl"))
    assert (line["id"], line["messages"][0]["content"]) == (str(chat.pk), "a secret")
    assert audited(alice) == [("export", {})]
    assert client.get(page_of(chat)).status_code == 403


def test_an_export_needs_a_reason_if_staff_must_give_one(
    client: Client, privacy: User, alice: User, settings: Any
) -> None:
    settings.ADMIN_REQUIRE_REASON = True
    answer = client.post(page_of(alice, "export"))
    assert answer.status_code == 302 and not AuditEvent.objects.exists()
    page = client.post(answer.url, {"reason": "request 12"}, follow=True)
    assert page.redirect_chain[-1][0] == page_of(alice, "export")
    assert client.post(page_of(alice, "export")).streaming
    assert list(AuditEvent.objects.order_by("id").values_list("action", "reason")) == [
        ("reason", "request 12"),
        ("export", "request 12"),
    ]


# --- Erase -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["Alice@Example.com", "id"])
def test_an_erasure_says_what_would_go_asks_for_the_address_or_the_id_and_says_what_went(
    client: Client, privacy: User, alice: User, bob: User, typed: str
) -> None:
    create_conversation(alice, "Hi", "Hello")
    create_conversation(bob, "Hi")
    services.create_token(user=alice, name="laptop")
    services.managed_user(manager=alice, external_id="child")
    page = client.get(page_of(alice, "erase")).text
    for text in ("Conversations: 1", "Messages: 2", "API tokens: 1", "Managed users, with all their data: 1"):
        assert text in page, text
    assert User.objects.filter(pk=alice.pk, is_active=True).exists()

    page = act(client, "erase", alice, confirmation=str(alice.pk) if typed == "id" else typed).text
    assert "Deleted: 2 users, 1 conversations, 2 messages, 1 tokens." in page and str(alice.pk) in page
    assert set(User.objects.all()) == {privacy, bob} and Conversation.objects.get().user == bob
    event = AuditEvent.objects.get()
    assert (event.actor, event.action, event.object_id, event.owner) == (privacy.pk, "erase", str(alice.pk), alice.pk)


@pytest.mark.parametrize("typed", ["", "alice", "bob@example.com"])
def test_a_user_is_not_erased_without_the_right_confirmation(
    client: Client, privacy: User, alice: User, bob: User, typed: str
) -> None:
    page = act(client, "erase", alice, confirmation=typed).text
    assert "required" in page or "This is not the e-mail address" in page
    assert User.objects.filter(pk=alice.pk, is_active=True).exists() and not AuditEvent.objects.exists()


def test_a_user_who_manages_staff_cannot_be_erased(client: Client, privacy: User, alice: User) -> None:
    create_user("Rita", is_staff=True, managed_by=alice)
    assert "Staff cannot be erased" in act(client, "erase", alice, confirmation=alice.email).text
    assert User.objects.filter(is_active=True, erasing_at=None).count() == 3


# --- Who may act on whom -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ACTIONS)
def test_staff_act_neither_on_staff_nor_on_themselves(client: Client, privacy: User, name: str) -> None:
    rita = create_user("Rita", is_staff=True)
    for user in (rita, privacy):
        assert page_of(user, name) not in client.get(page_of(user)).text
        assert client.get(page_of(user, name)).status_code == 403
        assert client.post(page_of(user, name), {"confirmation": user.email}).status_code == 403
    assert User.objects.filter(is_active=True, session_ends=0).count() == 2


@pytest.mark.parametrize("name", ["suspend", "sign_out", "export"])
def test_a_superuser_acts_on_staff_but_not_on_the_own_account(client: Client, root: User, sam: User, name: str) -> None:
    assert client.post(page_of(sam, name)).status_code in (200, 302)
    assert client.post(page_of(root, name)).status_code == 403
    assert audited(sam) and not audited(root)


@pytest.mark.parametrize(
    ("permission", "names"),
    [
        ("suspend_user", {"suspend", "unsuspend", "sign_out"}),
        ("export_user", {"export"}),
        ("erase_user", {"erase"}),
    ],
)
def test_each_action_needs_its_permission(
    client: Client, sam: User, alice: User, permission: str, names: set[str]
) -> None:
    allow(sam, "view_user", "change_user", "view_details", permission)
    client.force_login(sam)
    assert {name for name in ACTIONS if client.get(page_of(alice, name)).status_code == 200} == names


def test_the_page_of_a_missing_user_is_not_found(client: Client, privacy: User, alice: User) -> None:
    path = page_of(alice, "suspend")
    User.objects.filter(pk=alice.pk).delete()
    assert client.get(path).status_code == client.post(path).status_code == 404


def test_an_action_shown_in_a_list_needs_no_script(client: Client, privacy: User, alice: User) -> None:
    page = client.get(page_of(alice)).text
    shown = {name for name in ACTIONS if f'href="{page_of(alice, name)}"' in page}
    assert shown == set(ACTIONS) - {"unsuspend"} and "onclick" not in page
    assert page_of(alice, "edit") not in page
    assert "csrfmiddlewaretoken" in client.get(page_of(alice, "suspend")).text
    assert client.get(list_of(User)).status_code == 200
