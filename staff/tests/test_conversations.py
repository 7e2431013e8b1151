"""Every admin page loads, escapes its texts, executes a constant number of statements, and checks permissions.
Reading a transcript adds an event to the audit."""

from collections.abc import Iterator
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Idempotency, Preferences, User
from accounts.services import create_token
from conversations.models import (
    Conversation,
    DailyUsage,
    DailyUsageChange,
    ErasureReceipt,
    Message,
    Reaction,
    Share,
    SharedMessage,
)
from conversations.querysets import PURGING
from conversations.services import conversations, holds, messages, reactions
from staff.models import AuditEvent, Job
from testing.admin import allow, audited, list_of, page_of
from testing.cast import create_conversation, create_user, dialogue, message_draft, message_with_text
from testing.statements import executed_statements

HOSTILE = "<script>alert(1)</script>"
ABSENT = "01a00000-0000-7000-8000-000000000000"
REGISTERED = sorted(admin.site._registry, key=lambda model: model._meta.label)


def run_action(client: Client, action: str, *rows: Conversation, **more: str) -> Any:
    ids = [row.pk for row in rows]
    return client.post(list_of(Conversation), {"action": action, "_selected_action": ids, **more}, follow=True)


# Every page


def create_rows(root: User, count: int) -> None:
    """Create rows of every model. Their names and texts contain a script that would run if it were not escaped."""
    for _ in range(count):
        # Each user is managed by the previous one.
        user = create_user(
            f"{HOSTILE}{User.objects.count()}", managed_by=User.objects.latest("pk"), external_id=HOSTILE
        )
        Preferences.objects.create(user=user, default_model=HOSTILE, extra={"a": HOSTILE})
        create_token(user=user, name=HOSTILE)
        EmailAddress.objects.create(user=user, email=user.email)
        Authenticator.objects.create(user=user, type="totp", data={"secret": HOSTILE})
        SocialAccount.objects.create(user=user, provider="github", uid=f"{HOSTILE}{user.pk}", extra_data={"a": HOSTILE})
        Group.objects.create(name=f"{HOSTILE}{Group.objects.count()}")
        conversation = hostile_conversation(user)
        reactions.react(user=user, message_id=conversation.messages.earliest("seq").id, type=HOSTILE)
        holds.place(user=user, conversation_id=conversation.id, reason=HOSTILE, by=user)
        ErasureReceipt.objects.create(user_id=user.pk, asked_by=user.pk)
        AuditEvent.objects.create(
            actor=user.pk, owner=user.pk, action="search", object_id=HOSTILE, details={"words": HOSTILE}, reason=HOSTILE
        )
        Job.objects.create(
            actor=user, action="add_tag", tag=HOSTILE, query=f"q={HOSTILE}", errors=[[str(user.pk), HOSTILE]]
        )


def hostile_conversation(user: User) -> Conversation:
    call = {"id": HOSTILE, "type": "function", "function": {"name": HOSTILE, "arguments": HOSTILE}}
    drafts = [
        message_draft(HOSTILE, "system", name=HOSTILE),
        message_draft(None, parts=[{"type": "text", "text": HOSTILE}]),
        message_draft(None, "assistant", tool_calls=[call], reasoning=HOSTILE, model=HOSTILE, metadata={"a": HOSTILE}),
        message_draft(HOSTILE, "tool", tool_call_id=HOSTILE, error=HOSTILE, status="failed", finish_reason=HOSTILE),
    ]
    fields = {"title": HOSTILE, "tags": [HOSTILE], "model": HOSTILE, "metadata": {"a": HOSTILE}}
    return conversations.create(user=user, fields=fields, drafts=drafts)[0]


def list_urls(client: Client, model: Any) -> Iterator[str]:
    """Yield the URLs of the list: without a filter, with searches, and with each choice of each filter."""
    yield list_of(model)
    changelist = client.get(list_of(model)).context["cl"]
    if changelist.search_fields:
        yield from (f"{list_of(model)}?q={word}" for word in ("script", "example.com", ABSENT))
    for spec in changelist.filter_specs:
        yield from (list_of(model) + choice["query_string"] for choice in spec.choices(changelist))


def page_urls(client: Client, model: Any) -> Iterator[str]:
    row = model.objects.order_by("-pk").first()
    yield from list_urls(client, model)
    yield page_of(row)
    if model is Conversation:
        yield page_of(row, "edit")
    if client.get(list_of(model)).context["has_add_permission"]:
        yield list_of(model) + "add/"


def statement_count(client: Client, path: str) -> int:
    client.get(path)  # reads content types and permissions, which are cached
    with executed_statements() as verbs:
        assert client.get(path).status_code == 200
    return len(verbs)


def test_every_model_has_an_admin_page_except_keys_daily_counts_and_shares() -> None:
    ours = {*apps.get_app_config("accounts").get_models(), *apps.get_app_config("conversations").get_models()}
    assert ours - admin.site._registry.keys() == {Idempotency, DailyUsage, DailyUsageChange, Share, SharedMessage}


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model.__name__)
def test_every_page_loads_and_escapes_its_texts(client: Client, root: User, model: Any) -> None:
    create_rows(root, 2)
    for path in page_urls(client, model):
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert "<script>alert" not in answer.text, path


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model.__name__)
def test_a_page_with_many_rows_needs_no_more_statements_than_with_few(client: Client, root: User, model: Any) -> None:
    create_rows(root, 2)
    client.get(page_of(model.objects.latest("pk")))  # marks a conversation as read, so that the filter finds one
    few = [statement_count(client, path) for path in page_urls(client, model)]
    create_rows(root, 10)
    assert [statement_count(client, path) for path in page_urls(client, model)] == few
    assert max(few) <= 8


# Staff see only their own jobs (test_jobs.py).
@pytest.mark.parametrize("model", [model for model in REGISTERED if model is not Job], ids=lambda model: model.__name__)
def test_only_staff_with_the_permission_can_open_the_pages(client: Client, root: User, sam: User, model: Any) -> None:
    create_rows(root, 1)
    paths = [list_of(model), page_of(model.objects.order_by("-pk").first())]
    client.logout()
    assert [client.get(path).status_code for path in paths] == [302] * 2
    client.force_login(User.objects.exclude(is_staff=True).first())
    assert [client.get(path).status_code for path in paths] == [302] * 2
    client.force_login(sam)
    assert [client.get(path).status_code for path in paths] == [403] * 2
    allow(sam, f"view_{model._meta.model_name}")
    assert [client.get(path).status_code for path in paths] == [200] * 2


# Lists


def test_the_number_of_counted_rows_is_bounded(
    client: Client, root: User, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("staff.big_tables.COUNT_LIMIT", 1_000)
    conversations.create(user=alice, fields={}, drafts=dialogue(*map(str, range(1_001))))
    with CaptureQueriesContext(connection) as captured:
        page = client.get(list_of(Message)).text
    counts = [query["sql"] for query in captured if "COUNT(" in query["sql"]]
    assert len(counts) == 1 and "LIMIT 1001" in counts[0]
    assert "1,000+ results" in page and "1,000+ messages" in page


def test_a_list_always_has_the_newest_row_first(client: Client, root: User, alice: User) -> None:
    rows = [create_conversation(alice, title=title) for title in "bac"]
    result = client.get(list_of(Conversation), {"o": "1"}).context["cl"].result_list
    assert [row.pk for row in result] == [row.pk for row in reversed(rows)]


@pytest.mark.parametrize(
    "lookup", ["content__contains=a", "user__email=a", "conversation__title=a", "created_at__year=2026"]
)
def test_lookups_that_no_link_or_filter_uses_are_refused(client: Client, root: User, lookup: str) -> None:
    assert client.get(f"{list_of(Message)}?{lookup}").status_code == 400


def test_conversations_are_found_by_id_title_and_owner(client: Client, root: User, alice: User, bob: User) -> None:
    trip = create_conversation(alice, "secret", title="A trip to Oslo", external_id="trip-1")
    other = create_conversation(bob, "secret", title="Notes")

    def search(term: object) -> list[Conversation]:
        return list(client.get(list_of(Conversation), {"q": term}).context["cl"].result_list)

    for term in (trip.id, trip.id.hex, "trip-1", "OSLO", "alice@example.com", "Ali", alice.id):
        assert search(term) == [trip], term
    assert search("example.com") == search("secret") == search("trip-") == []
    assert search("") == [other, trip]


def test_the_page_of_a_user_links_to_the_conversations_of_that_user(
    client: Client, root: User, alice: User, bob: User
) -> None:
    mine = create_conversation(alice, "hello")
    create_conversation(bob, "hello")
    link = f"{list_of(Conversation)}?user={alice.pk}"
    assert link in client.get(page_of(alice)).text
    assert list(client.get(link).context["cl"].result_list) == [mine]


def test_conversations_are_filtered_by_state(client: Client, root: User, alice: User) -> None:
    live = create_conversation(alice, "live")
    archived = create_conversation(alice, "archived", is_archived=True)
    trashed = create_conversation(alice, "trashed")
    conversations.trash(user=alice, conversation_id=trashed.id)
    for state, row in (("live", live), ("archived", archived), ("trash", trashed)):
        assert list(client.get(list_of(Conversation), {"state": state}).context["cl"].result_list) == [row]


def test_messages_are_found_by_id_and_by_conversation_and_the_list_shows_no_text(
    client: Client, root: User, alice: User
) -> None:
    conversation = create_conversation(alice, "a secret question", "a secret answer", title="Notes")
    create_conversation(alice, "another")
    question, answer = conversation.messages.order_by("seq")

    def messages_in_list(**query: object) -> list[Message]:
        page = client.get(list_of(Message), query)
        assert "secret" not in page.text
        return list(page.context["cl"].result_list)

    assert messages_in_list(q=question.id) == [question]
    assert messages_in_list(q=conversation.id) == messages_in_list(conversation=conversation.id) == [answer, question]
    messages.trash(user=alice, message_id=answer.id)
    assert messages_in_list(state="trash") == [answer]
    assert not client.get(list_of(Message), {"q": "secret"}).context["cl"].result_list


# The audit


def test_reading_messages_adds_events_to_the_audit(client: Client, alice: User, sam: User) -> None:
    conversation, _ = conversations.create(user=alice, fields={}, drafts=dialogue(*map(str, range(75))))
    allow(sam, "view_conversation")
    client.force_login(sam)
    page = client.get(page_of(conversation))
    assert page.status_code == 200 and "transcript" not in page.context and not audited(conversation)

    allow(sam, "view_message")
    client.get(page_of(conversation))
    client.get(page_of(conversation) + "?after=50&fragment")
    assert audited(conversation) == [
        ("read_transcript", {"messages": "1 to 50"}),
        ("read_transcript", {"messages": "51 to 75"}),
    ]
    message = message_with_text(conversation, "7")
    client.get(page_of(message))
    client.get(page_of(message, "json"))
    assert audited(message) == [("read_message", {"conversation": str(conversation.pk)})] * 2


def test_the_form_of_a_conversation_shows_no_messages(client: Client, root: User, alice: User) -> None:
    conversation = create_conversation(alice, "a secret question", title="Notes")
    page = client.get(page_of(conversation, "edit"))
    assert page.status_code == 200 and "secret" not in page.text
    assert "This field is required." in client.post(page_of(conversation, "edit"), {"title": ""}).text
    assert audited(conversation) == []


def test_the_audit_of_a_change_contains_no_title(client: Client, root: User, alice: User) -> None:
    conversation = create_conversation(alice, "one", title="My illness")
    answer = client.post(page_of(conversation, "edit"), {"title": "My other illness"})
    assert answer.url == page_of(conversation)
    assert audited(conversation) == [("change", {"fields": ["Title"]})]
    assert "illness" in client.get(page_of(conversation)).text  # Django's success message contains the title
    assert "illness" not in client.get(list_of(AuditEvent)).text


# Changing


def test_a_change_affects_only_the_editable_fields(client: Client, root: User, alice: User) -> None:
    conversation = create_conversation(alice, "one", tags=["a, b", "c"], notebooks=["n"])
    before = Conversation.objects.get()
    form = {"title": "Better", "tags": "a, b\r\nc\r\nd", "notebooks": "n", "is_pinned": "on", "last_seq": "99"}
    assert client.post(page_of(conversation, "edit"), form).status_code == 302
    after = Conversation.objects.get()
    assert (after.title, after.title_is_auto, after.is_pinned) == ("Better", False, True)
    assert (after.tags, after.notebooks) == (["a, b", "c", "d"], ["n"])
    assert after.updated_at > before.updated_at
    assert (after.last_seq, after.active_at) == (before.last_seq, before.active_at)


def test_staff_change_the_tags_but_not_the_words_of_a_user(client: Client, alice: User, sam: User) -> None:
    conversation = create_conversation(alice, "one", title="Mine", tags=["a"])
    form = {"title": "Theirs", "tags": "a\r\nb", "notebooks": "n", "is_pinned": "on", "model": "m"}
    client.force_login(sam)
    assert client.post(page_of(conversation, "edit"), form).status_code == 403

    allow(sam, "change_conversation")
    assert client.post(page_of(conversation, "edit"), form).status_code == 302
    after = Conversation.objects.get()
    assert after.tags == ["a", "b"]
    assert (after.title, after.notebooks, after.is_pinned, after.model) == ("Mine", [], False, "")


def test_saving_without_a_change_does_not_update_the_row(client: Client, root: User, alice: User) -> None:
    create_conversation(alice, "one", tags=["a, b", "c"])
    before = Conversation.objects.get()
    assert client.post(page_of(before, "edit"), {"title": before.title, "tags": "a, b\r\nc"}).status_code == 302
    assert Conversation.objects.get().updated_at == before.updated_at


def test_a_conversation_in_the_trash_can_be_read_but_not_changed(client: Client, root: User, alice: User) -> None:
    conversation = create_conversation(alice, "one")
    conversations.trash(user=alice, conversation_id=conversation.id)
    assert len(client.get(page_of(conversation)).context["transcript"].messages) == 1
    assert client.post(page_of(conversation, "edit"), {"title": "Better"}).status_code == 403


@pytest.mark.parametrize("model", [Conversation, Message, Reaction])
def test_rows_cannot_be_added_or_deleted_and_messages_and_reactions_cannot_be_changed(
    client: Client, root: User, alice: User, model: Any
) -> None:
    conversation = create_conversation(alice, "one")
    reactions.react(user=alice, message_id=conversation.messages.get().id, type="like")
    row = model.objects.get()
    assert client.get(list_of(model) + "add/").status_code == 403
    assert client.post(page_of(row, "delete"), {"post": "yes"}).status_code == 403
    assert "delete_selected" not in client.get(list_of(model)).text
    refused = 405 if model is Conversation else 403  # a conversation has a page of its own for its form
    assert client.post(page_of(row), {"content": "other", "type": "other"}).status_code == refused


# Trash, restore, delete for good


def test_trash_and_restore_need_the_permission_to_delete(client: Client, alice: User, sam: User) -> None:
    conversation = create_conversation(alice, "one")
    allow(sam, "view_conversation", "change_conversation")
    client.force_login(sam)
    run_action(client, "trash", conversation)
    assert Conversation.objects.live().count() == 1

    allow(sam, "delete_conversation")
    assert "Conversations moved to the trash: 1." in run_action(client, "trash", conversation).text
    assert Conversation.objects.trashed().count() == 1
    assert "Conversations restored: 1." in run_action(client, "restore", conversation).text
    assert Conversation.objects.live().count() == 1
    assert audited(conversation) == [("trash", {}), ("restore", {})]


def test_an_error_for_one_row_is_shown_and_the_other_rows_are_restored(client: Client, root: User, alice: User) -> None:
    taken, free = create_conversation(alice, "one", external_id="a"), create_conversation(alice, "two")
    run_action(client, "trash", taken, free)
    create_conversation(alice, "three", external_id="a")
    answer = run_action(client, "restore", taken, free).text
    assert "has the external_id" in answer and "Conversations restored: 1." in answer
    assert audited(taken) == [("trash", {})]
    assert set(Conversation.objects.trashed()) == {taken}


def test_only_a_superuser_can_purge_and_only_after_a_confirmation(client: Client, alice: User, sam: User) -> None:
    conversation, other = create_conversation(alice, "one", "two", title=HOSTILE), create_conversation(alice, "three")
    allow(sam, "view_conversation", "change_conversation", "delete_conversation")
    client.force_login(sam)
    run_action(client, "purge", conversation, confirmed="yes")
    assert Conversation.objects.count() == 2

    client.force_login(create_user("Root", is_staff=True, is_superuser=True))
    page = run_action(client, "purge", conversation).text
    assert "cannot be undone" in page and str(conversation.pk) in page and "<script>alert" not in page
    assert Conversation.objects.count() == 2
    assert "Conversations deleted for good: 1." in run_action(client, "purge", conversation, confirmed="yes").text
    assert list(Conversation.objects.all()) == [other]
    assert Message.objects.count() == 1
    assert [action for action, _ in audited(conversation)] == ["delete"]


def test_a_conversation_whose_purge_has_started_cannot_be_restored(client: Client, root: User, alice: User) -> None:
    conversation = create_conversation(alice, "one")
    Conversation.objects.update(deleted_at=PURGING)
    assert "Conversations restored: 0." in run_action(client, "restore", conversation).text
    assert "deleted for good" in client.get(list_of(Conversation)).text
