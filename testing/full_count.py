"""The counts of daily usage, counted again from all stored rows."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db import connection

from conversations import daily_usage

LONG_AGO, FAR_AHEAD = date(1900, 1, 1), date(2900, 1, 1)
COUNT = """
    WITH counts AS (
        SELECT (created_at AT TIME ZONE 'UTC')::date AS day, user_id, model, 0 AS conversations, 1 AS messages,
            coalesce(prompt_tokens, 0) AS prompt_tokens, coalesce(completion_tokens, 0) AS completion_tokens,
            (status = 'failed')::int AS failed, 0 AS dislikes FROM message
        UNION ALL SELECT (created_at AT TIME ZONE 'UTC')::date, user_id, '', 1, 0, 0, 0, 0, 0 FROM conversation
        UNION ALL SELECT (created_at AT TIME ZONE 'UTC')::date, user_id, '', 0, 0, 0, 0, 0, 1 FROM reaction
            WHERE type IN ('thumbs_down', 'dislike', '👎')
    ) """


def counts_by_day() -> list[dict[str, Any]]:
    return _rows(f"{COUNT} SELECT day, {daily_usage.SUMS}, count(DISTINCT user_id) FILTER (WHERE messages > 0) AS users"
                 " FROM counts GROUP BY day ORDER BY day")  # fmt: skip


def counts_by_model() -> list[dict[str, Any]]:
    return _rows(f"{COUNT} SELECT model, {daily_usage.SUMS} FROM counts WHERE model <> '' GROUP BY model")


def counts_by_user() -> list[dict[str, Any]]:
    return _rows(f"{COUNT} SELECT user_id, {daily_usage.SUMS} FROM counts GROUP BY user_id")


def assert_daily_usage_is_exact() -> None:
    """Compare what `daily_usage` says with a full count."""
    everything = {"first": LONG_AGO, "last": FAR_AHEAD}
    assert _nonzero(daily_usage.by_day(**everything)) == counts_by_day()
    assert _as_set(_nonzero(daily_usage.by_model(**everything, limit=1_000))) == _as_set(counts_by_model())
    assert _as_set(_nonzero(daily_usage.by_user(**everything, limit=1_000))) == _as_set(counts_by_user())


def _nonzero(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if any(row[name] for name in daily_usage.COUNTS)]


def _as_set(rows: Iterable[dict[str, Any]]) -> set[Any]:
    return {tuple(row.items()) for row in rows}


def _rows(statement: str) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
