"""What the rows of the lists show."""

import re
from datetime import timedelta

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.test import Client
from django.utils import timezone, translation

from accounts.models import User
from conversations.models import Conversation, Hold, Message
from conversations.services import conversations, holds
from staff.fields import since
from staff.models import AuditEvent
from testing.admin import allow, list_of, page_of
from testing.cast import create_conversation, message_draft

NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"


def list_page(client: Client, model: type = Conversation, **headers: str) -> str:
    return client.get(list_of(model), headers=headers).text


def test_a_conversation_is_shown_with_its_preview_owner_numbers_tags_and_state(
    client: Client, root: User, alice: User
) -> None:
    drafts = [message_draft("Where?"), message_draft("In Oslo", "assistant", prompt_tokens=1000, completion_tokens=234)]
    fields = {"title": "A trip", "model": "atlas", "tags": ["a", "b", "c", "d", "e"], "is_archived": True}
    conversations.create(user=alice, fields=fields, drafts=drafts)
    page = list_page(client)
    for text in ("A trip", "In Oslo", "alice@example.com", "atlas", "1,234", "+2", ">archived<"):
        assert text in page, text
    assert f'href="?user={alice.pk}"' in page


def test_the_preview_is_shown_only_to_staff_who_may_see_messages(client: Client, sam: User, alice: User) -> None:
    create_conversation(alice, "a secret", title="A trip")
    client.force_login(sam)
    allow(sam, "view_conversation")
    assert "A trip" in list_page(client) and "a secret" not in list_page(client)
    allow(sam, "view_message")
    assert "a secret" in list_page(client)


@pytest.mark.parametrize(
    ("text", "preview"),
    [
        ("## **Tomato** `jam`", "Tomato jam"),
        ("| a | b |\n|---|---:|\n| 1 | 2 |", "a b 1 2 "),
        ("snake_case * 2 - 1 # no heading", "snake_case * 2 - 1 # no heading"),
    ],
)
def test_a_preview_has_no_marks_of_markdown(text: str, preview: str, client: Client, root: User, alice: User) -> None:
    create_conversation(alice, text, title="A trip")
    assert f'dir="auto">{preview}</span>' in list_page(client)


def test_the_states_of_conversations_are_badges(client: Client, root: User, alice: User) -> None:
    for state in ("live", "in the trash"):
        conversation = create_conversation(alice, "Hello")
        if state == "in the trash":
            conversations.trash(user=alice, conversation_id=conversation.id)
        assert f">{state}</span>" in list_page(client)


def test_a_failed_message_stands_out(client: Client, root: User, alice: User) -> None:
    conversations.create(user=alice, fields={}, drafts=[message_draft("Hi"), message_draft("", status="failed")])
    assert '<span class="badge danger">Failed</span>' in list_page(client, Message)


def test_staff_and_suspended_users_stand_out(client: Client, root: User, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    page = list_page(client, User)
    assert '<span class="badge danger">suspended</span>' in page and ">superuser</span>" in page


def test_a_list_of_conversations_shows_the_exact_time_as_a_title(client: Client, root: User, alice: User) -> None:
    conversation = create_conversation(alice, "Hello")
    exact = f"{conversation.active_at:%Y-%m-%d %H:%M:%S} UTC"
    assert f'title="{exact}">now</time>' in list_page(client)
    with translation.override("en"):  # the request sets the language of the thread
        assert f'title="{exact}">jetzt</time>' in list_page(client, Accept_Language="de")


@pytest.mark.parametrize(
    ("age", "english", "german"),
    [
        (timedelta(seconds=1), "a second ago", "vor einer Sekunde"),
        (timedelta(minutes=3, seconds=5), "3 minutes ago", "vor 3 Minuten"),
        (timedelta(hours=5, minutes=50), "5 hours ago", "vor 5 Stunden"),
        (timedelta(hours=47), "a day ago", "vor einem Tag"),
        (timedelta(days=3, hours=7), "3 days ago", "vor 3 Tagen"),
        (timedelta(days=17), "2 weeks ago", "vor 2 Wochen"),
        (timedelta(days=800), "2 years ago", "vor 2 Jahren"),
    ],
)
def test_the_age_of_a_time_has_one_unit(age: timedelta, english: str, german: str) -> None:
    time = timezone.now() - age
    texts = {"en": english, "de": german}
    for language, text in texts.items():
        with translation.override(language):
            assert since(time).replace(NO_BREAK_SPACE, " ") == text


def test_texts_of_users_show_the_characters_that_reverse_the_direction_of_writing(
    client: Client, root: User, alice: User
) -> None:
    evil = "good\u202edab"
    User.objects.filter(pk=alice.pk).update(name=evil, email=None)
    chat = create_conversation(User.objects.get(pk=alice.pk), "Hi", title=evil, model=evil, tags=[evil])
    client.get(page_of(chat))
    holds.place(user=alice, reason="A case", by=root)
    form = {"action": "purge", ACTION_CHECKBOX_NAME: str(chat.pk)}
    pages = [
        client.get(list_of(Conversation), {"user": str(alice.pk), "model": evil}),
        client.post(list_of(Conversation) + "?model=" + evil, form),
        *(client.get(list_of(model)) for model in (Message, User, Hold, AuditEvent)),
        client.get("/admin/search/", {"q": str(alice.pk)}),
    ]
    for page in pages:
        shown = re.sub(r'="[^"]*"', "", page.text)  # without the attributes
        leaks = [line for line in shown.splitlines() if "\u202e" in line]
        assert "U+202E" in shown and not leaks, (page.request["PATH_INFO"], leaks)
