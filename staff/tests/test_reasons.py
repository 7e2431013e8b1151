"""With ADMIN_REQUIRE_REASON, staff see no content before they give a reason, whichever page of the admin they open."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from conversations.models import Conversation, Message
from staff.audit.reasons import ShowsContent
from staff.models import AuditEvent
from testing.admin import allow, list_of, page_of
from testing.cast import create_conversation, create_user
from testing.statements import executed_statements

SECRET = "quetzal"
TICKET = "Ticket 4711: the answers are empty."


@pytest.fixture(autouse=True)
def reason_required(settings: Any) -> None:
    settings.ADMIN_REQUIRE_REASON = True


@pytest.fixture
def sam(client: Client, sam: User) -> User:
    """A member of staff who may read conversations, and is signed in."""
    allow(sam, "view_conversation", "view_message", "view_user", "view_reaction")
    client.force_login(sam)
    return sam


def reason_page(owner: User, next: str = "/admin/") -> str:
    return reverse("admin:reason", args=[owner.pk], query={"next": next})


def give_reason(client: Client, owner: User, reason: str = TICKET) -> Any:
    return client.post(reason_page(owner), {"reason": reason})


def pages_of_rows(row: Any) -> list[str]:
    """Return the paths of all admin pages about one row, also of those that are added later."""
    patterns = admin.site._registry[type(row)].get_urls()
    names = [p.name for p in patterns if "object_id" in p.pattern.converters and p.name]
    values: dict[str, Any] = {"object_id": row.pk}
    more = {name: 1 for p in patterns for name in p.pattern.converters if name != "object_id"}
    paths = []
    for pattern in patterns:
        if pattern.name in names:
            known = {name: (values | more)[name] for name in pattern.pattern.converters}
            paths.append(reverse(f"admin:{pattern.name}", kwargs=known))
    return paths


def test_every_page_of_a_conversation_or_message_asks_for_a_reason(client: Client, sam: User, alice: User) -> None:
    conversation = create_conversation(alice, SECRET, title="Birds")
    for row in (conversation, conversation.messages.get()):
        assert len(pages_of_rows(row)) >= 3
        for path in pages_of_rows(row):
            for answer in (client.get(path), client.post(path, {"title": ""})):
                assert (answer.status_code, answer.url) == (302, reason_page(alice, path)), path
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("form", ["{id.hex}", "{{{id}}}", "urn:uuid:{id}", "{upper}", "{id}/../{id}"])
@pytest.mark.parametrize("query", ["", "?_to_field=id", "?_popup=1", "?after=0"])
def test_no_other_form_of_an_id_avoids_the_question(
    form: str, query: str, client: Client, sam: User, alice: User
) -> None:
    message = create_conversation(alice, SECRET).messages.get()
    for row in (message, message.conversation):
        id = form.format(id=row.pk, upper=str(row.pk).upper())
        answer = client.get(f"{list_of(type(row))}{id}/change/{query}")
        assert answer.status_code == 302 and SECRET not in answer.text


def test_no_list_of_the_admin_shows_content(client: Client, root: User, alice: User) -> None:
    conversation = create_conversation(alice, SECRET, title="Birds")
    for model in admin.site._registry:
        for query in ("", "?q=Birds"):
            assert SECRET not in client.get(list_of(model) + query).text, model
    for action in ("trash", "restore", "purge"):
        form = {"action": action, "_selected_action": conversation.pk}
        assert SECRET not in client.post(list_of(Conversation), form, follow=True).text


def test_every_admin_page_with_content_is_marked() -> None:
    for model, model_admin in admin.site._registry.items():
        assert isinstance(model_admin, ShowsContent) == (model in (Conversation, Message)), model


def test_after_a_reason_the_page_opens_and_its_events_contain_the_reason(
    client: Client, sam: User, alice: User
) -> None:
    conversation = create_conversation(alice, SECRET)
    asked = client.get(page_of(conversation), follow=True)
    assert "alice@example.com" in asked.text and SECRET not in asked.text
    answer = client.post(asked.request["PATH_INFO"] + "?" + asked.request["QUERY_STRING"], {"reason": TICKET})
    assert (answer.status_code, answer.url) == (302, page_of(conversation))
    assert SECRET in client.get(answer.url).text
    events = AuditEvent.objects.order_by("id").values_list("action", "actor", "owner", "reason")
    assert list(events) == [(action, sam.pk, alice.pk, TICKET) for action in ("reason", "read_transcript")]


def test_the_events_of_changes_contain_the_reason(client: Client, sam: User, alice: User) -> None:
    conversation = create_conversation(alice, "Hi")
    allow(sam, "change_conversation", "delete_conversation")
    give_reason(client, alice)
    assert client.post(page_of(conversation, "edit"), {"tags": "new"}).status_code == 302
    client.post(list_of(Conversation), {"action": "trash", "_selected_action": conversation.pk})
    assert set(AuditEvent.objects.values_list("action", "reason")) == {
        (action, TICKET) for action in ("reason", "change", "trash")
    }


def test_a_reason_is_for_one_owner_and_one_member_of_staff(client: Client, sam: User, alice: User, bob: User) -> None:
    hers, his = create_conversation(alice, "Hi"), create_conversation(bob, "Hi")
    give_reason(client, alice)
    assert client.get(page_of(hers)).status_code == 200
    assert client.get(page_of(his)).url == reason_page(bob, page_of(his))

    rita = create_user("Rita", is_staff=True, is_superuser=True)
    colleague = Client()
    colleague.force_login(rita)
    assert colleague.get(page_of(hers)).url == reason_page(alice, page_of(hers)), "also for superusers"


@pytest.mark.parametrize(("minutes", "is_valid"), [(59, True), (61, False)])
def test_a_reason_is_valid_for_an_hour(minutes: int, is_valid: bool, client: Client, sam: User, alice: User) -> None:
    conversation = create_conversation(alice, "Hi")
    given = timezone.now() - timedelta(minutes=minutes)
    AuditEvent.objects.create(actor=sam.pk, owner=alice.pk, action="reason", reason=TICKET, at=given)
    assert client.get(page_of(conversation)).status_code == (200 if is_valid else 302)


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_an_empty_or_very_long_reason_is_refused(reason: str, client: Client, sam: User, alice: User) -> None:
    page = give_reason(client, alice, reason)
    assert page.status_code == 200 and "errorlist" in page.text
    assert not AuditEvent.objects.exists()


def test_staff_who_may_not_read_cannot_give_a_reason(client: Client, alice: User) -> None:
    client.force_login(create_user("Rita", is_staff=True))
    assert give_reason(client, alice).status_code == 403
    assert not AuditEvent.objects.filter(action="reason").exists()


ELSEWHERE = ("https://evil.example/", "//evil.example/", "/admin\\@evil.example", "", "/api/v1/me/")


@pytest.mark.parametrize("next", ELSEWHERE)
def test_after_a_reason_nobody_is_sent_to_another_site(next: str, client: Client, sam: User, alice: User) -> None:
    assert client.post(reason_page(alice, next), {"reason": TICKET}).url == "/admin/"


@pytest.mark.parametrize("is_shown", [True, False])
def test_the_page_says_whether_the_owner_can_see_the_reason(
    is_shown: bool, client: Client, sam: User, alice: User, settings: Any
) -> None:
    settings.SHOW_AUDIT_TO_USERS = is_shown
    assert ("The owner can see it." in client.get(reason_page(alice)).text) == is_shown


def test_the_question_adds_two_statements_to_a_page(client: Client, sam: User, alice: User, settings: Any) -> None:
    conversation = create_conversation(alice, "Hi")
    give_reason(client, alice)
    for row in (conversation, conversation.messages.get()):
        counts = []
        for settings.ADMIN_REQUIRE_REASON in (False, True, False, True):
            with executed_statements() as verbs:
                assert client.get(page_of(row)).status_code == 200
            counts.append(len(verbs))
        assert counts[3] == counts[2] + 2


def test_without_the_setting_nobody_is_asked(client: Client, sam: User, alice: User, settings: Any) -> None:
    settings.ADMIN_REQUIRE_REASON = False
    assert client.get(page_of(create_conversation(alice, "Hi"))).status_code == 200
