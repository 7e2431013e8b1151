"""The tags and notebooks of a user, for a menu of filters."""

from typing import Any

from django.db import connection

from accounts.models import User

CONVERSATIONS = 2_000  # the most recently active ones are counted
LABELS = 1_000  # the most tags, and the most notebooks, in a response
# Reads one range of the index of the sidebar, and its rows.
STATEMENT = f"""WITH newest AS (
    SELECT tags, notebooks FROM conversation WHERE user_id = %(user)s AND deleted_at IS NULL
    ORDER BY active_at DESC, id DESC LIMIT {CONVERSATIONS}
), counted AS (
    SELECT kind, name, count(*) AS count FROM newest,
        LATERAL (SELECT 'tags', unnest(tags) UNION ALL SELECT 'notebooks', unnest(notebooks)) AS label(kind, name)
    GROUP BY kind, name
), ranked AS (
    SELECT *, row_number() OVER (PARTITION BY kind ORDER BY count DESC, name) AS rank FROM counted
) SELECT kind, name, count FROM ranked WHERE rank <= {LABELS} ORDER BY rank"""


def count_labels(user: User) -> dict[str, list[dict[str, Any]]]:
    """Return the tags and the notebooks of the user's newest live conversations with their counts, most frequent first.

    A conversation in the archive counts. Runs one statement."""
    labels: dict[str, list[dict[str, Any]]] = {"tags": [], "notebooks": []}
    with connection.cursor() as cursor:
        cursor.execute(STATEMENT, {"user": user.pk})
        for kind, name, count in cursor.fetchall():
            labels[kind].append({"name": name, "count": count})
    return labels
