"""The number of SQL statements of each page in a request of a browser, with those for the session and the user."""

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from accounts.models import ApiToken, Preferences, User
from conversations.models import Conversation, Message, Reaction
from conversations.services import branches, reactions
from staff.models import AuditEvent
from testing.admin import allow, list_of, page_of
from testing.cast import create_conversation, create_user, message_with_text
from testing.statements import executed_sql


@pytest.fixture
def chat(alice: User) -> Conversation:
    """A conversation with a branch and a reaction, and another one of the same owner."""
    chat = create_conversation(alice, "one", "two", "three", title="Zebras")
    branches.branch(user=alice, message_id=message_with_text(chat, "three").id, changes={"content": "other"})
    reactions.react(user=alice, message_id=message_with_text(chat, "two").id, type="thumbs_down")
    create_conversation(alice, "other", title="Giraffes")
    return chat


def statements_of(client: Client, path: str) -> list[str]:
    client.get(path, headers={"Accept": "text/html"})  # fills the caches of the process
    with executed_sql() as statements:
        answer = client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 200, path
    assert "Abmelden" in answer.text, "the page is in the language of the preferences"
    return statements


@pytest.mark.parametrize("role", ["Support", "superuser"])
def test_each_page_needs_at_most_as_many_statements_as_this_table_says(
    role: str, client: Client, alice: User, chat: Conversation
) -> None:
    member = create_user(role, is_staff=True, is_superuser=role == "superuser")
    member.groups.set(Group.objects.filter(name=role))
    Preferences.objects.create(user=member, language="de")
    client.force_login(member)
    plain, message = alice.conversations.get(title="Giraffes"), message_with_text(chat, "one")
    table = {
        reverse("admin:index"): 6,
        list_of(Conversation): 5,
        page_of(plain): 6,
        page_of(chat): 8,  # its branches need two
        page_of(chat, "edit"): 3,
        list_of(Message): 4,
        page_of(message): 5,
        list_of(Reaction): 4,
        list_of(User): 5,
        page_of(alice): 7,
        # A search with few results runs further stages (conversations/search/execute.py).
        reverse("admin:search", query={"q": "zebras"}): 10,
    }
    if role == "superuser":
        table |= {
            reverse("admin:conversations_conversation_export_list"): 3,
            list_of(AuditEvent): 5,
            list_of(Preferences): 4,
            list_of(ApiToken): 4,
            list_of(Group): 4,
        }
    found = {path: statements_of(client, path) for path in table}
    too_many = {path: sql for path, sql in found.items() if len(sql) > table[path]}
    assert not too_many, "\n".join(f"{path}: {len(sql)}\n{chr(10).join(sql)}" for path, sql in too_many.items())


def test_a_session_of_an_older_version_stays_valid(client: Client, alice: User, chat: Conversation) -> None:
    member = create_user("Sam", is_staff=True, is_superuser=True)
    for backend in settings.AUTHENTICATION_BACKENDS:
        client.force_login(member, backend=backend)
        assert client.get(page_of(chat)).status_code == 200


def test_permissions_apply_from_the_next_request_on(client: Client, chat: Conversation) -> None:
    member = create_user("Sam", is_staff=True)
    client.force_login(member)
    assert client.get(page_of(chat)).status_code == 403
    allow(member, "view_conversation")
    assert client.get(page_of(chat)).status_code == 200
    member.user_permissions.clear()
    assert client.get(page_of(chat)).status_code == 403
