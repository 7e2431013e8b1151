"""Verdicts and notes of staff on messages and conversations: the forms in a transcript, and the list."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.http import Http404
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from conversations.models import Conversation
from conversations.querysets import PURGING
from conversations.services import conversations, erase, messages, retention
from staff.models import Label, Note, Review
from staff.review import changes
from testing.admin import allow, audited, list_of, page_of
from testing.cast import create_conversation
from testing.statements import executed_sql

HOSTILE = "<script>alert(1)</script>\u202e"


@pytest.fixture
def chat(alice: User) -> Conversation:
    return create_conversation(alice, "How much is it?", "Nothing.", "Really?", "Yes.")


def post(client: Client, page: str, chat: Conversation, seq: int, **values: Any) -> Any:
    return client.post(reverse(f"admin:review_{page}", args=[chat.pk, seq]), values, follow=True)


def one_space(text: str) -> str:
    return " ".join(text.split())


# Verdicts


def test_the_first_start_creates_labels(labels: dict[str, Label]) -> None:
    assert list(labels) == ["Good", "Bad", "Wrong facts", "Refused wrongly", "Unsafe", "Off topic"]


def test_a_verdict_on_a_message_is_shown_at_the_message(
    client: Client, carla: User, chat: Conversation, labels: dict[str, Label]
) -> None:
    answer = post(client, "verdict", chat, 2, verdict=labels["Wrong facts"].pk)
    assert answer.redirect_chain[-1][0] == f"{page_of(chat)}?at=2#message-2"
    message = one_space(answer.text.partition('id="message-2"')[2].partition("</article>")[0])
    assert '<p class="outcome"> <span class="badge danger">Wrong facts</span> <small>carla@' in message
    assert answer.text.count('class="outcome"') == 1
    review = Review.objects.get()
    assert (review.message.seq, review.done_by, review.label) == (2, carla, labels["Wrong facts"])  # type: ignore[union-attr]
    assert audited(review.message)[-1] == ("verdict", {"conversation": str(chat.pk), "verdict": "Wrong facts"})


def test_a_conversation_as_a_whole_has_a_verdict_of_its_own(
    client: Client, carla: User, chat: Conversation, labels: dict[str, Label]
) -> None:
    post(client, "verdict", chat, 2, verdict=labels["Bad"].pk)
    page = post(client, "verdict", chat, 0, verdict=labels["Good"].pk)
    assert '<span class="badge ok">Good</span>' in page.text.partition('class="about"')[2]
    assert ("verdict", {"verdict": "Good"}) in audited(chat)
    assert Review.objects.count() == 2


def test_a_later_verdict_replaces_the_earlier_one_and_the_audit_has_both(
    client: Client, carla: User, chat: Conversation, labels: dict[str, Label], root: User
) -> None:
    client.force_login(carla)
    post(client, "verdict", chat, 2, verdict=labels["Good"].pk)
    client.force_login(root)
    post(client, "verdict", chat, 2, verdict=labels["Bad"].pk)
    review = Review.objects.get()
    assert (review.label, review.done_by) == (labels["Bad"], root)
    verdicts = [details["verdict"] for action, details in audited(review.message) if action == "verdict"]
    assert verdicts == ["Good", "Bad"]


def test_a_verdict_can_be_removed(client: Client, carla: User, chat: Conversation, labels: dict[str, Label]) -> None:
    post(client, "verdict", chat, 2, verdict=labels["Good"].pk)
    page = post(client, "verdict", chat, 2, verdict="none")
    assert 'class="outcome"' not in page.text
    assert list(Review.objects.values_list("label", "done_by", "done_at")) == [(None, None, None)]


def test_a_withdrawn_label_stays_on_the_messages_but_cannot_be_chosen(
    client: Client, carla: User, chat: Conversation, labels: dict[str, Label]
) -> None:
    post(client, "verdict", chat, 2, verdict=labels["Good"].pk)
    Label.objects.filter(name="Good").update(is_active=False)
    page = client.get(page_of(chat)).text
    assert ">Good</span>" in page and "> Good</button>" not in one_space(page)
    assert post(client, "verdict", chat, 3, verdict=labels["Good"].pk).status_code == 404


@pytest.mark.parametrize("verdict", ["", "x", "9" * 30, "²", "0"])
def test_a_verdict_that_is_no_label_is_a_404(verdict: str, client: Client, carla: User, chat: Conversation) -> None:
    assert post(client, "verdict", chat, 2, verdict=verdict).status_code == 404
    assert post(client, "verdict", chat, 9, verdict="looked_at").status_code == 404
    assert not Review.objects.exists()


# Notes


def test_a_note_is_shown_with_its_author_and_hostile_text_does_no_harm(
    client: Client, carla: User, chat: Conversation
) -> None:
    page = post(client, "note", chat, 2, text=f"{HOSTILE}\nsecond line")
    message = page.text.partition('id="message-2"')[2].partition("</article>")[0]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;<i>U+202E</i><br>second line" in message
    assert "carla@" in message and "<script>alert" not in page.text
    assert audited(chat.messages.get(seq=2))[-1][0] == "note"


def test_an_object_can_have_several_notes_in_order(client: Client, carla: User, chat: Conversation) -> None:
    for text in ("first", "second"):
        post(client, "note", chat, 0, text=text)
    beside = client.get(page_of(chat)).text.partition('class="about"')[2]
    assert 0 < beside.index("first") < beside.index("second")


@pytest.mark.parametrize("text", ["", " ", "x" * 2_001])
def test_a_note_that_is_empty_or_too_long_is_refused(
    text: str, client: Client, carla: User, chat: Conversation
) -> None:
    assert 'class="error"' in post(client, "note", chat, 2, text=text).text
    assert not Note.objects.exists()


def test_only_the_author_can_delete_a_note(client: Client, carla: User, chat: Conversation, root: User) -> None:
    client.force_login(carla)
    post(client, "note", chat, 2, text="mine")
    delete = reverse("admin:review_note_delete", args=[Note.objects.get().pk])
    client.force_login(root)
    assert client.post(delete).status_code == 404
    assert delete not in client.get(page_of(chat)).text
    client.force_login(carla)
    assert delete in client.get(page_of(chat)).text
    assert client.post(delete).status_code == 302
    assert not Note.objects.exists()
    assert audited(chat.messages.get(seq=2))[-1][1]["deleted"] is True


# Who sees what


def test_support_sees_verdicts_and_notes_but_no_forms(
    client: Client, carla: User, chat: Conversation, labels: dict[str, Label], sam: User
) -> None:
    post(client, "verdict", chat, 2, verdict=labels["Bad"].pk)
    post(client, "note", chat, 2, text="a note")
    sam.groups.add(Group.objects.get(name="Support"))
    client.force_login(sam)
    page = client.get(page_of(chat)).text
    assert "a note" in page and ">Bad</span>" in page and 'name="verdict"' not in page
    assert post(client, "verdict", chat, 2, verdict=labels["Good"].pk).status_code == 403
    assert post(client, "note", chat, 2, text="no").status_code == 403


def test_reviews_add_one_statement_to_a_transcript(client: Client, carla: User, chat: Conversation) -> None:
    create_conversation(chat.user, "other")
    for seq in (0, 1, 2, 3, 4):
        post(client, "note", chat, seq, text="a note")
        post(client, "verdict", chat, seq, verdict="looked_at")
    with executed_sql() as statements:
        client.get(page_of(chat))
    assert sum("review_note" in sql for sql in statements) == 1
    assert len(statements) <= 11, "\n".join(sql[:150] for sql in statements)


# The list of conversations


def test_the_list_shows_the_verdicts_of_a_conversation_and_of_its_messages(
    client: Client, carla: User, chat: Conversation, labels: dict[str, Label]
) -> None:
    post(client, "verdict", chat, 2, verdict=labels["Unsafe"].pk)
    post(client, "verdict", chat, 0, verdict=labels["Bad"].pk)
    page = one_space(client.get(list_of(Conversation)).text)
    assert '<span class="badge danger">Bad</span> <span class="badge danger">Unsafe</span>' in page


def test_the_list_can_be_filtered_by_verdict(
    client: Client, carla: User, chat: Conversation, labels: dict[str, Label], alice: User
) -> None:
    other = create_conversation(alice, "other")
    post(client, "verdict", chat, 2, verdict=labels["Bad"].pk)

    def shown(value: object) -> list[Any]:
        return [row.pk for row in client.get(list_of(Conversation), {"verdict": value}).context["cl"].result_list]

    assert shown(labels["Bad"].pk) == [chat.pk]
    assert shown("none") == [other.pk]
    assert shown(labels["Good"].pk) == []
    assert shown("x") == []


def test_the_list_shows_no_verdicts_to_staff_who_may_not_see_them(
    client: Client, sam: User, chat: Conversation
) -> None:
    allow(sam, "view_conversation", "view_message")
    client.force_login(sam)
    assert "column-verdict" not in client.get(list_of(Conversation)).text
    assert "verdicts" not in client.get(page_of(chat)).text


# What is deleted with what


def test_an_erasure_deletes_the_reviews_and_notes_about_the_user(
    client: Client, carla: User, chat: Conversation, labels: dict[str, Label], alice: User
) -> None:
    for seq in (0, 2):
        post(client, "verdict", chat, seq, verdict=labels["Bad"].pk)
        post(client, "note", chat, seq, text="Alice said so")
    erase.erase(user=alice)
    assert not Review.objects.exists() and not Note.objects.exists()


def test_a_purge_deletes_the_reviews_and_notes_of_a_conversation(
    client: Client, carla: User, chat: Conversation, alice: User
) -> None:
    post(client, "verdict", chat, 2, verdict="looked_at")
    post(client, "note", chat, 0, text="a note")
    conversations.purge(user=alice, conversation_id=chat.pk)
    assert not Review.objects.exists() and not Note.objects.exists()


def test_the_review_of_a_message_is_deleted_when_housekeeping_forgets_the_message(
    client: Client, carla: User, chat: Conversation, alice: User
) -> None:
    for seq in (2, 3):
        post(client, "verdict", chat, seq, verdict="looked_at")
        post(client, "note", chat, seq, text="a note")
    messages.trash(user=alice, message_id=chat.messages.get(seq=2).id)
    assert Review.objects.count() == 2
    chat.messages.filter(seq=2).update(deleted_at=timezone.now() - timedelta(days=400))
    assert retention.housekeep()["messages"] == 1
    assert [row.message.seq for row in (Review.objects.get(), Note.objects.get()) if row.message] == [3, 3]


def test_a_verdict_and_a_note_stay_when_their_author_is_deleted(
    client: Client, carla: User, chat: Conversation, labels: dict[str, Label], root: User
) -> None:
    client.force_login(carla)
    post(client, "verdict", chat, 2, verdict=labels["Bad"].pk)
    post(client, "note", chat, 2, text="a note")
    User.objects.filter(pk=carla.pk).update(is_staff=False)
    erase.erase(user=carla)
    client.force_login(root)
    page = client.get(page_of(chat)).text
    assert ">Bad</span>" in page and "a note" in page and "carla@" not in page


# Labels


def test_superusers_configure_the_labels(client: Client, root: User, chat: Conversation) -> None:
    form = {"name": "Impolite", "tone": "warning", "position": "5", "is_active": "on"}
    assert client.post(reverse("admin:staff_label_add"), form).status_code == 302
    page = one_space(client.get(page_of(chat)).text)
    assert page.index("Impolite</button>") < page.index("Good</button>")


def test_the_default_labels_are_translated(client: Client, carla: User, chat: Conversation) -> None:
    page = client.get(page_of(chat), headers={"Accept-Language": "de"}).text
    assert "Falsche Fakten</button>" in page


@pytest.mark.parametrize("seq", [0, 2])
def test_what_is_deleted_while_a_form_is_handled_gets_no_verdict_and_no_note(
    seq: int, rf: RequestFactory, carla: User, chat: Conversation, labels: dict[str, Label]
) -> None:
    request = rf.post("/")
    request.user = carla
    target = changes.find_target(chat.pk, seq)
    (chat.messages.filter(seq=seq) if seq else Conversation.objects).update(deleted_at=PURGING)
    for change in (
        lambda: changes.add_note(request, target, "It quotes the message."),
        lambda: changes.judge(request, target, labels["Bad"]),
    ):
        with pytest.raises(Http404):
            change()
    assert not Note.objects.exists() and not Review.objects.exists()
