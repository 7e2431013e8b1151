"""After an erasure, no table of the database contains the address or the name of the user."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import Preferences, User
from accounts.services import create_token
from conversations.services import erase, reactions, shares
from staff.models import AuditEvent
from testing.api_client import PASSWORD, ApiClient, acting_client_for, create_user
from testing.cast import create_conversation

EMAIL, SECOND, NAME = "zanzibar+o'hara@example.com", "quetzal@example.org", "Xanthippe Yggdrasil"
SIGNS = ("zanzibar", "quetzal", "xanthippe", "yggdrasil")
TABLES = """SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) FROM information_schema.tables
    WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')"""
BYTES = """SELECT quote_ident(table_schema) || '.' || quote_ident(table_name), quote_ident(column_name)
    FROM information_schema.columns
    WHERE data_type = 'bytea' AND table_schema NOT IN ('pg_catalog', 'information_schema')"""


def rows(sql: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def dump() -> Iterator[tuple[str, str]]:
    """Yield every row of every table as text. Also yield bytes, sessions and values of the cache in decoded form."""
    for (table,) in rows(TABLES):
        yield from ((table, row) for (row,) in rows(f"SELECT whole::text FROM {table} whole"))
    for table, column in rows(BYTES):
        yield from ((table, str(text)) for (text,) in rows(f"SELECT encode({column}, 'escape') FROM {table}"))
    for session in Session.objects.all():
        yield "sessions, decoded", json.dumps(session.get_decoded(), ensure_ascii=False)
    for (value,) in rows("SELECT value FROM cache"):
        yield "cache, decoded", base64.b64decode(value).decode("latin-1")


def tables_with_signs() -> set[str]:
    """Return the tables that contain one of SIGNS."""
    return {table for table, text in dump() if any(sign in text.lower() for sign in SIGNS)}


@pytest.fixture
def zed(db: None) -> User:
    user = create_user(NAME, email=EMAIL, image="https://example.com/zanzibar.png")
    EmailAddress.objects.create(user=user, email=EMAIL, verified=True, primary=True)
    EmailAddress.objects.create(user=user, email=SECOND, verified=True)
    return user


def post_as_stranger(path: str, **body: str) -> None:
    Client().post(f"/_allauth/browser/v1/auth/{path}", json.dumps(body), "application/json")


def use_the_service(zed: User) -> None:
    """Store the name or the address in as many tables as a user can."""
    browser = Client()
    for password in ("wrong", PASSWORD):
        browser.post("/accounts/login/", {"login": EMAIL.upper(), "password": password})
    browser.post("/accounts/email/", {"email": "third-zanzibar@example.com", "action_add": ""})
    chat = create_conversation(zed, f"I am {NAME}", "Hello")
    shares.create(user=zed, conversation_id=chat.id)
    reactions.react(user=zed, message_id=chat.messages.get(seq=1).id, type="like")
    Preferences.objects.create(user=zed, extra={"signature": NAME})
    api_client = ApiClient(zed, scopes=["read", "write", "act_as"])
    api_client("POST", "tokens/", {"name": f"{NAME}'s laptop"}, status=201, Idempotency_Key="zanzibar-1")
    acting_client_for(zed, "child")("PATCH", "me/", {"name": f"{NAME} junior"})


def attack_as_stranger(zed: User) -> None:
    post_as_stranger("password/request", email=EMAIL)
    post_as_stranger("password/request", email=SECOND.upper())
    post_as_stranger("signup", email=EMAIL, password="a horse that is correct")
    post_as_stranger("login", email=EMAIL, password="wrong")


def work_as_staff(root: User, zed: User) -> None:
    admin = Client()
    admin.force_login(root)
    form = {"email": EMAIL, "name": NAME, "image": "", "managed_by": "", "external_id": ""}
    assert admin.post(reverse("admin:accounts_user_edit", args=[zed.pk]), form).status_code == 302
    token, _ = create_token(user=zed, name=f"{NAME}'s phone")
    assert admin.post(reverse("admin:accounts_apitoken_delete", args=[token.pk]), {"post": "yes"}).status_code == 302
    preferences = {"default_model": "", "theme": "light", "language": "", "active_conversation": ""}
    assert admin.post(reverse("admin:accounts_preferences_change", args=[zed.pk]), preferences).status_code == 302
    EmailAddress.objects.filter(email=SECOND).update(verified=False)
    verify = {"action": "make_verified", "_selected_action": EmailAddress.objects.get(email=SECOND).pk}
    assert admin.post(reverse("admin:account_emailaddress_changelist"), verify).status_code == 302
    assert EmailAddress.objects.get(email=SECOND).verified
    assert AuditEvent.objects.exclude(actor=zed.pk).count() == 4


def test_no_table_contains_the_name_or_address_of_an_erased_user(zed: User) -> None:
    root = create_user("Root", is_staff=True, is_superuser=True)
    use_the_service(zed)
    attack_as_stranger(zed)
    work_as_staff(root, zed)
    assert tables_with_signs() >= {
        "public.account",
        "public.message",
        "public.share",
        "public.shared_message",
        "public.account_emailaddress",
        "sessions, decoded",
    }
    erase.erase(user=zed)
    assert tables_with_signs() == set()
    assert AuditEvent.objects.count() == 5


def test_an_erasure_keeps_sessions_with_addresses_that_only_contain_the_erased_one(zed: User) -> None:
    for email in (f"x{EMAIL}", f"{EMAIL}.au", f"x.{EMAIL}", EMAIL):
        post_as_stranger("password/request", email=email)
    assert Session.objects.count() == 4
    erase.erase(user=zed)
    kept = {row.get_decoded()["account_password_reset_verification"]["email"] for row in Session.objects.all()}
    assert kept == {f"x{EMAIL}", f"{EMAIL}.au", f"x.{EMAIL}"}
