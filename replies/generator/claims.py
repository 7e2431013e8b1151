"""Takes replies from the queue. Each function is one statement that commits by itself, so a process that is stopped at
any moment holds no lock."""

import uuid
from typing import Any, NamedTuple

from django.db import connection

from replies.events import EVENTS
from replies.models import Reply, State

# ARRAY(…) makes PostgreSQL run the subquery once.
CLAIM = """
    WITH seen AS (
        INSERT INTO reply_worker (id, seen_at) VALUES (%(me)s, clock_timestamp())
        ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at
    ), claimed AS (
        UPDATE reply SET state = 'running', worker = %(me)s, attempts = attempts + 1
        WHERE id = ANY(ARRAY(
            SELECT id FROM reply WHERE state = 'queued' ORDER BY created_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
        ))
        RETURNING *
    ), started AS (
        INSERT INTO reply_event (reply_id, n, event, data)
        SELECT claimed.id, 1, 'start', json_build_object(
            'conversation_id', message.conversation_id, 'question_id', claimed.request ->> 'question',
            'message_id', message.id, 'model', claimed.request ->> 'model')::text
        FROM claimed LEFT JOIN message ON message.id = claimed.message_id
        ON CONFLICT DO NOTHING
    )
    SELECT claimed.*, pg_notify(%(channel)s, replace(claimed.id::text, '-', '')) FROM claimed ORDER BY created_at"""
SEEN = """
    INSERT INTO reply_worker (id, seen_at) VALUES (%s, clock_timestamp())
    ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at"""


def claim(worker: uuid.UUID, limit: int) -> list[Reply]:
    """Take at most `limit` replies from the queue, the oldest first, and log their `start` events."""
    parameters: dict[str, Any] = {"me": worker, "limit": limit, "channel": EVENTS}
    return list(Reply.objects.raw(CLAIM, parameters))


class Own(NamedTuple):
    """A reply that the database says this process runs."""

    id: uuid.UUID
    attempts: int
    stop_asked: bool


def beat(worker: uuid.UUID) -> list[Own]:
    """Record that the worker lives, and return its replies."""
    with connection.cursor() as cursor:
        cursor.execute(SEEN, [worker])
    own = Reply.objects.filter(worker=worker, state=State.RUNNING)
    return [Own(*row) for row in own.values_list("id", "attempts", "stop_asked")]
