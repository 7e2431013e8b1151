"""The pages of the audit: who sees them, the filters, the download as CSV, and what they cost."""

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from chatstore.ids import first_id, new_id
from chatstore.spreadsheets import FORMULA
from staff.audit import download
from staff.models import AuditEvent
from testing.admin import list_of, page_of
from testing.cast import create_conversation
from testing.statements import executed_statements

LIST, CSV = "/admin/staff/auditevent/", "/admin/staff/auditevent/csv/"


def create_event(actor: User, at: datetime | None = None, **fields: Any) -> AuditEvent:
    moment = {"at": at, "id": first_id(at)} if at else {}
    return AuditEvent.objects.create(**{"actor": actor.pk, "action": "search", **moment, **fields})


def listed(client: Client, **query: Any) -> list[AuditEvent]:
    answer = client.get(LIST, query)
    assert answer.status_code == 200
    return list(answer.context["cl"].result_list)


def downloaded(client: Client, **query: Any) -> list[dict[str, str]]:
    answer = client.get(CSV, query)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))


# The list


def test_privacy_sees_who_did_what_with_whose_data(client: Client, alice: User, root: User, sam: User) -> None:
    chat = create_conversation(alice, "Hi")
    client.get(page_of(chat))
    sam.groups.add(Group.objects.get(name="Privacy"))
    client.force_login(sam)
    for path in (LIST, page_of(AuditEvent.objects.get())):
        text = client.get(path).text
        for part in ("root@example.com", "alice@example.com", "read a transcript", str(chat.pk), "messages: 1 to 1"):
            assert part in text, part


def test_the_filters_find_events(client: Client, root: User, alice: User, bob: User) -> None:
    chat = create_conversation(alice, "Hi")
    by_bob = create_event(bob)
    about_alice = create_event(root, owner=alice.pk, action="read_transcript", object_id=str(chat.pk))
    assert listed(client) == [about_alice, by_bob]
    for value in (bob.pk, "bob@example.com", " BOB@example.com "):
        assert listed(client, actor=value) == [by_bob]
    for value in (alice.pk, "alice@example.com"):
        assert listed(client, owner=value) == [about_alice]
    for value in (chat.pk, chat.pk.hex, str(chat.pk).upper()):
        assert listed(client, object_id=value) == [about_alice]
    assert listed(client, action="read_transcript") == [about_alice]
    assert listed(client, action="read_transcript", owner=alice.pk, actor=root.pk) == [about_alice]
    assert listed(client, action="read_transcript", actor=bob.pk) == []


def test_the_filters_find_the_events_of_a_period(client: Client, root: User) -> None:
    first = create_event(root, datetime(2026, 5, 1, 23, 59, 59, tzinfo=UTC))
    second, third = (create_event(root, datetime(2026, 5, day, tzinfo=UTC)) for day in (2, 3))
    assert listed(client, since="2026-05-02") == [third, second]
    assert listed(client, until="2026-05-02") == [second, first]
    assert listed(client, since="2026-05-02", until="2026-05-02") == [second]


JUNK = ("x", "\0", "🦊" * 500, "%", "9999-12-31", "0001-01-01", "nobody@example.com", "--")


@pytest.mark.parametrize("name", ["actor", "owner", "object_id", "action", "since", "until"])
@pytest.mark.parametrize("value", JUNK)
def test_a_filter_with_an_unknown_value_finds_nothing_or_everything(
    name: str, value: str, client: Client, root: User
) -> None:
    create_event(root)
    assert len(listed(client, **{name: value})) in (0, 1)


def test_the_form_shows_the_values_of_the_filters(client: Client, root: User) -> None:
    page = client.get(LIST, {"actor": '"><script>', "action": "search"}).text
    assert 'name="actor" value="&quot;&gt;&lt;script&gt;"' in page
    assert '<option value="search" selected>searched</option>' in page and page.count(" selected>") == 1


def test_the_list_reads_the_index_of_each_filter(client: Client, root: User, alice: User) -> None:
    AuditEvent.objects.bulk_create(
        AuditEvent(actor=new_id(), owner=new_id(), object_id=str(new_id()), action="search") for _ in range(2_000)
    )
    rare = create_event(alice, owner=alice.pk, object_id="rare", action="erase")
    run("ANALYZE audit_event")
    for name, value in (("actor", alice.pk), ("owner", alice.pk), ("object_id", "rare"), ("action", "erase")):
        with CaptureQueriesContext(connection) as captured:
            assert listed(client, **{name: value}) == [rare]
        (page,) = [query["sql"] for query in captured if "ORDER BY" in query["sql"] and "audit_event" in query["sql"]]
        assert f"audit_event_{name.removesuffix('_id')}" in run(f"EXPLAIN {page}"), name


def run(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return "\n".join(row[0] for row in cursor.fetchall()) if cursor.description else ""


def test_the_history_of_a_row_leads_to_its_events(client: Client, root: User, alice: User) -> None:
    chat = create_conversation(alice, "Hi")
    page = client.get(page_of(chat)).text
    assert page_of(chat, "history") in page
    answer = client.get(page_of(chat, "history"), follow=True)
    assert answer.request["QUERY_STRING"] == f"object_id={chat.pk}" and "read a transcript" in answer.text


def test_the_link_to_the_history_is_only_for_readers_of_the_audit(client: Client, alice: User, sam: User) -> None:
    sam.groups.add(Group.objects.get(name="Support"))
    client.force_login(sam)
    chat = create_conversation(alice, "Hi")
    assert page_of(chat, "history") not in client.get(page_of(chat)).text
    assert client.get(page_of(chat, "history")).status_code == 403


# The download


def test_the_download_contains_the_filtered_events(client: Client, root: User, alice: User, bob: User) -> None:
    create_event(bob)
    event = create_event(
        root,
        owner=alice.pk,
        action="read_transcript",
        object_id="7",
        details={"messages": "1 to 2"},
        reason="Why",
        address="::1",
    )
    (row,) = downloaded(client, owner="alice@example.com")
    assert row == {
        "time": event.at.isoformat(),
        "actor": str(root.pk),
        "actor_name": "root@example.com",
        "action": "read_transcript",
        "object_type": "",
        "object_id": "7",
        "owner": str(alice.pk),
        "owner_name": "alice@example.com",
        "details": "messages: 1 to 2",
        "reason": "Why",
        "address": "::1",
    }


def test_a_download_is_an_event_itself(client: Client, root: User) -> None:
    downloaded(client, action="search", until="2026-05-02")
    event = AuditEvent.objects.get()
    assert (event.action, event.object_type) == ("export", "staff.auditevent")
    assert event.details == {"filters": ["action=search", "until=2026-05-02"]}


def test_the_event_of_a_download_names_users_by_id(client: Client, root: User, alice: User) -> None:
    downloaded(client, owner="Alice@example.com", actor="nobody@example.com")
    assert AuditEvent.objects.get().details == {"filters": ["actor=nobody@example.com", f"owner={alice.pk}"]}


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_that_begins_like_a_formula_is_harmless(start: str, client: Client, root: User, alice: User) -> None:
    formula = f'{start}HYPERLINK("https://evil.example";1)'
    User.objects.filter(pk=alice.pk).update(email=None, name=formula, external_id=formula)
    create_event(alice, reason=formula, object_id=formula, details={formula: formula})
    (row,) = downloaded(client, actor=alice.pk)
    assert row["reason"] == row["object_id"] == row["actor_name"] == f"'{formula}"
    assert not any(cell.startswith(FORMULA) for cell in row.values())


def test_line_breaks_and_quotes_stay_inside_their_cell(client: Client, root: User) -> None:
    text = 'a "quote", a comma\nand a line'
    create_event(root, reason=text)
    (row,) = downloaded(client, action="search")
    assert row["reason"] == text


def test_a_long_download_is_sent_in_batches_of_two_statements(
    client: Client, root: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "BATCH", 10)
    created = [create_event(root).pk for _ in range(35)]
    answer = client.get(CSV, {"action": "search"})
    pieces = iter(answer.streaming_content)
    assert next(pieces).startswith(b"time,actor")
    counts = []
    for _ in range(4):
        with executed_statements() as verbs:
            piece = next(pieces).decode()
        counts.append((piece.count("\n"), len(verbs)))
        create_event(root)  # events that are added meanwhile are not included
    assert counts == [(10, 2), (10, 2), (10, 2), (5, 2)] and next(pieces, None) is None
    assert len(created) == 35


@pytest.mark.parametrize(("query", "status"), [("p=7", 302), ("p=x", 200), ("reason__contains=a", 400), ("o=1.2", 200)])
def test_a_download_with_other_parameters_is_refused_or_ignores_them(
    query: str, status: int, client: Client, root: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin.site._registry[AuditEvent], "list_per_page", 1)
    create_event(root)
    create_event(root)
    assert client.get(f"{CSV}?{query}").status_code == status


def test_only_readers_of_the_audit_can_download_it(client: Client, sam: User) -> None:
    sam.groups.add(Group.objects.get(name="Curators"))
    client.force_login(sam)
    assert client.get(CSV).status_code == 403
    assert client.get(reverse("admin:staff_auditevent_changelist")).status_code == 403
    assert list_of(AuditEvent) == LIST
