"""Find the messages of one conversation that match a query, before and after a message."""

import re
from dataclasses import replace
from typing import Any

from conversations.models import Conversation

from .conditions import AllUsers, build_conditions
from .query import Query
from .time_limit import Budget

SCANNED = 2_000  # messages that are read in each direction
MOST = 100  # hits in each direction
TIME = 200  # milliseconds
# The index of (conversation, seq) serves both parts, which only read SCANNED messages.
PART = """(SELECT m.seq FROM (
        SELECT * FROM message m WHERE m.conversation_id = %(conversation)s AND m.deleted_at IS NULL AND m.seq {range}
        ORDER BY m.seq {order} LIMIT {scanned}) m
    WHERE {message} ORDER BY m.seq {order} LIMIT {most})"""
TERM = "(m.search @@ phraseto_tsquery('english', {text}) OR m.content ~* {pattern})"


def find_hits(conversation: Conversation, query: Query, *, around: int) -> list[int]:
    """Return the `seq` of the messages that match, in order: at most MOST up to the message `around`, and MOST after.

    Runs one statement. Raises Invalid if it takes longer than TIME."""
    where = build_conditions(AllUsers.ALL_USERS, replace(query, terms=[]), {}, match_parts=False)
    conditions = [*where.scope, *where.filters]
    for term in query.terms:
        text, pattern = where.param(term.text), where.param(re.escape(term.text))
        condition = TERM.format(text=text, pattern=pattern)
        conditions.append(f"NOT coalesce({condition}, false)" if term.is_excluded else condition)
    params: dict[str, Any] = where.params | {"conversation": conversation.pk, "around": around}
    options = {"scanned": SCANNED, "most": MOST, "message": " AND ".join(conditions) or "true"}
    earlier = PART.format(range="<= %(around)s", order="DESC", **options)
    later = PART.format(range="> %(around)s", order="ASC", **options)
    rows = Budget().fetch(f"{earlier} UNION ALL {later}", params, limit=TIME)
    return sorted(seq for (seq,) in rows)
