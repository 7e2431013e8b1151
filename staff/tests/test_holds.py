"""Staff place and release legal holds in the admin, and every page of the data shows that it is on hold."""

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.models import User
from conversations.models import Conversation, Hold
from conversations.services import holds
from staff.holds import hold_box
from staff.models import AuditEvent
from testing.admin import allow, audited, list_of, page_of
from testing.api_client import create_user
from testing.cast import create_conversation

ADD = reverse("admin:conversations_hold_add")


@pytest.fixture
def chat(alice: User) -> Conversation:
    return create_conversation(alice, "Hi", "Hello")


@pytest.fixture
def privacy(client: Client, sam: User) -> User:
    sam.groups.add(Group.objects.get(name="Privacy"))
    client.force_login(sam)
    return sam


def place(client: Client, target: Any, reason: str = "Case 7") -> Any:
    return client.post(ADD, {"target": str(target), "reason": reason})


@pytest.mark.parametrize("how", ["pk", "email"])
def test_privacy_places_a_hold_on_a_user(how: str, client: Client, privacy: User, alice: User) -> None:
    answer = place(client, getattr(alice, how))
    assert answer.url == page_of(alice)
    hold = Hold.objects.get()
    assert (hold.user, hold.conversation, hold.reason, hold.placed_by) == (alice, None, "Case 7", privacy.pk)
    event = AuditEvent.objects.get(action="place_hold")
    assert (event.actor, event.owner, event.object_id, event.reason) == (privacy.pk, alice.pk, str(alice.pk), "Case 7")


def test_privacy_places_a_hold_on_a_conversation_without_reading_it(
    client: Client, privacy: User, chat: Conversation
) -> None:
    assert place(client, chat.pk).status_code == 302
    assert Hold.objects.get().conversation == chat
    assert client.get(page_of(chat)).status_code == 403
    assert audited(chat) == [("place_hold", {"hold": str(Hold.objects.get().pk)})]


def test_a_hold_needs_a_reason_and_something_to_hold(client: Client, privacy: User, chat: Conversation) -> None:
    for target, reason in ((chat.pk, " "), ("nobody@example.com", "Case 7"), (privacy.pk.hex[::-1], "Case 7")):
        assert place(client, target, reason).context["form"].errors
    assert not Hold.objects.exists()


def test_privacy_releases_a_hold_with_a_reason(client: Client, privacy: User, chat: Conversation) -> None:
    hold = holds.place(user=chat.user, conversation_id=chat.pk, reason="Case 7", by=privacy)
    path = page_of(hold, "release")
    assert "Case 7" in client.get(path).text
    assert client.post(path, {"reason": ""}).context["form"].errors
    client.post(path, {"reason": "The case is closed"})
    hold.refresh_from_db()
    assert (hold.released_by, hold.release_reason) == (privacy.pk, "The case is closed")
    assert audited(chat) == [("release_hold", {"hold": str(hold.pk)})]


def test_a_hold_that_was_released_is_not_released_again(client: Client, privacy: User, chat: Conversation) -> None:
    hold = holds.place(user=chat.user, reason="Case 7", by=privacy)
    for reason in ("first", "second"):
        client.post(page_of(hold, "release"), {"reason": reason})
    hold.refresh_from_db()
    assert hold.release_reason == "first"
    assert AuditEvent.objects.filter(action="release_hold").count() == 1


def test_the_list_shows_the_holds_in_force_and_with_a_filter_the_released_ones(
    client: Client, privacy: User, chat: Conversation
) -> None:
    open_hold = holds.place(user=chat.user, conversation_id=chat.pk, reason="Case 7", by=privacy)
    closed = holds.place(user=chat.user, reason="Case 8", by=privacy)
    holds.release(hold=closed, reason="Done", by=privacy)
    page = client.get(list_of(Hold))
    assert list(page.context["cl"].queryset) == [open_hold]
    assert "Case 7" in page.text and privacy.email in page.text
    assert list(client.get(list_of(Hold), {"state": "released"}).context["cl"].queryset) == [closed]


def test_the_list_needs_eight_statements_at_most(
    client: Client, privacy: User, chat: Conversation, django_assert_max_num_queries: Any
) -> None:
    for number in range(5):
        holds.place(user=chat.user, conversation_id=chat.pk, reason=str(number), by=privacy)
    with django_assert_max_num_queries(8):
        client.get(list_of(Hold))


@pytest.mark.parametrize("kind", ["user", "conversation"])
def test_the_transcript_and_the_list_show_a_hold(kind: str, client: Client, root: User, chat: Conversation) -> None:
    for path in (page_of(chat), list_of(Conversation)):
        assert "on hold" not in client.get(path).text
    holds.place(user=chat.user, conversation_id=chat.pk if kind == "conversation" else None, reason="Case 7", by=root)
    for path in (page_of(chat), list_of(Conversation)):
        assert "on hold" in client.get(path).text
    assert "Case 7" in client.get(page_of(chat)).text


def test_the_list_of_users_shows_a_hold(client: Client, root: User, alice: User) -> None:
    assert "on hold" not in client.get(list_of(User)).text
    holds.place(user=alice, reason="Case 7", by=root)
    assert "on hold" in client.get(list_of(User)).text


def test_staff_who_may_not_see_holds_do_not_see_the_badge(client: Client, root: User, sam: User, alice: User) -> None:
    chat = create_conversation(alice, "Hi", title="Held")
    holds.place(user=alice, reason="A case", by=root)
    allow(sam, "view_conversation", "view_user")
    client.force_login(sam)
    for path in (list_of(Conversation), page_of(chat), list_of(User), page_of(alice)):
        assert "on hold" not in client.get(path).text, path


def test_the_box_of_a_transcript_places_a_hold_without_javascript(
    client: Client, root: User, chat: Conversation
) -> None:
    page = client.get(page_of(chat)).text
    assert f'action="{ADD}"' in page and f'name="target" value="{chat.pk}"' in page
    assert place(client, chat.pk).url == page_of(chat)


def test_support_sees_a_hold_and_no_form(client: Client, sam: User, chat: Conversation) -> None:
    sam.groups.add(Group.objects.get(name="Support"))
    client.force_login(sam)
    holds.place(user=chat.user, conversation_id=chat.pk, reason="Case 7", by=sam)
    page = client.get(page_of(chat)).text
    assert "Case 7" in page and ADD not in page and "/release/" not in page
    assert place(client, chat.pk).status_code == 403


def test_a_person_who_may_not_see_holds_sees_none(client: Client, sam: User, chat: Conversation) -> None:
    allow(sam, "view_conversation", "view_message")
    client.force_login(sam)
    holds.place(user=chat.user, conversation_id=chat.pk, reason="Case 7", by=sam)
    assert "Case 7" not in client.get(page_of(chat)).text


def test_the_box_of_a_user_shows_the_holds_on_the_user_and_on_conversations(
    rf: RequestFactory, root: User, chat: Conversation
) -> None:
    request: Any = rf.get("/")
    request.user = root
    assert hold_box(request, chat.user)["holds"] == []
    holds.place(user=chat.user, reason="Case 7", by=root)
    holds.place(user=chat.user, conversation_id=chat.pk, reason="Case 8", by=root)
    holds.release(hold=holds.place(user=chat.user, reason="Case 9", by=root), reason="Closed", by=root)
    box = hold_box(request, chat.user)
    assert [(row["reason"], row["placed_by_name"]) for row in box["holds"]] == [
        ("Case 7", root.email),
        ("Case 8", root.email),
    ]
    page = render_to_string("admin/holds/box.html", box, request)
    assert "Case 8" in page and "One conversation of this user" in page


# --- Deletions by staff -----------------------------------------------------------------------------------------------


def act(client: Client, action: str, row: Any) -> Any:
    form = {"action": action, "_selected_action": [row.pk], "confirmed": "yes"}
    return client.post(list_of(type(row)), form, follow=True)


def erase(client: Client, user: User) -> Any:
    return client.post(page_of(user, "erase"), {"confirmation": str(user.pk)}, follow=True)


@pytest.mark.parametrize("kind", ["user", "conversation"])
def test_staff_cannot_delete_a_conversation_on_hold_for_good(
    kind: str, client: Client, root: User, chat: Conversation
) -> None:
    holds.place(user=chat.user, conversation_id=chat.pk if kind == "conversation" else None, reason="Case 7", by=root)
    answer = act(client, "purge", chat)
    assert "on hold" in answer.text
    assert chat.messages.count() == 2
    assert audited(chat) == [], "the audit does not say that it was deleted"


@pytest.mark.parametrize("kind", ["user", "conversation"])
def test_staff_cannot_erase_a_user_on_hold(kind: str, client: Client, root: User, chat: Conversation) -> None:
    alice = chat.user
    holds.place(user=alice, conversation_id=chat.pk if kind == "conversation" else None, reason="Case 7", by=root)
    answer = erase(client, alice)
    assert "on hold" in answer.text
    alice.refresh_from_db()
    assert (alice.is_active, alice.erasing_at, chat.messages.count()) == (True, None, 2)
    assert audited(alice) == [], "the audit does not say that the user was erased"


def test_the_audit_does_not_say_that_a_member_of_staff_was_erased(client: Client, root: User) -> None:
    rita = create_user("Rita", is_staff=True)
    erase(client, rita)
    assert audited(rita) == []


def test_the_audit_has_one_event_of_each_deletion(client: Client, root: User, chat: Conversation, bob: User) -> None:
    act(client, "purge", chat)
    erase(client, bob)
    assert audited(chat) == [("delete", {})]
    assert audited(bob) == [("erase", {})]
