"""Users erased by staff: by superusers, asked once more, through the service, and with a line in the log."""

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


def test_a_superuser_is_asked_and_then_erases_with_all_that_is_theirs(client: Client, root: User, alice: User) -> None:
    create_conversation(alice, "Hi")
    assert "alice@example.com" in erase(client, alice).text
    assert User.objects.filter(pk=alice.pk, is_active=True).exists()
    assert "Users erased: 1." in erase(client, alice, confirmed="yes").text
    assert not User.objects.filter(pk=alice.pk).exists() and not Conversation.objects.exists()
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id, entry.object_repr) == (root, str(alice.pk), str(alice.pk))
    assert client.get(reverse("admin:admin_logentry_changelist")).status_code == 200


def test_staff_are_refused_and_the_others_go(client: Client, root: User, alice: User, sam: User) -> None:
    page = erase(client, sam, alice, confirmed="yes").text
    assert "Staff cannot be erased" in page and "Users erased: 1." in page
    assert set(User.objects.all()) == {root, sam}


def test_no_other_staff_erase(client: Client, alice: User, sam: User) -> None:
    sam.user_permissions.add(*Permission.objects.all())
    client.force_login(sam)
    erase(client, alice, confirmed="yes")
    assert User.objects.filter(pk=alice.pk, is_active=True).exists()
