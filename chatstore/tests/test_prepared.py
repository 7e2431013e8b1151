"""Prepared statements: each connection prepares only the chosen ones, and their plans are good for all values."""

import re
from typing import Any

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from accounts.models import User
from chatstore import raw_sql
from compat import rows
from compat.chat_history import schemas as contract_c
from conversations import sql
from conversations.models import Message
from conversations.services import messages
from testing.api_client import ApiClient, create_user
from testing.cast import create_conversation, message_draft

NUMBER = 20_000  # conversations of a user; each has one message, and one of them has as many messages
FILL_CONVERSATIONS = """INSERT INTO conversation (id, user_id, source, end_user, title, title_is_auto, model, notebooks,
        tags, metadata, is_pinned, last_seq, message_count, preview, prompt_tokens, completion_tokens, created_at,
        updated_at, active_at, model_options)
    SELECT gen_random_uuid(), user_id, source, end_user, title, title_is_auto, model, notebooks, tags, metadata,
        is_pinned, last_seq, message_count, preview, prompt_tokens, completion_tokens, created_at + t, updated_at + t,
        active_at + t, model_options
    FROM conversation, generate_series(1, %s) n, LATERAL (SELECT n * interval '1 s' AS t) s WHERE id = %s"""
FILL_MESSAGES = """INSERT INTO message (id, conversation_id, user_id, seq, is_active, role, item_type, content,
        reasoning, name, model, tool_call_id, status, finish_reason, error, metadata, created_at, updated_at)
    SELECT gen_random_uuid(), conversation_id, user_id, seq + n, is_active, role, item_type, content, reasoning, name,
        model, tool_call_id, status, finish_reason, error, metadata, created_at, updated_at
    FROM message, generate_series(1, %s) n WHERE conversation_id = %s"""
PAGE = {"before": 50, "after": 0, "limit": 21, "bytes": 8_000_000, "offset": 0}


def prepared() -> list[str]:
    """Return the texts of the statements that this connection has prepared."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements ORDER BY prepare_time")
        return [text for (text,) in cursor.fetchall()]


@pytest.fixture
def alice(db: None) -> User:
    return create_user("Alice")


@pytest.fixture
def nothing_prepared(transactional_db: None) -> None:
    connection.close()  # the next connection is a new one


def send_requests(alice: User) -> None:
    client, chat = ApiClient(alice), create_conversation(alice, "Hi")
    for _ in range(3):
        client("GET", "conversations/")
        client("GET", f"conversations/{chat.id}/messages/")
        client("POST", f"conversations/{chat.id}/messages/", {"role": "user", "content": "Hello?"}, status=201)
        client("GET", f"conversations/{chat.id}/")
        client("GET", "search/?q=Hello")


def test_requests_prepare_each_chosen_statement_once_and_no_others(nothing_prepared: None) -> None:
    send_requests(create_user("Alice"))
    assert sorted(text[:16] for text in prepared()) == [
        "SELECT api_token",
        "SELECT m.json FR",
        "SELECT row_to_js",
        "WITH locked AS (",
    ]


def test_the_setting_turns_prepared_statements_off(nothing_prepared: None, settings: Settings) -> None:
    settings.DB_PREPARED_STATEMENTS = False
    send_requests(create_user("Alice"))
    assert prepared() == []


def test_statements_work_after_a_rollback(nothing_prepared: None) -> None:
    alice = create_user("Alice")
    chat = create_conversation(alice, "Hi")
    for _ in range(3):
        assert len(Message.objects.transcript(alice, chat.id, after=0, limit=2) or []) == 1
        with transaction.atomic():
            messages.append(user=alice, conversation_id=chat.id, drafts=[message_draft("lost")])
            transaction.set_rollback(True)
    assert len(Message.objects.transcript(alice, chat.id, after=0, limit=2) or []) == 1


def explain(statement: str, params: dict[str, Any]) -> str:
    """Return the plan that PostgreSQL makes for a prepared statement without the values of its parameters."""
    raw_sql.fetch_rows(statement, params)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        cursor.execute("SELECT name, statement FROM pg_prepared_statements ORDER BY prepare_time DESC LIMIT 1")
        name, text = cursor.fetchone()
        order = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", statement)))
        assert text.count("$") >= len(order)
        cursor.execute(f"EXPLAIN EXECUTE {name}({', '.join(['%s'] * len(order))})", [params[key] for key in order])
        return "\n".join(line for (line,) in cursor.fetchall())


def test_plans_without_values_read_ranges_of_indexes(alice: User) -> None:
    chat = create_conversation(alice, "Hi")
    with connection.cursor() as cursor:
        cursor.execute(FILL_CONVERSATIONS, [NUMBER, chat.id])
        cursor.execute(FILL_MESSAGES, [NUMBER, chat.id])
        cursor.execute("ANALYZE conversation, message")
    params = {**PAGE, "user": alice.pk, "conversation": chat.id, "at": chat.active_at, "id": chat.id, "name": "a name"}
    for statement, conditions in {
        sql.SIDEBAR: ["Index Cond: (user_id = $1)"],
        sql.SIDEBAR_AFTER: ["Index Cond: ((user_id = $1) AND (ROW(active_at, id) < ROW($2, $3)))"],
        sql.TRANSCRIPT: ["Index Cond: ((conversation_id = $1) AND (seq > $4))"],
        sql.TRANSCRIPT_BEFORE: ["Index Cond: ((conversation_id = $1) AND (seq < $4))"],
        sql.CONTEXT: ["Index Cond: (conversation_id = $1)"],
        contract_c.CHATS: ["Index Cond: (user_id = $1)"],
        contract_c.MESSAGES: ["Index Cond: (conversation_id = c.id)"],
        rows.ID_BY_NAME: ["Index Cond: ((user_id = $1) AND ((external_id)::text = $2))", "Index Cond: (id = $3)"],
    }.items():
        plan = explain(statement, params)
        assert all(condition in plan for condition in conditions), plan
        # `s_1`, or the parts of its UNION ("*SELECT* 1"), have the alternatives of one message.
        assert not re.search(r'Sort Key: (?!s_1|"\*SELECT\* ).*(active_at|created_at|seq)', plan), plan
