"""The upgrade of a database whose last migrations are accounts 0008 and conversations 0003.

The admin moved to the app `staff` after these migrations."""

import datetime
import hashlib
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from chatstore import embedded
from chatstore.ids import new_id
from testing import scratch

OLD_VERSION = [("admin",), ("account",), ("accounts", "0008"), ("conversations", "0003"), ("sessions",), ("mfa",)]
MIGRATE = f"""
from django.core.management import call_command
for target in {OLD_VERSION!r}:
    call_command("migrate", *target, verbosity=0)
"""
READ_ROWS = """
import json, sys
from django.apps import apps
encode = lambda value: bytes(value).hex() if isinstance(value, bytes | memoryview) else str(value)
columns = {columns!r}
rows = {{label: list(apps.get_model(label).objects.order_by("pk").values(*names)) for label, names in columns.items()}}
print(json.dumps(rows, default=encode))
"""
REQUEST = """
from django.test import Client
response = Client(SERVER_NAME="localhost").get({path!r}, headers={{"Authorization": "Bearer {secret}"}})
print(response.status_code, response.text, sep="\\n")
"""
HAS_PERMISSION = """
from accounts.models import User
print(User.objects.get().has_perm("conversations.view_message"))
"""
PERMISSIONS = """
SELECT app_label, model, codename FROM django_content_type
LEFT JOIN auth_permission ON content_type_id = django_content_type.id
WHERE app_label IN ('accounts', 'conversations', 'admin')
"""
MODELS = {
    "accounts": ("user", "preferences", "apitoken", "idempotency"),
    "conversations": ("conversation", "message", "reaction"),
    "admin": ("logentry",),
}
ACTIONS = ("add", "change", "delete", "view")

USER, CONVERSATION, EDITED, SHOWN = (new_id() for _ in range(4))
SECRET = "cs_a-secret-that-was-issued-before-the-upgrade"
TIME = datetime.datetime(2026, 11, 22, 7, 36, 5, 123_456, datetime.UTC)
TIMES = {"created_at": TIME, "updated_at": TIME}
Row = dict[str, Any]


def message(id: uuid.UUID, seq: int, content: str, **fields: Any) -> Row:
    return {
        "id": id,
        "conversation_id": CONVERSATION,
        "user_id": USER,
        "external_id": f"m-{seq}",
        "seq": seq,
        "parent_seq": None,
        "is_active": True,
        "role": "user",
        "item_type": "message",
        "content": content,
        "reasoning": "",
        "name": "",
        "model": "",
        "tool_call_id": "",
        "status": "completed",
        "finish_reason": "",
        "error": "",
        "prompt_tokens": 7,
        "metadata": {"client": "web"},
        "fingerprint": bytes(range(16)),
        **TIMES,
        **fields,
    }


# The rows of each model, under the model's label. The keys of a row are the names of its columns. The models are in an
# order that satisfies the foreign keys.
STORED: dict[str, list[Row]] = {
    "accounts.User": [
        {
            "id": USER,
            "email": "alice@example.com",
            "name": "Alice",
            "image": "",
            "password": "!unusable",
            "is_superuser": False,
            "is_active": True,
            "is_staff": True,
            **TIMES,
        }
    ],
    "account.EmailAddress": [{"user_id": USER, "email": "alice@example.com", "verified": True, "primary": True}],
    "accounts.ApiToken": [
        {
            "id": new_id(),
            "user_id": USER,
            "name": "backup",
            "digest": hashlib.sha256(SECRET.encode()).digest(),
            "scopes": ["read"],
            "created_at": TIME,
        }
    ],
    "conversations.Conversation": [
        {
            "id": CONVERSATION,
            "user_id": USER,
            "external_id": "c-1",
            "source": "native",
            "end_user": "",
            "title": "A walk",
            "title_is_auto": True,
            "model": "echo",
            "notebooks": ["Travel"],
            "tags": ["hills", "京都"],
            "metadata": {"pinned_by": "alice"},
            "is_pinned": True,
            "last_seq": 2,
            "tip_seq": 2,
            "message_count": 1,
            "preview": "Which hills are near Kyoto?",
            "prompt_tokens": 14,
            "completion_tokens": 0,
            "fingerprint": bytes(16),
            "active_at": TIME,
            **TIMES,
        }
    ],
    # The question was edited: the first version is on a hidden branch.
    "conversations.Message": [
        message(EDITED, 1, "Which mountains are near Kyoto?", is_active=False),
        message(SHOWN, 2, "Which hills are near Kyoto?"),
    ],
    "conversations.Reaction": [
        {"id": new_id(), "message_id": SHOWN, "user_id": USER, "type": "like", "created_at": TIME}
    ],
    "admin.LogEntry": [
        {
            "user_id": USER,
            "action_time": TIME,
            "object_id": str(USER),
            "object_repr": "alice@example.com",
            "action_flag": 2,
            "change_message": "",
        }
    ],
}
EVENT = {"at": TIME, "actor": USER, "action": "change", "object_id": str(USER)}
TABLES = {
    "accounts.User": "account",
    "account.EmailAddress": "account_emailaddress",
    "accounts.ApiToken": "api_token",
    "conversations.Conversation": "conversation",
    "conversations.Message": "message",
    "conversations.Reaction": "reaction",
    "admin.LogEntry": "django_admin_log",
}


def insert(connection: psycopg.Connection[Any], table: str, row: Row) -> None:
    values = [Jsonb(value) if isinstance(value, dict) else value for value in row.values()]
    connection.execute(
        sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join([sql.Placeholder()] * len(row)),
        ),
        values,
    )


def insert_rows(connection: psycopg.Connection[Any]) -> None:
    for label, rows in STORED.items():
        for row in rows:
            insert(connection, TABLES[label], row)
    connection.execute(
        "INSERT INTO account_user_permissions (user_id, permission_id)"
        " SELECT %s, id FROM auth_permission WHERE codename = 'view_message'",
        [USER],
    )


def permissions(connection: psycopg.Connection[Any]) -> set[tuple[str, ...]]:
    return set(connection.execute(PERMISSIONS).fetchall())


def run_code(data_dir: Path, code: str) -> str:
    """Run the code in `manage.py shell` and return its output."""
    completed = scratch.manage(data_dir, "shell", "--no-imports", "-c", code)
    assert completed.returncode == 0, completed.stderr
    return completed.stdout.strip()


def get(data_dir: Path, path: str) -> Any:
    """Send a GET request with the stored token and return the decoded body."""
    status, _, body = run_code(data_dir, REQUEST.format(path=path, secret=SECRET)).partition("\n")
    assert status == "200", body
    return json.loads(body)


class Upgrade:
    """A database before and after `manage.py migrate`."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        run_code(data_dir, MIGRATE)
        with scratch.connect(data_dir) as connection:
            insert_rows(connection)
            self.permissions_before = permissions(connection)
        self.check_before = scratch.manage(data_dir, "migrate", "--check")
        self.migrate = scratch.manage(data_dir, "migrate", "--verbosity=0")


@pytest.fixture(scope="module")
def upgrade() -> Iterator[Upgrade]:
    with scratch.folder() as folder, embedded.running(folder / "data"):
        yield Upgrade(folder / "data")


def as_json(rows: dict[str, list[Row]]) -> Any:
    def encode(value: Any) -> str:
        return value.hex() if isinstance(value, bytes) else str(value)

    return json.loads(json.dumps(rows, default=encode))


def test_an_old_database_needs_migrations_and_they_succeed(upgrade: Upgrade) -> None:
    assert upgrade.check_before.returncode == 1
    assert (upgrade.migrate.returncode, upgrade.migrate.stderr) == (0, "")


def test_every_row_keeps_its_values_and_an_entry_of_the_log_becomes_an_event_of_the_audit(upgrade: Upgrade) -> None:
    columns = {label: list(rows[0]) for label, rows in STORED.items()} | {"staff.AuditEvent": list(EVENT)}
    read = json.loads(run_code(upgrade.data_dir, READ_ROWS.format(columns=columns)))
    assert read == as_json(STORED | {"admin.LogEntry": [], "staff.AuditEvent": [EVENT]})


def test_a_token_issued_before_the_upgrade_reads_the_messages_of_both_branches(upgrade: Upgrade) -> None:
    path = f"/api/v1/conversations/{CONVERSATION}/messages/"
    assert [row["id"] for row in get(upgrade.data_dir, path)["results"]] == [str(SHOWN)]
    assert [row["id"] for row in get(upgrade.data_dir, f"{path}?all=true")["results"]] == [str(EDITED), str(SHOWN)]


@pytest.mark.parametrize(("word", "id"), [("hills", SHOWN), ("mountains", EDITED)])
def test_search_finds_messages_stored_before_the_upgrade(word: str, id: uuid.UUID, upgrade: Upgrade) -> None:
    results = get(upgrade.data_dir, f"/api/v1/search/?q={word}")["results"]
    assert [row["message_id"] for row in results] == [str(id)]


def test_nobody_loses_a_permission(upgrade: Upgrade) -> None:
    expected = {
        (app, model, f"{action}_{model}") for app, models in MODELS.items() for model in models for action in ACTIONS
    }
    assert upgrade.permissions_before == expected
    with scratch.connect(upgrade.data_dir) as connection:
        assert permissions(connection) >= expected
    assert run_code(upgrade.data_dir, HAS_PERMISSION) == "True"


@pytest.mark.parametrize("command", [("makemigrations", "--check", "--dry-run"), ("migrate", "--check")])
def test_no_migration_is_missing_after_the_upgrade(command: tuple[str, ...], upgrade: Upgrade) -> None:
    completed = scratch.manage(upgrade.data_dir, *command)
    assert completed.returncode == 0, completed.stdout + completed.stderr
