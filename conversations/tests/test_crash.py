"""A process that is killed with SIGKILL leaves no lock. An append or a sync stores all or nothing.

A purge or an erasure deletes complete batches, and can be finished later.
"""

import json
import os
import signal
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.models import User
from chatstore.errors import NotFound
from conversations.models import Conversation, ErasureReceipt
from conversations.services import conversations, erase, messages, retention
from conversations.services.sync import sync
from testing.api_client import ApiClient
from testing.cast import active_texts, create_conversation, create_user, dialogue, message_draft, stored_rows

pytestmark = pytest.mark.django_db(transaction=True)

CHILD = """
import json, os, signal, sys, uuid
from functools import partial
import django

task = json.load(sys.stdin)
os.environ["DJANGO_SETTINGS_MODULE"] = "chatstore.settings"
django.setup()

from django.db import connection
from psycopg import Cursor
from accounts.models import User
from conversations.services import branches, conversations, erase, messages
from conversations.services import sync

connection.settings_dict["NAME"] = task["database"]
if "batch" in task:
    conversations.PURGE_BATCH = task["batch"]
user, conversation_id, drafts = User.objects.get(name="Alice"), uuid.UUID(task["conversation"]), task["drafts"]
left = task["statements"]

def kill(execute, sql, *arguments):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return execute(sql, *arguments)

copy = Cursor.copy
Cursor.copy = lambda cursor, sql, *arguments: kill(partial(copy, cursor), sql, *arguments)
where = {"user": user, "conversation_id": conversation_id}
work = {
    "append": lambda: messages.append(**where, drafts=drafts),
    "sync": lambda: sync.sync(**where, drafts=drafts),
    "purge": lambda: conversations.purge(**where),
    "erase": lambda: erase.erase(user=user),
}[task["work"]]
with connection.execute_wrapper(kill):
    work()
"""


def is_killed(chat: Conversation, work: str, *, after: int, **task: Any) -> bool:
    """Run the work in a process that is killed after this number of statements. Return whether it was killed."""
    task |= {"database": connection.settings_dict["NAME"], "conversation": str(chat.id), "statements": after}
    child = subprocess.run(
        [sys.executable, "-c", CHILD],
        input=json.dumps({"work": work, "drafts": [], **task}),
        text=True,
        capture_output=True,
        cwd=settings.BASE_DIR,
        env={**os.environ, "PYTHONWARNINGS": "default"},
        timeout=60,
    )
    assert child.returncode in (0, -signal.SIGKILL), child.stderr
    return child.returncode != 0


@pytest.mark.parametrize("after", [1, 2, 3])
def test_an_append_that_is_killed_stores_all_or_nothing(alice: User, after: int) -> None:
    """With `after=3` the append ends before the kill."""
    chat = create_conversation(alice, "Hi")
    before = stored_rows(chat)
    drafts = [message_draft(str(index)) for index in range(500)]
    assert is_killed(chat, "append", after=after, drafts=drafts) == (after < 3)
    if after < 3:
        assert stored_rows(chat) == before
    messages.append(user=alice, conversation_id=chat.id, drafts=[message_draft("next")])
    assert active_texts(chat) == ["Hi", *[draft["content"] for draft in drafts if after == 3], "next"]


@pytest.mark.parametrize("after", [2, 4, 6])
def test_a_sync_that_is_killed_stores_nothing(alice: User, after: int) -> None:
    chat = create_conversation(alice, "Hi", "Hello")
    before = stored_rows(chat)
    drafts = dialogue("Good day", "Good day to you")
    assert is_killed(chat, "sync", after=after, drafts=drafts)
    assert stored_rows(chat) == before
    sync(user=alice, conversation_id=chat.id, drafts=drafts)
    assert active_texts(chat) == ["Good day", "Good day to you"]


@pytest.mark.parametrize("after", [1, 4, 5, 6, 7, 12])
def test_a_purge_that_was_killed_is_finished_by_the_next_purge(alice: User, after: int) -> None:
    chat = create_conversation(alice, *map(str, range(35)))
    assert is_killed(chat, "purge", after=after, batch=10)
    rest = chat.messages.count()
    assert 0 < rest <= 35
    assert rest in (5, 15, 25, 35), "each batch is deleted completely or not at all"
    with pytest.raises(NotFound):
        conversations.restore(user=alice, conversation_id=chat.id)
    assert not Conversation.objects.live().exists()
    assert conversations.purge(user=alice, conversation_id=chat.id) == rest
    assert stored_rows(chat) == []


@pytest.mark.parametrize("after", [2, 3, 6, 9, 13, 16, 22, 26, 34])
def test_an_erasure_that_was_killed_is_finished_by_housekeeping(alice: User, bob: User, after: int) -> None:
    chat = create_conversation(alice, *map(str, range(25)))
    create_user("Managed", managed_by=alice)
    client = ApiClient(alice)
    others = create_conversation(bob, "Bob's own")
    assert is_killed(chat, "erase", after=after, batch=10)
    client.refusal("GET", "me/", status=401)
    assert User.objects.filter(erasing_at__isnull=False).exists()
    assert retention.housekeep()["users"] == 0, "the process that began the erasure may still be running"
    User.objects.filter(erasing_at__isnull=False).update(erasing_at=timezone.now() - 2 * erase.ABANDONED)
    assert retention.housekeep()["users"] > 0
    assert list(User.objects.all()) == [bob]
    assert stored_rows(chat) == [] and active_texts(others) == ["Bob's own"]
    receipt = ErasureReceipt.objects.get(user_id=alice.pk)
    assert (receipt.conversations, receipt.messages, receipt.managed_users) == (1, 25, 1)
