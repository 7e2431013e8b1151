"""The sidebar and the home page list the pages that the user may open, by what people do."""

import re
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from accounts.models import User
from conversations.models import Conversation
from staff.navigation import TABLE
from testing.admin import allow, list_of, page_of
from testing.cast import create_conversation

ENTRIES = [entry for _, entries in TABLE for entry in entries]
INTERNALS = ("Log", "Groups", "API tokens", "Second factors", "Administration", "Recent actions")


def shown(client: Client, path: str = "/admin/") -> dict[str, list[str]]:
    """Return the labels of the sidebar's links, by section."""
    sections = client.get(path).context["navigation"]
    return {str(section.label): [str(link.label) for link in section.links] for section in sections}


@pytest.fixture
def support(client: Client, sam: User) -> User:
    """A support person, who may see conversations, messages and users."""
    allow(sam, "view_conversation", "view_message", "view_user")
    client.force_login(sam)
    return sam


def test_a_support_person_sees_conversations_messages_and_users(client: Client, support: User) -> None:
    assert shown(client) == {"Conversations": ["Conversations", "Search", "Messages"], "Users": ["Users"]}
    page = client.get("/admin/").text
    assert not [word for word in INTERNALS if word in page]


def test_a_superuser_sees_all_sections(client: Client, root: User) -> None:
    assert shown(client) == {str(label): [str(entry.label) for entry in entries] for label, entries in TABLE}


def test_staff_without_rights_are_told_whom_to_ask(client: Client, sam: User) -> None:
    client.force_login(sam)
    assert shown(client) == {}
    assert "Ask an administrator" in client.get("/admin/").text


def test_every_list_of_the_admin_has_an_entry() -> None:
    lists = {f"{model._meta.app_label}_{model._meta.model_name}_changelist" for model in admin.site._registry}
    assert lists - {entry.url_name for entry in ENTRIES} == set()


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: str(entry.label))
def test_the_permission_of_an_entry_opens_its_page(client: Client, sam: User, entry: Any) -> None:
    client.force_login(sam)
    path = reverse(f"admin:{entry.url_name}")
    assert client.get(path).status_code == 403
    allow(sam, entry.permission.partition(".")[2])
    assert client.get(path).status_code == 200
    assert str(entry.label) in sum(shown(client).values(), [])


def test_the_page_that_is_open_is_marked(client: Client, support: User, alice: User) -> None:
    conversation = create_conversation(alice, "Hello")
    for path in (list_of(Conversation), page_of(conversation)):
        sidebar = client.get(path).text.partition('id="navigation"')[2].partition("</nav>")[0]
        assert re.findall('aria-current="page">([^<]+)', sidebar) == ["Conversations"]


def test_breadcrumbs_have_no_names_of_apps(client: Client, root: User, alice: User) -> None:
    conversation = create_conversation(alice, "Hello", title="A trip")
    paths = {
        list_of(Conversation): ["Home", "Conversations"],
        page_of(conversation): ["Home", "Conversations", "A trip"],
        list_of(User) + "add/": ["Home", "Users", "Add user"],
        reverse("admin:auth_user_password_change", args=[alice.pk]): [
            "Home",
            "Users",
            "alice@example.com",
            "Change password: alice@example.com",
        ],
    }
    for path, expected in paths.items():
        crumbs = client.get(path).text.partition('<div class="breadcrumbs">')[2].partition("</div>")[0]
        assert re.findall(">([^<>]+)</(?:a|span)>", crumbs) == expected


def test_the_page_of_an_app_redirects_to_the_home_page(client: Client, support: User) -> None:
    answer = client.get("/admin/conversations/")
    assert (answer.status_code, answer.url) == (302, "/admin/")
