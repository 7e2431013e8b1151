"""Attacks by staff with some permissions: to become a superuser, to sign in as a user, or to read a user's data."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiToken, User
from accounts.services import create_token
from staff.big_tables import BigTableAdmin
from staff.models import AuditEvent
from testing.admin import allow, audited, list_of, page_of, rights
from testing.api_client import create_user

EVIL = "evil@example.com"


@pytest.fixture
def root(db: None) -> User:
    return create_user("Root", is_staff=True, is_superuser=True)


@pytest.fixture
def sam(client: Client, db: None) -> User:
    """A staff user who is signed in."""
    sam = create_user("Sam", is_staff=True)
    client.force_login(sam)
    return sam


def address_of(user: User, **fields: Any) -> EmailAddress:
    return EmailAddress.objects.create(user=user, email=user.email, primary=True, **fields)


def act(client: Client, action: str, *rows: Any, **more: str) -> Any:
    form = {"action": action, "_selected_action": [row.pk for row in rows], **more}
    return client.post(list_of(type(rows[0])), form, follow=True)


# --- E-mail addresses -----------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["staff", "superuser"])
@pytest.mark.parametrize("owner", ["alice", "root"])
def test_an_address_cannot_be_added_to_a_user(
    owner: str, by: str, client: Client, sam: User, request: pytest.FixtureRequest
) -> None:
    victim = request.getfixturevalue(owner)
    allow(sam, "add_emailaddress")
    if by == "superuser":
        client.force_login(request.getfixturevalue("root"))
    form = {"user": victim.pk, "email": EVIL, "verified": "on", "primary": "on"}
    assert client.post(list_of(EmailAddress) + "add/", form).status_code == 403
    assert not EmailAddress.objects.exists()


def test_addresses_cannot_be_changed_or_deleted(client: Client, sam: User, alice: User) -> None:
    address = address_of(alice)
    allow(sam, "change_emailaddress", "delete_emailaddress", "view_emailaddress")
    form = {"user": alice.pk, "email": EVIL, "verified": "on"}
    assert client.post(page_of(address), form).status_code == 403
    assert client.post(page_of(address, "delete"), {"post": "yes"}).status_code == 403
    act(client, "delete_selected", address, post="yes")
    address.refresh_from_db()
    assert (address.email, address.verified) == (alice.email, False)


def test_only_a_superuser_can_mark_an_address_as_verified(client: Client, sam: User, alice: User, root: User) -> None:
    address = address_of(alice)
    allow(sam, "change_emailaddress", "view_emailaddress")
    act(client, "make_verified", address)
    address.refresh_from_db()
    assert not address.verified

    client.force_login(root)
    act(client, "make_verified", address)
    address.refresh_from_db()
    assert address.verified
    assert audited(address) == [("change", {"fields": ["verified"]})]


def test_an_address_that_cannot_be_verified_gets_no_audit_event(
    client: Client, alice: User, bob: User, root: User
) -> None:
    EmailAddress.objects.create(user=bob, email=alice.email, verified=True)
    address = address_of(alice)
    client.force_login(root)
    act(client, "make_verified", address)
    address.refresh_from_db()
    assert not address.verified
    assert not AuditEvent.objects.exists()


# --- Groups and permissions -------------------------------------------------------------------------------


def test_staff_with_all_permissions_on_groups_cannot_grant_permissions(client: Client, sam: User) -> None:
    group = Group.objects.create(name="Helpers")
    group.user_set.add(sam)
    allow(sam, "add_group", "change_group", "delete_group", "view_group", "change_permission")
    everything = {"name": "Helpers", "permissions": list(Permission.objects.values_list("pk", flat=True))}
    assert client.get(page_of(group)).status_code == 200
    assert client.post(page_of(group), everything).status_code == 403
    assert client.post(list_of(Group) + "add/", everything | {"name": "Mine"}).status_code == 403
    assert client.post(page_of(group, "delete"), {"post": "yes"}).status_code == 403
    assert not group.permissions.exists() and not Group.objects.filter(name="Mine").exists()


def test_a_superuser_can_create_groups(client: Client, root: User) -> None:
    client.force_login(root)
    permission = Permission.objects.get(codename="view_message")
    form = {"name": "Helpers", "permissions": [permission.pk]}
    assert client.post(list_of(Group) + "add/", form).status_code == 302
    assert list(Group.objects.get(name="Helpers").permissions.all()) == [permission]


def test_permissions_have_no_admin_page() -> None:
    assert Permission not in admin.site._registry


# --- Users ------------------------------------------------------------------------------------------------


def test_staff_cannot_take_over_a_user_by_changing_the_user(client: Client, sam: User, alice: User) -> None:
    allow(sam, "change_user", "view_user")
    form = rights(
        name="Alicia",
        email=EVIL,
        managed_by=sam.pk,
        external_id="mine",
        password="!",
        is_staff="on",
        is_superuser="on",
        groups=[Group.objects.create(name="Helpers").pk],
        user_permissions=[Permission.objects.earliest("pk").pk],
    )
    assert client.post(page_of(alice, "edit"), form).status_code == 302
    before, after = alice, User.objects.get(pk=alice.pk)
    assert after.name == "Alicia", "staff can change the other fields"
    for name in ("email", "managed_by", "external_id", "password", "is_staff", "is_superuser"):
        assert getattr(after, name) == getattr(before, name), name
    assert not after.groups.exists() and not after.user_permissions.exists()


def test_staff_cannot_set_a_password(client: Client, sam: User, alice: User) -> None:
    allow(sam, "change_user", "view_user")
    assert "password" not in client.get(page_of(alice, "edit")).context["adminform"].form.initial
    new = {"usable_password": "true", "password1": "another horse battery", "password2": "another horse battery"}
    path = reverse("admin:auth_user_password_change", args=[alice.pk])
    assert client.get(path).status_code == 403
    assert client.post(path, new).status_code == 403
    alice.refresh_from_db()
    assert not alice.check_password("another horse battery")


def test_staff_cannot_create_a_user_whom_they_manage(client: Client, sam: User, alice: User) -> None:
    allow(sam, "add_user", "change_user", "view_user")
    form = {"email": "new@example.com", "usable_password": "true", "managed_by": sam.pk, "external_id": "mine"}
    form |= {"password1": "another horse battery", "password2": "another horse battery", "is_staff": "on"}
    assert client.post(list_of(User) + "add/", form).status_code == 302
    new_user = User.objects.get(email="new@example.com")
    assert (new_user.managed_by, new_user.external_id, new_user.is_staff) == (None, None, False)
    assert not EmailAddress.objects.filter(user=new_user, verified=True).exists()


def test_the_form_of_a_user_does_not_change_the_suspension(client: Client, alice: User, root: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    client.force_login(root)
    assert client.post(page_of(alice, "edit"), rights(name="Alicia", is_active="on")).status_code == 302
    alice.refresh_from_db()
    assert alice.name == "Alicia" and not alice.is_active


def test_a_user_who_is_being_erased_can_be_seen_but_not_changed(client: Client, alice: User, root: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False, erasing_at=timezone.now())
    client.force_login(root)
    assert "being erased" in client.get(page_of(alice)).text
    assert client.post(page_of(alice, "edit"), rights()).status_code == 403
    for page in ("suspend", "unsuspend", "sign_out", "export", "erase"):
        assert client.post(page_of(alice, page), {"confirmation": alice.email}).status_code == 403
    assert not User.objects.get(pk=alice.pk).is_active


def test_staff_cannot_create_or_change_a_token(client: Client, sam: User, alice: User) -> None:
    allow(sam, "add_apitoken", "change_apitoken", "view_apitoken")
    token, _ = create_token(user=alice, name="laptop")
    form = {"user": sam.pk, "name": "mine", "scopes": "read,write,act_as"}
    assert client.post(list_of(ApiToken) + "add/", form).status_code == 403
    assert client.post(page_of(token), form).status_code == 403
    token.refresh_from_db()
    assert (token.user, token.scopes, ApiToken.objects.count()) == (alice, ["read", "write"], 1)


# --- Removing factors, linked accounts and tokens ------------------------------------------------------------


def create_removable_rows(owner: User) -> list[Any]:
    return [
        Authenticator.objects.create(user=owner, type="totp", data={"secret": "x"}),
        SocialAccount.objects.create(user=owner, provider="github", uid=str(owner.pk)),
        create_token(user=owner, name="laptop")[0],
    ]


def test_only_superusers_can_remove_factors_accounts_and_tokens_of_staff(client: Client, sam: User, root: User) -> None:
    allow(sam, "delete_authenticator", "delete_socialaccount", "delete_apitoken")
    allow(sam, "view_authenticator", "view_socialaccount", "view_apitoken")
    for row in (*create_removable_rows(root), *create_removable_rows(create_user("Rita", is_staff=True))):
        assert client.post(page_of(row, "delete"), {"post": "yes"}).status_code == 403
        assert act(client, "delete_selected", row, post="yes").status_code == 403
        assert type(row).objects.filter(pk=row.pk).exists()
    client.force_login(root)
    for row in create_removable_rows(sam):
        assert client.post(page_of(row, "delete"), {"post": "yes"}).status_code == 302


def test_staff_with_the_permission_can_remove_the_lost_factor_of_a_user(client: Client, sam: User, alice: User) -> None:
    factor = create_removable_rows(alice)[0]
    assert client.post(page_of(factor, "delete"), {"post": "yes"}).status_code == 403
    allow(sam, "delete_authenticator")
    assert client.post(page_of(factor, "delete"), {"post": "yes"}).status_code == 302
    assert not Authenticator.objects.exists()


# --- Replacing an address ---------------------------------------------------------------------------------------


def test_a_superuser_who_changes_the_email_replaces_all_addresses(client: Client, alice: User, root: User) -> None:
    address_of(alice, verified=True)
    EmailAddress.objects.create(user=alice, email="second@example.com", verified=True)
    client.force_login(root)
    assert client.post(page_of(alice, "edit"), rights(name="Alicia")).status_code == 302
    assert EmailAddress.objects.filter(user=alice).count() == 2, "the e-mail did not change"

    assert client.post(page_of(alice, "edit"), rights(email="New@Example.com")).status_code == 302
    address = EmailAddress.objects.get(user=alice)
    assert (address.email, address.primary, address.verified) == ("new@example.com", True, False)

    form = rights(email="", managed_by=root.pk, external_id="a-1")
    assert client.post(page_of(alice, "edit"), form).status_code == 302
    assert not EmailAddress.objects.exists()


# --- The audit --------------------------------------------------------------------------------------------------


def test_nobody_can_change_the_audit_even_with_all_permissions_on_it(client: Client, sam: User, root: User) -> None:
    event = AuditEvent.objects.create(actor=sam.pk, action="change", object_id="1")
    allow(sam, "view_auditevent")
    for user in (sam, root):
        client.force_login(user)
        assert client.get(list_of(AuditEvent)).status_code == 200
        assert client.post(page_of(event), {"reason": "x"}).status_code == 403
        assert client.post(page_of(event, "delete"), {"post": "yes"}).status_code == 403
        assert act(client, "delete_selected", event, post="yes").status_code == 403
        assert client.post(list_of(AuditEvent) + "add/", {}).status_code == 403
    event.refresh_from_db()
    assert event.reason == ""


def test_every_model_admin_writes_audit_events() -> None:
    for model, model_admin in admin.site._registry.items():
        for name in ("log_addition", "log_change", "log_deletions", "get_search_results", "history_view"):
            assert getattr(type(model_admin), name) is getattr(BigTableAdmin, name), (model, name)


def test_the_audit_of_changes_contains_no_names_or_addresses(client: Client, alice: User, root: User) -> None:
    client.force_login(root)
    assert client.post(page_of(alice, "edit"), rights(name="Alicia", email="new@example.com")).status_code == 302
    for row in (*create_removable_rows(alice), *create_removable_rows(alice.__class__.objects.get(pk=root.pk))):
        assert client.post(page_of(row, "delete"), {"post": "yes"}).status_code == 302
    form = {"email": "made@example.com", "usable_password": "true"}
    form |= {"password1": "another horse battery", "password2": "another horse battery"}
    assert client.post(list_of(User) + "add/", form).status_code == 302
    events = list(AuditEvent.objects.values())
    assert len(events) == 8
    for event in events:
        assert "@" not in str(event) and "alic" not in str(event).lower()


def test_staff_who_can_only_view_have_no_actions(client: Client, sam: User, alice: User) -> None:
    for model in admin.site._registry:
        allow(sam, f"view_{model._meta.model_name}")
        sam = User.objects.get(pk=sam.pk)
        client.force_login(sam)
        answer = client.get(list_of(model))
        assert answer.status_code == 200, model
        assert not answer.context["action_form"], model
    assert client.get(page_of(alice, "export")).status_code == 403
