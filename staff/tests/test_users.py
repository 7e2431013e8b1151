"""The admin action that erases users. Only superusers can use it. It asks for a confirmation, and adds a log entry."""

from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import User
from conversations.models import Conversation
from testing.admin import list_of
from testing.cast import create_conversation


def erase(client: Client, *users: User, **more: str) -> Any:
    form = {"action": "erase", "_selected_action": [user.pk for user in users], **more}
    return client.post(list_of(User), form, follow=True)


def test_a_superuser_erases_a_user_with_all_data_after_a_confirmation(client: Client, root: User, alice: User) -> None:
    create_conversation(alice, "Hi")
    assert "alice@example.com" in erase(client, alice).text
    assert User.objects.filter(pk=alice.pk, is_active=True).exists()
    assert "Users erased: 1." in erase(client, alice, confirmed="yes").text
    assert not User.objects.filter(pk=alice.pk).exists() and not Conversation.objects.exists()
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id, entry.object_repr) == (root, str(alice.pk), str(alice.pk))
    assert client.get(reverse("admin:admin_logentry_changelist")).status_code == 200


def test_staff_cannot_be_erased_and_other_selected_users_are_erased(
    client: Client, root: User, alice: User, sam: User
) -> None:
    page_text = erase(client, sam, alice, confirmed="yes").text
    assert "Staff cannot be erased" in page_text and "Users erased: 1." in page_text
    assert set(User.objects.all()) == {root, sam}


def test_staff_without_superuser_rights_cannot_erase_users(client: Client, alice: User, sam: User) -> None:
    sam.user_permissions.add(*Permission.objects.all())
    client.force_login(sam)
    erase(client, alice, confirmed="yes")
    assert User.objects.filter(pk=alice.pk, is_active=True).exists()
