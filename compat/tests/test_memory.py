"""PostgreSQL sends the messages of a conversation one by one, so large ones do not pile up in its memory."""

from pathlib import Path

import pytest
from django.db import connection

from accounts.models import User
from conversations.services import conversations
from testing.api_client import ApiClient
from testing.cast import message_draft

# As JSON, each character has six bytes: 60 MB in all.
LARGE = "\x01" * 500_000
MESSAGES = 20


def peak_memory() -> int:
    """Return the largest memory that this connection's PostgreSQL process has used so far, in MB."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        pytest.skip("needs a PostgreSQL on this Linux machine")
    return int(status.read_text().partition("VmHWM:")[2].split()[0]) // 1_000


@pytest.mark.parametrize("path", ["/api/chats/{id}", "/api/v1/storage/chat-sessions"])
def test_a_read_of_large_messages_takes_little_memory_in_postgresql(path: str, alice: User) -> None:
    drafts = [message_draft(LARGE)] * MESSAGES
    conversation, _ = conversations.create(user=alice, fields={}, drafts=drafts)
    before = peak_memory()
    answer = ApiClient(alice)("GET", path.format(id=conversation.id))
    (session,) = answer.get("chatSessions", [answer])
    assert [message["content"] for message in session["messages"]] == [LARGE] * MESSAGES
    assert peak_memory() - before < 150
