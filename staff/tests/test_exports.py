"""The downloads of conversations from the admin: one conversation, and those that the filters of the list select."""

import csv
import io
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse

from accounts import services
from accounts.models import User
from conversations.models import Conversation
from conversations.services import conversations
from staff import exports
from staff.models import Action, AuditEvent
from testing.admin import allow, audited, list_of, page_of
from testing.api_client import ApiClient, create_user
from testing.cast import create_conversation
from testing.statements import executed_statements
from transfer.exporters.conversations import FORMATS

SET = "admin:conversations_conversation_export_list"


@pytest.fixture
def chats(alice: User, bob: User) -> list[Conversation]:
    """Two conversations of Alice, the second with a tag, and one of Bob."""
    first = create_conversation(alice, "Hello", "=1+1", title="First")
    second, _ = conversations.create(user=alice, fields={"title": "Second", "tags": ["x"]}, drafts=[])
    return [first, second, create_conversation(bob, "Good day", title="Third")]


def download(client: Client, path: str, **query: str) -> str:
    answer: Any = client.get(f"{path}?{urlencode(query)}")
    assert answer.status_code == 200, answer.status_code
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="conversation')
    return b"".join(answer.streaming_content).decode()


def titles(client: Client, **filters: str) -> list[str]:
    text = download(client, reverse(SET), format="jsonl", **filters)
    return [json.loads(line)["title"] for line in text.splitlines()]


def sign_in_with(client: Client, *codenames: str) -> User:
    sam = create_user("Sam", is_staff=True)
    allow(sam, *codenames)
    client.force_login(sam)
    return sam


# One conversation


@pytest.mark.parametrize("format", FORMATS)
def test_a_conversation_is_downloaded_with_its_owner_in_each_format(
    format: str, client: Client, root: User, chats: list[Conversation]
) -> None:
    text = download(client, page_of(chats[0], "export"), format=format)
    assert "First" in text and "Hello" in text and "alice@example.com" in text
    assert audited(chats[0]) == [("export", {"format": format})]


def test_the_transcript_links_to_each_format_for_those_who_may_export(
    client: Client, root: User, chats: list[Conversation]
) -> None:
    page = client.get(page_of(chats[0])).text
    for format in FORMATS:
        assert f'href="{page_of(chats[0], "export")}?format={format}"' in page
    sign_in_with(client, "view_conversation", "view_message")
    assert page_of(chats[0], "export") not in client.get(page_of(chats[0])).text
    assert reverse(SET) not in client.get(list_of(Conversation)).text


def test_an_unknown_format_and_an_unknown_conversation_are_a_404(
    client: Client, root: User, chats: list[Conversation]
) -> None:
    assert client.get(page_of(chats[0], "export"), {"format": "docx"}).status_code == 404
    assert client.get(reverse(SET), {"format": "docx"}).status_code == 404
    conversations.trash(user=chats[0].user, conversation_id=chats[0].pk)
    assert "First" in download(client, page_of(chats[0], "export"))
    conversations.purge(user=chats[0].user, conversation_id=chats[0].pk)
    assert client.get(page_of(chats[0], "export")).status_code == 404


# The conversations that filters select


def test_the_filters_of_the_list_select_what_is_downloaded(
    client: Client, root: User, alice: User, chats: list[Conversation]
) -> None:
    assert titles(client) == ["Third", "Second", "First"]
    assert titles(client, user=str(alice.pk)) == ["Second", "First"]
    assert titles(client, q="ir", p="0") == ["Third", "First"]
    assert titles(client, tag="x") == ["Second"]
    conversations.trash(user=alice, conversation_id=chats[0].pk)
    assert titles(client, state="trash") == ["First"]


def test_csv_has_the_owner_in_each_row_and_no_formulas(client: Client, root: User, chats: list[Conversation]) -> None:
    rows = list(csv.DictReader(io.StringIO(download(client, reverse(SET), format="csv"))))
    assert [(row["owner"], row["title"], row["content"]) for row in rows] == [
        ("bob@example.com", "Third", "Good day"),
        ("alice@example.com", "First", "Hello"),
        ("alice@example.com", "First", "'=1+1"),
    ]


def test_json_is_one_array_also_if_nothing_is_selected(client: Client, root: User, chats: list[Conversation]) -> None:
    owners = [row["owner"]["name"] for row in json.loads(download(client, reverse(SET), format="json"))]
    assert owners == ["bob@example.com", "alice@example.com", "alice@example.com"]
    assert json.loads(download(client, reverse(SET), format="json", q="nothing")) == []


def test_conversations_are_read_in_batches(
    client: Client, root: User, alice: User, chats: list[Conversation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "BATCH", 2)
    with executed_statements() as statements:
        answer: Any = client.get(reverse(SET), {"format": "jsonl"})
        before = len(statements)
        pieces = iter(answer.streaming_content)
        next(pieces)
        first = len(statements) - before
        conversations.create(user=alice, fields={"title": "Too late"}, drafts=[])
        assert b"Too late" not in b"".join(pieces)
    assert first == 4, "a batch of conversations, the rights, the events, and one conversation; not its messages"


def test_the_audit_has_the_export_and_each_conversation_that_was_sent(
    client: Client, root: User, alice: User, chats: list[Conversation]
) -> None:
    titles(client, user=str(alice.pk))
    export = AuditEvent.objects.get(action=Action.EXPORT, object_id="")
    assert export.details == {"format": "jsonl", "filters": [f"user={alice.pk}"]}
    for chat in chats[:2]:
        assert audited(chat) == [("export", {"format": "jsonl", "export": str(export.pk)})]
    assert not audited(chats[2])


def test_an_owner_sees_the_export_in_the_list_of_readings(
    client: Client, root: User, as_alice: ApiClient, chats: list[Conversation], settings: Any
) -> None:
    settings.SHOW_AUDIT_TO_USERS = True
    titles(client)
    events = as_alice("GET", "me/audit/")["results"]
    assert [(event["action"], event["conversation_id"]) for event in events] == [
        ("export", str(chats[0].pk)),
        ("export", str(chats[1].pk)),
    ]


# The page that asks for a format


def test_without_a_format_a_page_shows_how_many_are_selected_and_the_formats(
    client: Client, root: User, alice: User, chats: list[Conversation]
) -> None:
    page = client.get(reverse(SET), {"user": str(alice.pk)})
    assert "Selected conversations: 2" in page.text
    assert f'<input type="hidden" name="user" value="{alice.pk}">' in page.text
    assert all(f'name="format" value="{format}"' in page.text for format in FORMATS)
    assert not AuditEvent.objects.filter(action=Action.EXPORT).exists()


def test_the_list_links_to_that_page_with_its_filters(client: Client, root: User, chats: list[Conversation]) -> None:
    assert f'href="{reverse(SET)}?state=live"' in client.get(list_of(Conversation), {"state": "live"}).text


def test_the_page_finds_an_owner_by_e_mail_address_or_id(
    client: Client, root: User, bob: User, chats: list[Conversation]
) -> None:
    assert titles(client, owner="Bob@example.com") == ["Third"]
    assert titles(client, owner=str(bob.pk)) == ["Third"]
    page = client.get(reverse(SET), {"owner": "nobody@example.com", "format": "csv"})
    assert "There is no user nobody@example.com" in page.text


def test_a_search_on_that_page_is_an_event_because_it_tells_whether_titles_match(
    client: Client, root: User, chats: list[Conversation]
) -> None:
    assert "Selected conversations: 1" in client.get(reverse(SET), {"q": "third"}).text
    assert AuditEvent.objects.get(action=Action.SEARCH).details == {"words": "third"}


@pytest.mark.parametrize("name", ["q", "user", "state"])
def test_a_filter_with_a_nul_selects_nothing(name: str, client: Client, root: User, chats: list[Conversation]) -> None:
    for query in ({name: "\0"}, {name: "\0", "format": "csv"}):
        assert client.get(reverse(SET), query).status_code == 404


def test_the_event_names_the_owner_by_id(client: Client, root: User, bob: User, chats: list[Conversation]) -> None:
    assert titles(client, user="BOB@example.com") == ["Third"]
    assert AuditEvent.objects.get(object_id="").details["filters"] == [f"user={bob.pk}"]


def test_an_owner_with_a_nul_is_unknown(client: Client, root: User, chats: list[Conversation]) -> None:
    assert "There is no user" in client.get(reverse(SET), {"owner": "x\0", "format": "csv"}).text


# Rights


def test_privacy_exports_but_does_not_read_in_the_console(client: Client, chats: list[Conversation]) -> None:
    sign_in_with(client).groups.add(Group.objects.get(name="Privacy"))
    assert client.get(page_of(chats[0])).status_code == 403
    assert titles(client) == ["Third", "Second", "First"]
    page = client.get(reverse(SET)).text
    assert "Selected conversations: 3" in page and list_of(Conversation) + '"' not in page


def test_reading_does_not_give_the_right_to_export(client: Client, chats: list[Conversation]) -> None:
    sam = sign_in_with(client, "view_conversation", "view_message", "change_conversation")
    for path in (reverse(SET), page_of(chats[0], "export")):
        assert client.get(path, {"format": "csv"}).status_code == 403
    assert list(AuditEvent.objects.filter(actor=sam.pk).values_list("action", flat=True)) == ["refused", "refused"]


def test_a_download_breaks_off_if_the_person_is_suspended(
    client: Client, chats: list[Conversation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "BATCH", 1)
    sam = sign_in_with(client, "export_conversation")
    answer: Any = client.get(reverse(SET), {"format": "jsonl"})
    pieces = iter(answer.streaming_content)
    assert b"Third" in next(pieces)
    services.suspend(user=sam)
    with pytest.raises(PermissionDenied):
        list(pieces)
    assert not audited(chats[0])


def test_an_export_needs_a_reason_for_its_owner_if_reasons_are_required(
    client: Client, root: User, alice: User, chats: list[Conversation], settings: Any
) -> None:
    settings.ADMIN_REQUIRE_REASON = True
    every = client.get(reverse(SET), {"format": "csv"})
    assert "Choose an owner" in every.text, "a reason is for one owner"
    for path, query in [(page_of(chats[0], "export"), {}), (reverse(SET), {"owner": alice.email, "format": "jsonl"})]:
        answer = client.get(path, query)
        assert answer.url.startswith(reverse("admin:reason", args=[alice.pk]))
    client.post(answer.url, {"reason": "Ticket 7"})
    assert titles(client, owner=alice.email or "") == ["Second", "First"]
    assert AuditEvent.objects.filter(action=Action.EXPORT, owner=alice.pk, reason="Ticket 7").count() == 2
