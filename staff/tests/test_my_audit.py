"""GET /api/v1/me/audit/ shows each user, and nobody else, what staff did with the user's conversations."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from conversations.models import Conversation
from conversations.services import conversations
from staff.models import AuditEvent
from testing.admin import list_of, page_of
from testing.api_client import ApiClient, acting_client, acting_client_for
from testing.cast import create_conversation
from testing.statements import assert_statement_count


def test_a_user_sees_who_read_and_changed_the_conversations(
    client: Client, root: User, alice: User, as_alice: ApiClient
) -> None:
    chat = create_conversation(alice, "Hi")
    message = chat.messages.get()
    client.get(page_of(chat))
    client.get(page_of(message))
    client.post(page_of(chat, "edit"), {"title": "New"})
    client.post(list_of(Conversation), {"action": "trash", "_selected_action": chat.pk})
    client.get(page_of(alice))
    client.post(page_of(alice, "suspend"))
    client.post(page_of(alice, "unsuspend"))
    page = as_alice("GET", "me/audit/")
    expected = [("trash", None), ("change", None), ("read_message", str(message.pk)), ("read_transcript", None)]
    assert [(row["action"], row["message_id"]) for row in page["results"]] == expected and page["next"] is None
    assert {row["conversation_id"] for row in page["results"]} == {str(chat.pk)}
    event = AuditEvent.objects.filter(action="trash").get()
    assert page["results"][0] == {
        "id": str(event.pk),
        "at": f"{event.at:%Y-%m-%dT%H:%M:%S.%fZ}",
        "action": "trash",
        "conversation_id": str(chat.pk),
        "message_id": None,
        "reason": "",
    }


def test_a_user_sees_that_staff_exported_all_data(client: Client, root: User, alice: User, as_alice: ApiClient) -> None:
    client.post(page_of(alice, "export"))
    client.post(page_of(alice, "sign_out"))
    (row,) = as_alice("GET", "me/audit/")["results"]
    assert (row["action"], row["conversation_id"], row["message_id"]) == ("export", None, None)


def test_the_audit_does_not_name_the_staff_but_has_the_reason(
    client: Client, root: User, alice: User, as_alice: ApiClient, settings: Any
) -> None:
    settings.ADMIN_REQUIRE_REASON = True
    client.post(f"/admin/reason/{alice.pk}/", {"reason": "Ticket 4711"})
    client.get(page_of(create_conversation(alice, "Hi")))
    (row,) = as_alice("GET", "me/audit/")["results"]
    assert row["reason"] == "Ticket 4711"
    assert not any(part in as_alice.text for part in ("Root", "root@", str(root.pk), "127.0.0.1"))


def test_other_users_and_the_manager_of_a_user_see_nothing(
    client: Client, root: User, alice: User, as_bob: ApiClient, back_end: User
) -> None:
    acting = acting_client_for(back_end, "u-1")
    managed = User.objects.get(external_id="u-1")
    for owner in (alice, managed):
        client.get(page_of(create_conversation(owner, "Hi")))
    assert as_bob("GET", "me/audit/")["results"] == []
    assert ApiClient(back_end)("GET", "me/audit/")["results"] == []
    assert acting_client(back_end, "u-1")("GET", "me/audit/")["results"] == acting("GET", "me/audit/")["results"]
    assert len(acting("GET", "me/audit/")["results"]) == 1
    assert ApiClient().status_of("GET", "me/audit/") == 401


def test_what_staff_do_with_other_objects_of_the_user_is_not_shown(
    root: User, alice: User, as_alice: ApiClient
) -> None:
    for action, type in (("change", "accounts.user"), ("delete", "accounts.apitoken"), ("search", ""), ("refused", "")):
        AuditEvent.objects.create(actor=root.pk, owner=alice.pk, action=action, object_type=type)
    assert as_alice("GET", "me/audit/")["results"] == []


def test_pages_contain_each_event_once_also_if_events_are_added_meanwhile(
    root: User, alice: User, as_alice: ApiClient
) -> None:
    def read() -> str:
        fields = {"action": "read_transcript", "object_type": "conversations.conversation", "object_id": str(chat.pk)}
        return str(AuditEvent.objects.create(actor=root.pk, owner=alice.pk, **fields).pk)

    chat = create_conversation(alice, "Hi")
    ids = [read() for _ in range(5)]
    page = as_alice("GET", "me/audit/?limit=2")
    read()
    rest = as_alice.pages(page["next"])
    assert [row["id"] for row in page["results"] + rest] == ids[::-1]


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "cursor=x", "cursor=WyJhdWRpdCIsNV0"])
def test_an_invalid_page_is_refused(query: str, as_alice: ApiClient) -> None:
    as_alice("GET", f"me/audit/?{query}", status=400)


def test_a_page_needs_two_statements(alice: User, as_alice: ApiClient) -> None:
    as_alice("GET", "me/audit/")
    with assert_statement_count(2):
        as_alice("GET", "me/audit/")


def test_without_the_setting_the_route_is_a_404(as_alice: ApiClient, settings: Any) -> None:
    settings.SHOW_AUDIT_TO_USERS = False
    assert as_alice.refusal("GET", "me/audit/", status=404) == ("not_found", None)


def test_the_audit_of_a_conversation_that_was_deleted_for_good_stays(
    client: Client, root: User, alice: User, as_alice: ApiClient
) -> None:
    chat = create_conversation(alice, "Hi")
    client.get(page_of(chat))
    conversations.purge(user=alice, conversation_id=chat.pk)
    assert [row["conversation_id"] for row in as_alice("GET", "me/audit/")["results"]] == [str(chat.pk)]
