"""Privacy sees what housekeeping will delete, and the receipts of what was erased."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from conversations.models import Conversation, ErasureReceipt
from conversations.services import conversations, erase, holds, messages, preview
from staff.models import AuditEvent
from testing.admin import list_of
from testing.cast import create_conversation, message_with_text

DELETIONS = reverse("admin:deletions")


@pytest.fixture
def privacy(client: Client, sam: User) -> User:
    sam.groups.add(Group.objects.get(name="Privacy"))
    client.force_login(sam)
    return sam


def create(user: User, title: str, *, trashed: int | None = None, idle: int = 0, tags: Any = ()) -> Conversation:
    """Create a conversation that was idle, or in the trash, for some days."""
    chat = create_conversation(user, title, tags=list(tags), title=title)
    now = timezone.now()
    Conversation.objects.filter(pk=chat.pk).update(
        deleted_at=None if trashed is None else now - timedelta(days=trashed),
        active_at=now - timedelta(days=idle),
        updated_at=now - timedelta(days=idle),
    )
    return chat


@pytest.fixture
def data(settings: Any, alice: User, bob: User) -> None:
    settings.RETENTION_DAYS, settings.RETENTION_DAYS_BY_TAG = 100, {"draft": 10}
    create(alice, "due", trashed=31)
    create(alice, "due next week", trashed=25)
    create(alice, "idle", idle=101)
    create(alice, "a draft", idle=11, tags=["draft"])
    create(alice, "a live one")
    for chat in (create(bob, "held in the trash", trashed=40), create(bob, "held and idle", idle=200)):
        holds.place(user=bob, conversation_id=chat.pk, reason="Case 7", by=bob)


@pytest.mark.usefixtures("data")
def test_the_page_counts_what_goes_by_reason_and_what_a_hold_keeps(client: Client, root: User) -> None:
    page = client.get(DELETIONS)
    shown = dict(page.context["counts"])
    assert shown["Conversations deleted from the trash"] == 1
    assert shown["Conversations moved to the trash"] == 1
    assert shown["Conversations with the tag draft moved to the trash"] == 1
    assert shown["Conversations kept by a legal hold"] == 2
    assert set(titles(page)) == {"due", "a draft", "idle"}


def titles(page: Any) -> list[str]:
    """Return the titles of the conversations that the page lists."""
    ids = [row.conversation.pk for row in page.context["preview"].rows]
    return list(Conversation.objects.filter(pk__in=ids).values_list("title", flat=True))


@pytest.mark.usefixtures("data")
def test_the_page_also_counts_what_goes_later(client: Client, root: User) -> None:
    page = client.get(DELETIONS, {"days": "7"})
    assert dict(page.context["counts"])["Conversations deleted from the trash"] == 2
    assert client.get(DELETIONS, {"days": "junk"}).status_code == 200


@pytest.mark.usefixtures("data")
def test_the_page_shows_ids_and_no_titles(client: Client, privacy: User) -> None:
    page = client.get(DELETIONS).text
    assert str(Conversation.objects.get(title="due").pk) in page
    assert "a draft" not in page


@pytest.mark.usefixtures("data")
def test_the_dry_run_of_housekeeping_prints_the_counts_and_deletes_nothing() -> None:
    before = list(Conversation.objects.order_by("id").values())
    output = StringIO()
    call_command("housekeeping", "--dry-run", stdout=output)
    assert "Conversations deleted from the trash: 1" in output.getvalue()
    assert "Conversations kept by a legal hold: 2" in output.getvalue()
    assert list(Conversation.objects.order_by("id").values()) == before


@pytest.mark.usefixtures("data")
def test_housekeeping_does_what_the_dry_run_says(client: Client, root: User) -> None:
    rows = set(titles(client.get(DELETIONS)))
    call_command("housekeeping", stdout=StringIO())
    left = set(Conversation.objects.live().values_list("title", flat=True))
    assert left == {"a live one", "held and idle"}
    assert rows == {"due", "idle", "a draft"}


def test_messages_and_audit_events_are_counted(client: Client, root: User, alice: User, settings: Any) -> None:
    settings.AUDIT_RETENTION_DAYS = 1
    chat = create_conversation(alice, "Hi", "Hello")
    messages.trash(user=alice, message_id=message_with_text(chat, "Hello").id)
    chat.messages.filter(seq=2).update(deleted_at=timezone.now() - timedelta(days=31))
    client.get(reverse("admin:search"), {"q": "Hi"})
    shown = dict(client.get(DELETIONS, {"days": 7}).context["counts"])
    assert shown["Messages deleted from the trash"] == 1
    assert shown["Audit events deleted"] == AuditEvent.objects.count() == 1


def test_large_counts_stop(client: Client, root: User, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview, "COUNT_LIMIT", 2)
    monkeypatch.setattr("staff.deletions.COUNT_LIMIT", 2)
    for number in range(5):
        create(alice, str(number), trashed=40)
    counts = dict(client.get(DELETIONS).context["counts"])
    assert str(counts["Conversations deleted from the trash"]) == "2+"


@pytest.mark.usefixtures("data")
def test_each_page_needs_eight_statements_at_most(
    client: Client, privacy: User, settings: Any, django_assert_max_num_queries: Any
) -> None:
    settings.AUDIT_RETENTION_DAYS = 1
    with django_assert_max_num_queries(8):
        client.get(DELETIONS)
    with django_assert_max_num_queries(8):
        client.get(list_of(ErasureReceipt))


def test_the_list_of_receipts_shows_numbers_and_who_asked(
    client: Client, privacy: User, alice: User, bob: User
) -> None:
    create_conversation(alice, "Hi", "Hello")
    chat = create_conversation(bob, "Hi")
    alice_id = alice.pk
    erase.erase(user=alice)
    conversations.purge(user=bob, conversation_id=chat.pk, asked_by=privacy.pk)
    page = client.get(list_of(ErasureReceipt)).text
    assert str(alice_id) in page and "the user" in page
    assert str(chat.pk) in page and privacy.email in page
    assert "alice" not in page.lower().replace("alice_", "")


def test_receipts_are_downloaded_as_csv(client: Client, privacy: User, alice: User) -> None:
    alice_id = alice.pk
    erase.erase(user=alice)
    answer = client.get(reverse("admin:conversations_erasurereceipt_csv"))
    lines = answer.getvalue().decode().splitlines()  # type: ignore[attr-defined]
    assert lines[0].startswith("user_id,conversation_id,asked_by") and lines[1].startswith(str(alice_id))
    assert AuditEvent.objects.get().action == "export"
