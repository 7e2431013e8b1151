"""The rights of each group of staff: every page and action of the admin is compared with docs/staff-rights.md."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.test import Client, RequestFactory
from django.urls import URLResolver, reverse

from accounts.models import Preferences, User
from accounts.services import create_token
from conversations.models import ErasureReceipt
from conversations.services import conversations, holds, reactions
from staff.models import AuditEvent, Job, Label
from staff.user_page.actions import ACTIONS
from testing.cast import create_user, message_draft

PIXEL = "data:image/png;base64,iVBORw0KGgo="
DOCUMENT = settings.BASE_DIR / "docs/staff-rights.md"
COLUMNS = ("Staff", "Support", "Curators", "Privacy", "superuser")
# Pages without a right of their own: signing in and out, links, a list of an app, other paths, and the search of a form
# field, which needs the right to see the rows that it finds.
COMMON = {"login", "logout", "view_on_site", "app_list", "autocomplete", None}
# Addresses without a page, to which the forms of other pages post.
ONLY_FORMS = {
    "staff_job_cancel",
    *(
        f"review_{name}"
        for name in ("verdict", "note", "note_delete", "next", "assign", "filter_save", "filter_delete")
    ),
}


@dataclass(frozen=True)
class Row:
    """A page in the table, or the form of a page (POST), or an action of a list."""

    page: str
    method: str
    action: str
    allowed: frozenset[str]

    def __str__(self) -> str:
        return f"{self.method} {self.page} {self.action}".strip()


def rows() -> Iterator[Row]:
    """Yield the rows of the table in the document."""
    for line in DOCUMENT.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 7 and set(cells[2:]) <= {"yes", "–"}:
            allowed = frozenset(name for name, cell in zip(COLUMNS, cells[2:], strict=True) if cell == "yes")
            yield from (_row(page.split(), allowed) for page in cells[1].split(", "))


def _row(words: list[str], allowed: frozenset[str]) -> Row:
    action = words[1] if words[0] == "action" else ""
    return Row(words[-1], "POST" if len(words) > 1 else "GET", action, allowed)


ROWS = list(rows())


def admin_pages(patterns: list[Any] = admin.site.urls[0]) -> Iterator[Any]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from admin_pages(pattern.url_patterns)
        else:
            yield pattern


def sample_rows(owner: User) -> dict[str, Any]:
    """Create a row of each model that has admin pages. The keys are the first words of the names of its pages."""
    parts = [{"type": "image_url", "image_url": {"url": PIXEL}}]
    conversation, _ = conversations.create(user=owner, fields={}, drafts=[message_draft("Hi", parts=parts)])
    message = conversation.messages.get()
    created = [
        owner,
        message,
        message.conversation,
        reactions.react(user=owner, message_id=message.id, type="like")[0],
        Preferences.objects.create(user=owner),
        create_token(user=owner, name="laptop")[0],
        EmailAddress.objects.create(user=owner, email=owner.email),
        Authenticator.objects.create(user=owner, type="totp", data={"secret": "x"}),
        SocialAccount.objects.create(user=owner, provider="github", uid="1"),
        Group.objects.create(name="Helpers"),
        AuditEvent.objects.create(actor=owner.pk, action="search"),
        ErasureReceipt.objects.create(user_id=owner.pk),
        holds.place(user=owner, reason="Case 7", by=owner),
        Label.objects.create(name="Impolite"),
        Job.objects.create(actor=owner, action="trash"),
    ]
    named = {f"{row._meta.app_label}_{row._meta.model_name}": row for row in created}
    return named | {"auth_user": owner, "reason": owner, "review": message.conversation}


def path_of(page: str, samples: dict[str, Any]) -> str:
    row = samples.get(page.split("_")[0]) or samples.get("_".join(page.split("_")[:2]))
    pattern = next(pattern for pattern in admin_pages() if pattern.name == page)
    values = dict.fromkeys(pattern.pattern.regex.groupindex, row and row.pk)
    values |= {
        name: value
        for name, value in {"number": 1, "report": "days", "seq": 1, "key": "dislikes"}.items()
        if name in values
    }
    return reverse(f"admin:{page}", kwargs=values)


def status(client: Client, row: Row, samples: dict[str, Any]) -> int:
    path = path_of(row.page, samples)
    if row.method == "GET":
        return int(client.get(path).status_code)
    if not row.action:
        return int(client.post(path).status_code)
    form = {"action": row.action, "_selected_action": samples["_".join(row.page.split("_")[:2])].pk}
    return int(client.post(path, form).status_code)


@pytest.fixture
def staff(db: None) -> dict[str, User]:
    """A member of staff for each column of the table."""
    members = {name: create_user(name, is_staff=True, is_superuser=name == "superuser") for name in COLUMNS}
    for name in ("Support", "Curators", "Privacy"):
        members[name].groups.add(Group.objects.get(name=name))
    return members


def test_every_page_and_action_of_the_admin_is_in_the_table() -> None:
    pages = {pattern.name for pattern in admin_pages()} - COMMON
    assert {row.page for row in ROWS} == pages
    forms = {row.page for row in ROWS if row.method == "POST" and not row.action}
    changes = {page for page in pages if page.endswith("_change") and not page.endswith("password_change")}
    pages_to_read = {"conversations_conversation_change", "accounts_user_change"}
    actions_on_users = {f"accounts_user_{name}" for name in ACTIONS}
    forms_apart = {"conversations_conversation_edit", "accounts_user_edit"} | actions_on_users
    assert forms - ONLY_FORMS == changes - pages_to_read | forms_apart
    request: Any = RequestFactory().get("/")
    request.user = User(is_superuser=True)
    actions = {
        (f"{model._meta.app_label}_{model._meta.model_name}_changelist", action)
        for model, model_admin in admin.site._registry.items()
        for action in model_admin.get_actions(request)
    }
    assert {(row.page, row.action) for row in ROWS if row.action} == actions


def test_the_table_has_each_page_and_action_once() -> None:
    assert len(set(map(str, ROWS))) == len(ROWS) > 80


@pytest.mark.parametrize("name", COLUMNS)
def test_each_group_may_do_what_the_table_says(name: str, client: Client, staff: dict[str, User], alice: User) -> None:
    samples = sample_rows(alice)
    client.force_login(staff[name])
    found = {str(row): status(client, row, samples) for row in ROWS}
    assert set(found.values()) <= {200, 302, 403, 404}
    assert {row for row, code in found.items() if code != 403} == {str(row) for row in ROWS if name in row.allowed}


def test_users_who_are_not_staff_may_do_nothing(client: Client, alice: User, bob: User) -> None:
    samples = sample_rows(alice)
    client.force_login(bob)
    for row in ROWS:
        path = path_of(row.page, samples)
        answer = client.generic(row.method, path)
        assert (answer.status_code, answer.url.partition("?")[0]) == (302, "/admin/login/"), row
        assert client.get(answer.url).status_code == 403
    assert not AuditEvent.objects.filter(actor=bob.pk).exists()


def test_the_migration_changes_no_group_that_exists(db: None) -> None:
    create_groups: Any = import_module("staff.migrations.0003_groups").create_groups
    privacy, curators = Group.objects.get(name="Privacy"), Group.objects.get(name="Curators")
    privacy.permissions.add(Permission.objects.get(codename="view_conversation"))
    curators.permissions.clear()
    Group.objects.get(name="Support").delete()
    for _ in range(2):
        create_groups(apps, None)
    assert privacy.permissions.count() == 13 and not curators.permissions.exists()
    assert Group.objects.get(name="Support").permissions.count() == 5
    assert Group.objects.count() == 3


def test_the_migration_creates_the_permissions_that_are_missing(db: None) -> None:
    create_groups: Any = import_module("staff.migrations.0003_groups").create_groups
    Group.objects.all().delete()
    names = {permission.codename: permission.name for permission in Permission.objects.all()}
    Permission.objects.all().delete()
    create_groups(apps, None)
    created = {permission.codename: permission.name for permission in Permission.objects.all()}
    assert created.items() <= names.items() and len(created) == 9
