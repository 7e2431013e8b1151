"""The audit: what adds an event, what an event contains, and what the database refuses to do with it."""

from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiToken, User
from accounts.services import create_token
from chatstore.ids import first_id
from conversations.models import Conversation, Message
from conversations.services import erase
from staff.audit import retention
from staff.models import AuditEvent
from testing.admin import allow, audited, list_of, page_of
from testing.cast import create_conversation, create_user
from testing.parallel import run_concurrently
from testing.statements import executed_statements


def events(**fields: Any) -> list[tuple[str, Any]]:
    return list(AuditEvent.objects.filter(**fields).order_by("id").values_list("action", "details"))


def run_sql(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


# What an event contains


def test_an_event_names_the_actor_the_object_the_owner_and_the_address(client: Client, root: User, alice: User) -> None:
    message = create_conversation(alice, "Hi").messages.get()
    client.get(page_of(message))
    event = AuditEvent.objects.get()
    assert (event.actor, event.owner, event.action) == (root.pk, alice.pk, "read_message")
    assert (event.object_type, event.object_id) == ("conversations.message", str(message.pk))
    assert (event.details, event.reason, event.address) == (
        {"conversation": str(message.conversation_id)},
        "",
        "127.0.0.1",
    )
    assert abs(event.at - timezone.now()) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("proxies", "header", "address"),
    [
        (0, "192.0.2.66", "127.0.0.1"),
        (1, "192.0.2.66, 198.51.100.7", "198.51.100.7"),
        (1, "<script>, 2001:db8::1", "2001:db8::1"),
        (1, "fe80::1%eth0", "fe80::1"),
        (1, "not an address", None),
    ],
)
def test_a_forged_header_does_not_hide_the_address(
    proxies: int, header: str, address: str | None, client: Client, root: User, alice: User, settings: Any
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    chat = create_conversation(alice, "Hi")
    assert client.get(page_of(chat), headers={"X-Forwarded-For": header}).status_code == 200
    assert AuditEvent.objects.get().address == address


def test_each_change_adds_an_event_with_the_fields(client: Client, root: User, alice: User) -> None:
    chat = create_conversation(alice, "Hi")
    client.post(page_of(chat, "edit"), {"title": "New", "tags": "a\nb"})
    assert audited(chat) == [("change", {"fields": ["Title", "Tags"]})]
    client.post(page_of(chat, "edit"), {"title": "New", "tags": "a\nb"})
    assert len(audited(chat)) == 1, "the second form changed nothing"


def test_revoking_tokens_adds_an_event_for_each(client: Client, root: User, alice: User) -> None:
    tokens = [create_token(user=alice, name=name)[0] for name in ("laptop", "phone", "tablet")]
    client.post(page_of(tokens[0], "delete"), {"post": "yes"})
    form = {"action": "delete_selected", "_selected_action": [tokens[1].pk, tokens[2].pk], "post": "yes"}
    client.post(list_of(ApiToken), form)
    assert not ApiToken.objects.exists()
    assert [audited(token) for token in tokens] == [[("delete", {})]] * 3
    assert set(AuditEvent.objects.values_list("owner", flat=True)) == {alice.pk}


def test_a_change_of_a_password_adds_an_event_without_the_password(client: Client, root: User, alice: User) -> None:
    new = {"usable_password": "true", "password1": "another horse battery", "password2": "another horse battery"}
    assert client.post(reverse("admin:auth_user_password_change", args=[alice.pk]), new).status_code == 302
    ((action, details),) = audited(alice)
    assert action == "change" and "horse" not in str(details)


# A change and its event


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("action", ["change", "trash", "delete_selected", "password"])
def test_a_change_whose_event_cannot_be_stored_is_not_made(
    action: str, client: Client, root: User, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat, (token, _) = create_conversation(alice, "Hi", title="Old"), create_token(user=alice, name="laptop")
    client.raise_request_exception = False
    monkeypatch.setattr("staff.audit.events.address_of", lambda request: "not an address")  # the column refuses it
    new = {"usable_password": "true", "password1": "another horse battery", "password2": "another horse battery"}
    path, form = {
        "change": (page_of(chat, "edit"), {"title": "New"}),
        "trash": (list_of(Conversation), {"action": "trash", "_selected_action": chat.pk}),
        "delete_selected": (
            list_of(ApiToken),
            {"action": "delete_selected", "_selected_action": token.pk, "post": "yes"},
        ),
        "password": (reverse("admin:auth_user_password_change", args=[alice.pk]), new),
    }[action]
    assert client.post(path, form).status_code == 500
    chat.refresh_from_db()
    assert (chat.title, chat.deleted_at) == ("Old", None)
    assert ApiToken.objects.exists() and not User.objects.get(pk=alice.pk).check_password("another horse battery")


def test_a_transcript_whose_event_cannot_be_stored_is_not_shown(
    client: Client, root: User, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = create_conversation(alice, "quetzal")
    client.raise_request_exception = False
    monkeypatch.setattr("staff.audit.events.address_of", lambda request: "not an address")
    with transaction.atomic():
        answer = client.get(page_of(chat))
        transaction.set_rollback(True)
    assert answer.status_code == 500 and "quetzal" not in answer.text


# Searches


def test_a_search_in_any_list_records_the_words(client: Client, root: User) -> None:
    searchable = [model for model, page in admin.site._registry.items() if page.search_fields]
    assert {User, Conversation, Message} <= set(searchable)
    for model in searchable:
        client.get(list_of(model), {"q": "blue birds"})
        client.get(list_of(model))
        assert events(object_type=model._meta.label_lower) == [("search", {"words": "blue birds"})], model


def test_a_search_in_a_form_field_records_the_words(client: Client, root: User) -> None:
    field = {"app_label": "accounts", "model_name": "user", "field_name": "managed_by", "term": "ali"}
    client.get(reverse("admin:autocomplete"), field)
    assert events() == [("search", {"words": "ali"})]


def test_very_many_words_are_cut_and_a_nul_character_does_no_harm(client: Client, root: User) -> None:
    assert client.get(list_of(User), {"q": "é" * 5_000}).status_code == 200
    ((_, details),) = events()
    assert details == {"words": "é" * 500 + "…"}
    assert client.get(list_of(User), {"q": "a\0b"}).status_code == 200


# Refusals


def test_a_refused_request_of_staff_is_recorded_once_a_minute_for_each_page(
    client: Client, sam: User, alice: User
) -> None:
    client.force_login(sam)
    chat = create_conversation(alice, "Hi")
    for _ in range(3):
        assert client.get(page_of(chat)).status_code == 403
        assert client.get(page_of(alice)).status_code == 403
    conversation, user = (
        {"page": f"admin:{name}_change", "ids": [str(row.pk)], "method": "GET"}
        for name, row in (("conversations_conversation", chat), ("accounts_user", alice))
    )
    assert events(actor=sam.pk) == [("refused", conversation), ("refused", user)]


def test_a_refused_action_is_recorded_and_not_run(client: Client, sam: User, alice: User) -> None:
    allow(sam, "view_conversation")
    client.force_login(sam)
    chat = create_conversation(alice, "Hi")
    form = {"action": "purge", "_selected_action": chat.pk, "confirmed": "yes"}
    assert client.post(list_of(Conversation), form).status_code == 403
    page = {"page": "admin:conversations_conversation_changelist", "method": "POST", "action": "purge"}
    assert events() == [("refused", page)] and Conversation.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_parallel_refusals_are_recorded_once(sam: User) -> None:
    def open_list(client: Client) -> int:
        return int(client.get(list_of(User)).status_code)

    clients = [Client() for _ in range(4)]
    for client in clients:
        client.force_login(sam)
    run_concurrently(*[lambda client=client: open_list(client) for client in clients])
    assert len(events()) == 1


def test_requests_of_people_who_are_not_staff_are_not_recorded(client: Client, alice: User) -> None:
    client.get(list_of(User))
    client.force_login(alice)
    client.get(list_of(User), follow=True)
    assert not AuditEvent.objects.exists()


# What the database refuses


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET reason = 'another'",
        "UPDATE audit_event SET at = '2000-01-01'",
        "DELETE FROM audit_event",
        "SET LOCAL chatstore.audit_delete_before = '2020-01-01'; DELETE FROM audit_event",
        "SET LOCAL chatstore.audit_delete_before = ''; DELETE FROM audit_event",
        "SET LOCAL chatstore.audit_delete_before = 'infinity'; UPDATE audit_event SET reason = 'another'",
        "TRUNCATE audit_event",
        "INSERT INTO audit_event SELECT * FROM audit_event ON CONFLICT (id) DO UPDATE SET reason = 'another'",
    ],
)
def test_the_database_refuses_to_change_and_delete_events(statement: str, alice: User) -> None:
    event = AuditEvent.objects.create(actor=alice.pk, action="search", reason="why")
    with pytest.raises(IntegrityError, match="append-only"):
        run_sql(statement)
    assert AuditEvent.objects.get().reason == event.reason


def test_events_stay_when_the_actor_and_the_owner_are_erased(
    client: Client, root: User, alice: User, bob: User
) -> None:
    chat = create_conversation(alice, "Hi")
    client.get(page_of(chat))
    AuditEvent.objects.create(actor=bob.pk, owner=alice.pk, action="search")
    erase.erase(user=alice)
    erase.erase(user=bob)
    assert set(AuditEvent.objects.values_list("actor", "owner")) == {(root.pk, alice.pk), (bob.pk, alice.pk)}
    page = client.get(list_of(AuditEvent)).text
    assert str(alice.pk) in page and str(bob.pk) in page and "alice@example.com" not in page


# Retention


def create_event(days_ago: float) -> AuditEvent:
    at = timezone.now() - timedelta(days=days_ago)
    id = first_id(at)
    return AuditEvent.objects.create(id=id, actor=id, action="search", at=at)


def test_housekeeping_deletes_events_after_the_retention_days(db: None, settings: Any) -> None:
    settings.AUDIT_RETENTION_DAYS = 30
    kept = [create_event(days_ago) for days_ago in (1, 29.9)]
    for days_ago in (30.1, 31, 400):
        create_event(days_ago)
    call_command("housekeeping", verbosity=0)
    assert set(AuditEvent.objects.all()) == set(kept)
    with pytest.raises(IntegrityError, match="append-only"):
        run_sql("DELETE FROM audit_event")


def test_without_retention_days_events_are_kept_for_ever(db: None, settings: Any) -> None:
    settings.AUDIT_RETENTION_DAYS = 0
    create_event(10_000)
    assert retention.delete_old_events() == 0 and AuditEvent.objects.exists()


def test_a_round_of_housekeeping_deletes_a_bounded_number_of_events_and_the_oldest_first(
    db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.AUDIT_RETENTION_DAYS = 1
    monkeypatch.setattr(retention, "BATCH", 2)
    rows = [create_event(days_ago) for days_ago in (5, 4, 3)]
    with executed_statements() as verbs:
        assert retention.delete_old_events() == 2
    assert verbs == ["SELECT", "SELECT", "DELETE"]
    assert list(AuditEvent.objects.all()) == rows[2:]
    assert (retention.delete_old_events(), retention.delete_old_events()) == (1, 0)


# Entries of Django's log


def test_the_migration_moves_the_entries_of_djangos_log_to_the_audit(db: None, alice: User, root: User) -> None:
    chat = create_conversation(alice, "Hi")
    message = chat.messages.get()
    old: list[tuple[Any, int, str]] = [
        (chat, 2, "Read the transcript, messages 1 to 1."),
        (message, 2, "Read the message."),
        (chat, 2, "Moved to the trash."),
        (chat, 2, '[{"changed": {"fields": ["Title"]}}]'),
        (chat, 3, "Deleted for good."),
        (alice, 1, ""),
        (alice, 3, "Erasure requested."),
    ]
    for row, flag, text in old:
        type = ContentType.objects.get_for_model(row)
        LogEntry.objects.create(
            user=root, content_type=type, object_id=str(row.pk), object_repr="", action_flag=flag, change_message=text
        )
    LogEntry.objects.create(user=root, object_id="5", object_repr="", action_flag=2, change_message="x" * 600)
    times = list(LogEntry.objects.order_by("id").values_list("action_time", flat=True))
    run_sql(import_module("staff.migrations.0004_move_log").MOVE.replace("%%", "%"))

    assert not LogEntry.objects.exists()
    moved = list(AuditEvent.objects.order_by("at"))
    actions = ["read_transcript", "read_message", "trash", "change", "delete", "add", "erase", "change"]
    assert [event.action for event in moved] == actions and [event.at for event in moved] == times
    assert {(event.actor, event.owner) for event in moved[:-1]} == {(root.pk, alice.pk)}
    assert moved[-1].owner is None and moved[-1].details == {"log": "x" * 500}
    assert moved[1].details == {"log": "Read the message.", "conversation": str(chat.pk)}
    assert {event.id.version for event in moved} == {7}
    assert all(first_id(event.at) <= event.id < first_id(event.at + timedelta(milliseconds=2)) for event in moved)


def test_nothing_writes_djangos_log(client: Client, root: User, alice: User) -> None:
    chat = create_conversation(alice, "Hi")
    client.post(page_of(chat, "edit"), {"title": "New"})
    client.post(list_of(Conversation), {"action": "trash", "_selected_action": chat.pk})
    assert not LogEntry.objects.exists() and LogEntry not in admin.site._registry


@pytest.mark.django_db(transaction=True)
def test_each_reading_by_several_members_of_staff_at_once_adds_an_event(alice: User) -> None:
    chat = create_conversation(alice, "Hi")
    clients = {}
    for name in ("Rita", "Sue", "Tom"):
        user = create_user(name, is_staff=True, is_superuser=True)
        clients[user.pk] = Client()
        clients[user.pk].force_login(user)

    def read(client: Client) -> Callable[[], Any]:
        return lambda: [client.get(page_of(chat)) for _ in range(3)]

    run_concurrently(*[read(client) for client in clients.values()])
    assert sorted(AuditEvent.objects.values_list("actor", flat=True)) == sorted([*clients] * 3)
