"""Add to a database of the benchmark what only the pages of staff show: a long conversation, reactions and the audit.

This is a program of its own, because it uses Django's connection to that database.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from random import Random
from typing import Any
from uuid import UUID

import django
from django.conf import settings

from .processes import ROOT
from .servers import ENVIRONMENT

LONG = 10_000  # messages
EVENTS = 200_000
ACTIONS = {"read_transcript": 70, "search": 20, "read_message": 9, "erase": 1}  # with their shares of events
# The owners react to one of fifty answers.
REACTIONS = """INSERT INTO reaction (id, message_id, user_id, type, created_at)
    SELECT gen_random_uuid(), id, user_id, CASE WHEN random() < 0.2 THEN 'thumbs_down' ELSE 'thumbs_up' END, created_at
    FROM message WHERE role = 'assistant' AND content <> '' AND random() < 0.02"""
# Move the newest counts to today, so that the home page shows full periods. The two steps avoid days that are taken.
COUNTS = """UPDATE daily_usage SET day = day + 10000;
    UPDATE daily_usage SET day = day - ((SELECT max(day) FROM daily_usage) - current_date)"""
# A conversation of a user with about a thousand messages, and its second message.
TYPICAL = """SELECT c.id, m.id, u.id, u.email FROM conversation c
    JOIN account u ON u.id = c.user_id JOIN api_token t ON t.user_id = u.id AND t.name = 'typical'
    JOIN message m ON m.conversation_id = c.id AND m.seq = 2
    WHERE c.deleted_at IS NULL AND c.message_count BETWEEN 4 AND 8 ORDER BY c.id LIMIT 1"""
# A conversation after which one of the last pages of the list begins.
LATE = "SELECT id FROM conversation ORDER BY id OFFSET 100 LIMIT 1"


def add_to(database_url: str) -> dict[str, str]:
    """Run this program. Return the cookie of a superuser, and the ids that the paths of the pages contain."""
    command = [sys.executable, "-m", "benchmarks.staff_data"]
    environment = os.environ | ENVIRONMENT | {"DATABASE_URL": database_url}
    ran = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
    facts: dict[str, str] = json.loads(ran.stdout)
    return facts


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatstore.settings")
    django.setup()
    from django.db import connection

    from conversations import daily_usage

    with connection.cursor() as cursor:
        cursor.execute(REACTIONS)
        cursor.execute(TYPICAL)
        names = ("short", "message", "user", "email")
        facts = dict(zip(names, map(str, cursor.fetchone()), strict=True))
        cursor.execute(LATE)
        facts["late"] = str(cursor.fetchone()[0])
        facts["long"] = str(_add_long_conversation(UUID(facts["user"])))
        facts["cookie"] = _sign_in(UUID(facts["user"]))
        while cursor.execute("SELECT FROM daily_usage_change LIMIT 1").fetchone() is not None:
            daily_usage.add_changes()
        cursor.execute(COUNTS)
        cursor.execute("VACUUM (ANALYZE)")
    print(json.dumps(facts))


def _add_long_conversation(user_id: UUID) -> UUID:
    """Add a conversation of LONG messages, some of them with alternatives."""
    from conversations.models import Conversation, Message

    from .world import BEGIN, PERIOD, Dataset, GeneratedConversation

    made = GeneratedConversation(Dataset(0, 0, seed=1), user_id, BEGIN + PERIOD, length=LONG)
    _copy(Conversation, [made.row() | {"deleted_at": None}])
    _copy(Message, made.messages)
    return made.id


def _sign_in(owner_id: UUID) -> str:
    """Create a superuser who has done all that is in the audit. Return the cookie of a session."""
    from django.test import Client

    from accounts.models import User
    from staff.models import AuditEvent

    root = User.objects.create_superuser("root@example.org", "a password of the benchmark")
    _copy(AuditEvent, _events(root.pk, owner_id))
    client = Client()
    client.force_login(root)
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


def _events(actor_id: UUID, owner_id: UUID) -> Iterator[dict[str, Any]]:
    from .world import BEGIN, PERIOD, Dataset

    dataset, rng = Dataset(0, 0, seed=1), Random(1)
    actions = rng.choices(list(ACTIONS), weights=ACTIONS.values(), k=EVENTS)
    for number, action in enumerate(actions):
        at = BEGIN + PERIOD * number / EVENTS
        # A hundred members of staff, of whom only one has an account.
        actor = actor_id if number % 100 == 0 else UUID(int=number % 100)
        owner = owner_id if number % 1000 == 0 else UUID(int=number % 2000)
        row = {"id": dataset.new_id(at), "actor": actor, "action": action, "owner": owner}
        yield row | {"object_type": "conversations.conversation", "object_id": str(owner)}


def _copy(model: Any, rows: Any) -> None:
    from django.db import connection

    from .fill import copy_rows

    connection.ensure_connection()
    copy_rows(connection.connection, model, rows)


if __name__ == "__main__":
    main()
