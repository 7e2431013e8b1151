"""The admin action that erases users. It needs a permission, asks for a confirmation, and is audited."""

from typing import Any

from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import User
from conversations.models import Conversation
from staff.models import AuditEvent
from testing.admin import allow, list_of
from testing.cast import create_conversation, create_user


def erase(client: Client, *users: User, **more: str) -> Any:
    form = {"action": "erase", "_selected_action": [user.pk for user in users], **more}
    return client.post(list_of(User), form, follow=True)


def test_a_superuser_erases_a_user_with_all_data_after_a_confirmation(client: Client, root: User, alice: User) -> None:
    create_conversation(alice, "Hi")
    assert "alice@example.com" in erase(client, alice).text
    assert User.objects.filter(pk=alice.pk, is_active=True).exists()
    assert "Users erased: 1." in erase(client, alice, confirmed="yes").text
    assert not User.objects.filter(pk=alice.pk).exists() and not Conversation.objects.exists()
    event = AuditEvent.objects.get()
    assert (event.actor, event.action, event.object_id, event.owner) == (root.pk, "erase", str(alice.pk), alice.pk)
    assert str(alice.pk) in client.get(list_of(AuditEvent)).text


def test_staff_cannot_be_erased_and_other_selected_users_are_erased(
    client: Client, root: User, alice: User, sam: User
) -> None:
    page_text = erase(client, sam, alice, confirmed="yes").text
    assert "Staff cannot be erased" in page_text and "Users erased: 1." in page_text
    assert set(User.objects.all()) == {root, sam}


def test_staff_need_the_permission_to_erase_users(client: Client, alice: User, sam: User) -> None:
    sam.user_permissions.add(*Permission.objects.exclude(codename="erase_user"))
    client.force_login(sam)
    assert erase(client, alice, confirmed="yes").status_code == 403
    assert User.objects.filter(pk=alice.pk, is_active=True).exists()

    allow(sam, "erase_user")
    assert "Users erased: 1." in erase(client, alice, confirmed="yes").text
    assert not User.objects.filter(pk=alice.pk).exists()


def test_staff_with_the_permission_erase_neither_staff_nor_users_who_manage_staff(
    client: Client, alice: User, sam: User
) -> None:
    rita = create_user("Rita", is_staff=True, is_superuser=True, managed_by=alice)
    allow(sam, "view_user", "erase_user")
    client.force_login(sam)
    assert "Users erased: 0." in erase(client, alice, rita, sam, confirmed="yes").text
    assert User.objects.filter(is_active=True, erasing_at=None).count() == 3
