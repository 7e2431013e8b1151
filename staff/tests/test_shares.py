"""Staff see who shared what, when and until when, and can end shares."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from accounts.models import User
from conversations import signals
from conversations.models import Conversation, Share
from conversations.services import conversations, shares
from staff.models import AuditEvent
from staff.user_page.reading import MOST
from testing.admin import list_of, page_of
from testing.api_client import ApiClient, create_user
from testing.cast import create_conversation

END_SHARES = {"action": "end_shares"}


@pytest.fixture
def chat(alice: User) -> Conversation:
    return create_conversation(alice, "Hi", "Hello", title="Zebras")


def test_a_share_and_its_end_are_events_about_the_conversation(alice: User, chat: Conversation) -> None:
    until = timezone.now() + timedelta(days=7)
    share = shares.create(user=alice, conversation_id=chat.id, sign_in_required=True, expires_at=until)
    shares.revoke(user=alice, share_id=share.id)
    begun, ended = AuditEvent.objects.order_by("id")
    assert (begun.action, ended.action) == ("share", "end_share")
    for event in (begun, ended):
        assert (event.actor, event.owner, event.object_id) == (alice.pk, alice.pk, str(chat.pk))
        assert (event.object_type, event.details["share"]) == ("conversations.conversation", str(share.pk))
        assert share.token not in str(event.details)
    assert begun.details == {
        "share": str(share.pk),
        "messages": 2,
        "sign_in_required": True,
        "until": str(until),
    }


def test_the_events_of_a_share_have_the_ip_address_of_the_user(as_alice: ApiClient, chat: Conversation) -> None:
    as_alice.client.defaults["REMOTE_ADDR"] = "192.0.2.7"
    share = as_alice("POST", f"conversations/{chat.id}/shares/", {}, status=201)
    as_alice("DELETE", f"shares/{share['id']}/", status=204)
    assert list(AuditEvent.objects.values_list("action", "address").order_by("id")) == [
        ("share", "192.0.2.7"),
        ("end_share", "192.0.2.7"),
    ]


def test_nothing_is_shared_if_the_event_cannot_be_stored(as_alice: ApiClient, chat: Conversation) -> None:
    def fail(**sent: object) -> None:
        raise RuntimeError

    signals.share_created.connect(fail)
    try:
        as_alice("POST", f"conversations/{chat.id}/shares/", {}, status=500)
    finally:
        signals.share_created.disconnect(fail)
    assert not Share.objects.exists() and not AuditEvent.objects.exists()


def test_the_history_of_a_conversation_shows_its_shares(
    client: Client, root: User, alice: User, chat: Conversation
) -> None:
    shares.create(user=alice, conversation_id=chat.id)
    page = client.get(page_of(chat, "history"), follow=True).text
    assert "shared" in page and "alice@example.com" in page


def test_the_page_of_a_user_shows_the_shares_without_their_links(
    client: Client, root: User, alice: User, chat: Conversation
) -> None:
    assert "Shares" not in client.get(page_of(alice)).text
    open_ = shares.create(user=alice, conversation_id=chat.id)
    shares.create(user=alice, conversation_id=chat.id, sign_in_required=True)
    page = client.get(page_of(alice)).text
    for text in ("Shares", "everyone with the link", "signed-in users with the link", "Zebras"):
        assert text in page, text
    assert open_.token not in page and "There are more shares." not in page
    for _ in range(MOST):
        shares.create(user=alice, conversation_id=chat.id)
    assert "There are more shares." in client.get(page_of(alice)).text


def test_staff_who_may_not_see_conversations_see_no_shares(client: Client, alice: User, chat: Conversation) -> None:
    shares.create(user=alice, conversation_id=chat.id)
    member = create_user("Pia", is_staff=True)
    member.groups.add(Group.objects.get(name="Privacy"))
    client.force_login(member)
    page = client.get(page_of(alice)).text
    assert "Shares" not in page and "Zebras" not in page


def test_curators_end_all_shares_of_a_conversation(
    client: Client, carla: User, alice: User, chat: Conversation, as_alice: ApiClient
) -> None:
    other = create_conversation(alice, "other")
    tokens = [shares.create(user=alice, conversation_id=chat.id).token for _ in range(2)]
    kept = shares.create(user=alice, conversation_id=other.id)
    client.post(list_of(Conversation), END_SHARES | {"_selected_action": chat.pk})
    assert Share.objects.get() == kept
    for token in tokens:
        ApiClient()("GET", f"shared/{token}/", status=404)
    event = AuditEvent.objects.get(actor=carla.pk)
    assert (event.action, event.object_id, event.owner) == ("end_shares", str(chat.pk), alice.pk)
    (shown,) = as_alice("GET", "me/audit/")["results"]
    assert (shown["action"], shown["conversation_id"]) == ("end_shares", str(chat.pk))


def test_curators_end_the_shares_of_a_conversation_in_the_trash(
    client: Client, carla: User, alice: User, chat: Conversation
) -> None:
    shares.create(user=alice, conversation_id=chat.id)
    conversations.trash(user=alice, conversation_id=chat.id)
    client.post(list_of(Conversation) + "?state=trash", END_SHARES | {"_selected_action": chat.pk})
    assert not Share.objects.exists()


def test_a_conversation_without_shares_has_nothing_to_end(client: Client, carla: User, chat: Conversation) -> None:
    client.post(list_of(Conversation), END_SHARES | {"_selected_action": chat.pk})
    assert not AuditEvent.objects.filter(action="end_shares").exists()
