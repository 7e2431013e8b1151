"""Counts for each day: conversations, messages, tokens, failed answers and dislikes, by user and model.

Triggers insert every change of the counts into `daily_usage_change`, in the transaction that writes the row.
`add_changes` moves the changes into `daily_usage`. It deletes and adds them in one statement, so none is lost or added
twice, whatever runs at the same time. A read adds up both tables in one statement, so it is exact at any moment.

All rows that exist are counted. So rows in the trash count until they are deleted. A day is a day in UTC.
"""

from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from chatstore.raw_sql import fetch_rows

COUNTS = ("conversations", "messages", "prompt_tokens", "completion_tokens", "failed", "dislikes")
SUMS = ", ".join(f"sum({name})::bigint AS {name}" for name in COUNTS)
ALL = f"""(SELECT day, user_id, model, {", ".join(COUNTS)} FROM daily_usage WHERE day BETWEEN %(first)s AND %(last)s
    UNION ALL
    SELECT day, user_id, model, {", ".join(COUNTS)} FROM daily_usage_change
    WHERE day BETWEEN %(first)s AND %(last)s) AS counts"""
BY_DAY = f"""SELECT day, {SUMS}, count(*) FILTER (WHERE messages > 0) AS users
    FROM (SELECT day, user_id, {SUMS} FROM {ALL} GROUP BY day, user_id) AS of_users GROUP BY day ORDER BY day"""
BY_MODEL = f"""SELECT model, {SUMS} FROM {ALL} WHERE model <> '' GROUP BY model
    ORDER BY sum(messages) DESC, model LIMIT %(limit)s"""
BY_USER = f"""SELECT user_id, {SUMS} FROM {ALL} GROUP BY user_id
    ORDER BY sum(messages) DESC, user_id LIMIT %(limit)s"""
OF_USER = f"""SELECT day, {SUMS} FROM {ALL} WHERE user_id = %(user)s GROUP BY day ORDER BY day"""
ADD_CHANGES = f"""
    WITH taken AS (
        DELETE FROM daily_usage_change
        WHERE id IN (SELECT id FROM daily_usage_change ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
        RETURNING *
    )
    INSERT INTO daily_usage AS stored (day, user_id, model, {", ".join(COUNTS)})
    SELECT day, user_id, model, {SUMS} FROM taken GROUP BY day, user_id, model ORDER BY day, user_id, model
    ON CONFLICT (day, user_id, model) DO UPDATE
        SET {", ".join(f"{name} = stored.{name} + excluded.{name}" for name in COUNTS)}
    RETURNING day, user_id, model"""
DELETE_EMPTY = f"""DELETE FROM daily_usage WHERE {" AND ".join(f"{name} = 0" for name in COUNTS)}
    AND (day, user_id, model) IN (SELECT * FROM unnest(%(days)s::date[], %(users)s::uuid[], %(models)s::text[]))"""
BATCH = 10_000  # changes
BATCHES_PER_RUN = 100


def by_day(first: date, last: date) -> list[dict[str, Any]]:
    """Return the counts of each day from `first` to `last`, oldest first. Days without any are left out.

    `users` is the number of users with messages on this day.
    """
    return _read(BY_DAY, ("day", *COUNTS, "users"), first=first, last=last)


def by_model(first: date, last: date, *, limit: int) -> list[dict[str, Any]]:
    """Return the counts of the models with most messages. Messages without a model are left out."""
    return _read(BY_MODEL, ("model", *COUNTS), first=first, last=last, limit=limit)


def by_user(first: date, last: date, *, limit: int) -> list[dict[str, Any]]:
    """Return the counts of at most `limit` users, the user with most messages first."""
    return _read(BY_USER, ("user_id", *COUNTS), first=first, last=last, limit=limit)


def of_user(user_id: UUID, first: date = date.min, last: date = date.max) -> list[dict[str, Any]]:
    """Return the counts of a user for each day from `first` to `last`, oldest first. Days without any are left out."""
    return _read(OF_USER, ("day", *COUNTS), user=user_id, first=first, last=last)


def _read(statement: str, names: tuple[str, ...], **params: Any) -> list[dict[str, Any]]:
    return [dict(zip(names, row, strict=True)) for row in fetch_rows(statement, params)]


def add_changes() -> None:
    """Add the waiting changes to the counts, and delete counts that become zero.

    Runs short transactions, so the caller must have no transaction open. At most BATCHES_PER_RUN batches are added; the
    next run adds the rest.
    """
    for _ in range(BATCHES_PER_RUN):
        if not _add_batch():
            return


@transaction.atomic
def _add_batch() -> bool:
    """Add at most BATCH changes. Return whether there were any."""
    with connection.cursor() as cursor:
        cursor.execute(ADD_CHANGES, {"limit": BATCH})
        changed = cursor.fetchall()
        if changed:
            days, users, models = map(list, zip(*changed, strict=True))
            cursor.execute(DELETE_EMPTY, {"days": days, "users": users, "models": models})
    return bool(changed)
