"""The page of a user, and the list of users: what they show, to whom, and what they cost."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import services
from accounts.models import User
from conversations.services import conversations
from staff.user_page.reading import MOST, name_browser
from testing.admin import allow, list_of, page_of
from testing.api_client import PASSWORD, create_user
from testing.cast import create_conversation

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
BROWSER = {"Accept": "text/html"}


def fill(user: User) -> str:
    """Give the user something in each part of the page. Return the secret of the token."""
    create_conversation(user, "Hi", "Hello", title="A trip")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    headers = {"User-Agent": FIREFOX}
    Client(REMOTE_ADDR="192.0.2.7").post(
        "/accounts/login/", {"login": user.email, "password": PASSWORD}, headers=headers
    )
    Authenticator.objects.create(user=user, type="totp", data={"secret": "hidden-code"})
    SocialAccount.objects.create(user=user, provider="github", uid="hidden-id")
    services.set_preferences(user=user, changes={"language": "de", "default_model": "atlas"})
    services.managed_user(manager=user, external_id="child-7")
    return services.create_token(user=user, name="laptop")[1]


def member_of(group: str, client: Client) -> User:
    member = create_user(group, is_staff=True)
    member.groups.add(Group.objects.get(name=group))
    client.force_login(member)
    return member


def test_the_page_shows_who_a_user_is_and_how_the_user_signs_in_without_secrets(
    client: Client, alice: User, db: None
) -> None:
    secret = fill(alice)
    member_of("Support", client)
    page = client.get(page_of(alice)).text
    shown = "alice@example.com verified Firefox, Linux 192.0.2.7 github laptop atlas child-7"
    for text in (*shown.split(" "), "A trip", "TOTP Authenticator", "is set", str(alice.pk)):
        assert text in page, text
    for text in (secret, "hidden-code", "hidden-id", alice.password, "pbkdf2", "md5$"):
        assert text not in page


def test_privacy_sees_no_titles(client: Client, alice: User) -> None:
    fill(alice)
    member_of("Privacy", client)
    page = client.get(page_of(alice)).text
    assert "laptop" in page and "A trip" not in page


def test_staff_who_may_only_see_users_see_neither_sign_in_nor_usage_nor_titles(
    client: Client, sam: User, alice: User
) -> None:
    fill(alice)
    allow(sam, "view_user")
    client.force_login(sam)
    page = client.get(page_of(alice)).text
    assert "alice@example.com" in page and "child-7" in page
    for text in ("A trip", "laptop", "192.0.2.7", "verified", "atlas", "Usage of the last"):
        assert text not in page, text


@pytest.mark.parametrize("group", ["Support", "Privacy", "superuser"])
def test_the_page_of_a_user_takes_at_most_eight_statements(client: Client, alice: User, group: str) -> None:
    fill(alice)
    for number in range(12):
        create_conversation(alice, "Hi", title=f"Trip {number}")
        services.create_token(user=alice, name=f"token {number}")
        services.managed_user(manager=alice, external_id=f"child {number}")
    if group == "superuser":
        client.force_login(create_user("Root", is_staff=True, is_superuser=True))
    else:
        member_of(group, client)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(page_of(alice), headers=BROWSER).status_code == 200
    assert len(captured) <= 8


def test_each_part_of_the_page_has_a_limit(client: Client, root: User, alice: User) -> None:
    for number in range(MOST + 3):
        services.create_token(user=alice, name=f"token {number}")
    page = client.get(page_of(alice))
    assert len(page.context["tokens"]) == MOST and "There are more tokens." in page.text


def test_the_usage_of_the_page_is_that_of_this_user(client: Client, root: User, alice: User, bob: User) -> None:
    create_conversation(alice, "Hi", "Hello")
    create_conversation(bob, "Hi")
    charts = {chart["name"]: chart for chart in client.get(page_of(alice), {"days": "7"}).context["usage"]["charts"]}
    assert len(charts["messages"]["bars"]) == 7
    assert (charts["messages"]["today"], charts["conversations"]["total"]) == (2, 1)


def test_conversations_in_the_trash_are_not_on_the_page(client: Client, root: User, alice: User) -> None:
    chat = create_conversation(alice, "Hi", title="A trip")
    conversations.trash(user=alice, conversation_id=chat.pk)
    assert "A trip" not in client.get(page_of(alice)).text


def test_a_name_is_shown_as_text(client: Client, root: User, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(name="<script>\u202egpj")
    services.create_token(user=alice, name="<b>bold</b>")
    page = client.get(page_of(alice)).text
    assert "&lt;script&gt;<i>U+202E</i>gpj" in page and "<b>bold" not in page


def test_a_page_that_does_not_exist_says_so(client: Client, root: User, alice: User) -> None:
    for id in ("nothing", "0198c0de-0000-7000-8000-000000000000"):
        answer = client.get(page_of(alice).replace(str(alice.pk), id), follow=True)
        assert "doesn’t exist" in answer.text


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (FIREFOX, "Firefox, Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge, Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari, iPhone"),
        ("my app 1.0", "my app 1.0"),
        ("", ""),
    ],
)
def test_a_browser_is_named(user_agent: str, name: str) -> None:
    assert name_browser(user_agent) == name


# --- The list of users -----------------------------------------------------------------------------------


def listed(client: Client, **query: str) -> list[Any]:
    return list(client.get(list_of(User), query).context["cl"].result_list)


def test_the_list_shows_messages_of_thirty_days_and_when_a_user_was_last_seen(
    client: Client, root: User, alice: User, bob: User
) -> None:
    chat = create_conversation(alice, "Hi", "Hello")
    token, _ = services.create_token(user=bob, name="laptop")
    used_at = timezone.now() - timedelta(days=3)
    type(token).objects.update(last_used_at=used_at)
    rows = {row.pk: row for row in listed(client)}
    chat.refresh_from_db()
    assert (rows[alice.pk].recent_messages, rows[alice.pk].seen_at) == (2, chat.active_at)
    assert (rows[bob.pk].recent_messages, rows[bob.pk].seen_at) == (0, used_at)


def test_the_list_of_users_takes_at_most_eight_statements(client: Client, alice: User, bob: User) -> None:
    member_of("Support", client)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(list_of(User), headers=BROWSER).status_code == 200
    assert len(captured) <= 8


def test_users_are_filtered_by_state_and_by_the_back_end(
    client: Client, root: User, alice: User, bob: User, back_end: User
) -> None:
    child = services.managed_user(manager=back_end, external_id="child")
    services.suspend(user=alice)
    User.objects.filter(pk=bob.pk).update(is_active=False, erasing_at=timezone.now())
    assert listed(client, state="suspended") == [alice]
    assert listed(client, state="erasing") == [bob]
    assert listed(client, state="staff") == [root]
    assert listed(client, state="managed") == listed(client, managed_by=str(back_end.pk)) == [child]
    assert set(listed(client, state="active")) == {root, back_end, child}


def test_a_user_is_found_by_id(client: Client, root: User, alice: User, bob: User) -> None:
    assert listed(client, q=str(alice.pk)) == [alice]


def test_the_numbers_of_the_list_need_the_right_to_see_the_usage(client: Client, sam: User, alice: User) -> None:
    allow(sam, "view_user")
    client.force_login(sam)
    assert "30 days" not in client.get(list_of(User)).text
    allow(sam, "view_dailyusage")
    assert "30 days" in client.get(list_of(User)).text
