"""The list of conversations shows what staff have not read. Reading a transcript records it."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from accounts.models import User
from conversations.models import Conversation
from conversations.services import branches, conversations, messages
from staff.models import StaffRead
from staff.unread import record_read
from testing.admin import allow, list_of, page_of
from testing.cast import create_conversation, create_user, dialogue, message_draft
from testing.parallel import TIMEOUT, run_and_disconnect, run_while_locked
from testing.statements import executed_sql


@pytest.fixture
def trip(root: User, alice: User) -> Conversation:
    return create_conversation(alice, "Where?", "In Oslo", title="A trip")


def listed(client: Client, **query: str) -> list[Conversation]:
    return list(client.get(list_of(Conversation), query).context["cl"].result_list)


def mark(client: Client) -> str:
    """Return the words of the mark of the only conversation in the list, or an empty text."""
    page = client.get(list_of(Conversation)).text
    words = [text for text in ("Unread", "New messages") if f'class="visually-hidden">{text}: </span>' in page]
    assert len(words) <= 1
    return "".join(words)


def write(alice: User, conversation: Conversation) -> None:
    messages.append(user=alice, conversation_id=conversation.id, drafts=[message_draft("And then?")])


def test_a_conversation_is_unread_until_a_member_of_staff_reads_it(client: Client, trip: Conversation) -> None:
    assert mark(client) == "Unread"
    assert listed(client, unread="yes") == [trip]
    assert listed(client, unread="new") == listed(client, unread="no") == []
    client.get(page_of(trip))
    assert mark(client) == ""
    assert listed(client, unread="no") == [trip]
    assert listed(client, unread="yes") == listed(client, unread="new") == []


def test_a_new_message_is_marked_until_it_is_read(client: Client, trip: Conversation, alice: User) -> None:
    client.get(page_of(trip))
    write(alice, trip)
    assert mark(client) == "New messages"
    assert listed(client, unread="yes") == listed(client, unread="new") == [trip]
    client.get(page_of(trip))
    assert mark(client) == ""


def test_another_member_of_staff_reads_for_all(client: Client, trip: Conversation, sam: User) -> None:
    allow(sam, "view_conversation", "view_message")
    client.force_login(sam)
    client.get(page_of(trip))
    client.force_login(create_user("Rita", is_staff=True, is_superuser=True))
    assert mark(client) == ""


def test_staff_who_may_not_see_messages_see_the_mark_but_do_not_remove_it(
    client: Client, trip: Conversation, sam: User
) -> None:
    allow(sam, "view_conversation")
    client.force_login(sam)
    client.get(page_of(trip))
    assert mark(client) == "Unread" and "In Oslo" not in client.get(list_of(Conversation)).text


def test_a_page_in_the_middle_does_not_make_the_rest_read(client: Client, root: User, alice: User) -> None:
    long, _ = conversations.create(user=alice, fields={}, drafts=dialogue(*map(str, range(75))))
    client.get(page_of(long))
    assert mark(client) == "New messages"
    client.get(page_of(long) + "?after=50&fragment")
    assert mark(client) == ""
    client.get(page_of(long))
    assert StaffRead.objects.get().seq == 75, "reading the beginning again changes nothing"


def test_another_branch_than_the_one_that_the_user_sees_does_not_count(
    client: Client, trip: Conversation, alice: User
) -> None:
    branches.branch(user=alice, message_id=trip.messages.get(content="In Oslo").id, changes={"content": "In Rome"})
    client.get(page_of(trip) + "?branch=2")
    assert mark(client) == "Unread"


def test_a_conversation_without_messages_is_neither_read_nor_unread(client: Client, root: User, alice: User) -> None:
    conversations.create(user=alice, fields={"title": "Empty"}, drafts=[])
    assert mark(client) == ""
    assert listed(client, unread="yes") == listed(client, unread="no") == []


def test_reading_costs_one_statement_and_reading_again_none(client: Client, trip: Conversation) -> None:
    client.get(page_of(trip))  # reads content types and permissions, which are cached
    StaffRead.objects.all().delete()
    writes = []
    for _ in range(2):
        with executed_sql() as statements:
            client.get(page_of(trip))
        writes.append(sum("staff_read (" in statement for statement in statements))
        assert len(statements) <= 8
    assert writes == [1, 0]


def test_a_late_record_does_not_make_messages_unread_again(trip: Conversation) -> None:
    for seq in (2, 1):
        record_read(trip, seq)  # `trip` was read from the database before both
    assert StaffRead.objects.get().seq == 2


def test_a_purge_removes_the_record_and_a_reading_after_it_leaves_none(
    client: Client, trip: Conversation, alice: User
) -> None:
    client.get(page_of(trip))
    conversations.purge(user=alice, conversation_id=trip.id)
    assert not StaffRead.objects.exists()
    trip.staff_read = StaffRead(seq=0)  # as it was before
    record_read(trip, 2)
    assert not StaffRead.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_reading_that_a_purge_overtakes_leaves_no_record_and_no_error(trip: Conversation, alice: User) -> None:
    run_while_locked(lambda: conversations.purge(user=alice, conversation_id=trip.id), lambda: record_read(trip, 2))
    assert not Conversation.objects.exists() and not StaffRead.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_reading_does_not_wait_for_a_writer(trip: Conversation, alice: User) -> None:
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        write(alice, trip)
        pool.submit(run_and_disconnect, record_read, trip, 2).result(timeout=TIMEOUT)
    assert StaffRead.objects.get().seq == 2


def test_the_mark_is_read_with_the_rows(client: Client, trip: Conversation, alice: User) -> None:
    def statements() -> Any:
        with executed_sql() as recorded:
            client.get(list_of(Conversation))
        return len(recorded)

    statements()
    one = statements()
    for number in range(5):
        client.get(page_of(create_conversation(alice, str(number))))
    assert statements() == one
