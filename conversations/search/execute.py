"""Find the messages and titles that match a query.

Messages are found in two stages. The first stage filters the user's newest messages, in the order of the time index. It
reads a bounded number of rows. The second stage runs only if the first one does not fill a page. It searches the text
indexes. Their first column is the user, so the cost depends on the text of this user alone. Only very common words
would be expensive in the second stage, and these already fill a page in the first.

Whole words come first. If they match less than a page of messages, both stages run again and also match parts of words.
All later pages match parts of words if the first page did.
"""

import re
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from accounts.models import User

from .conditions import Conditions, build_conditions, build_tsqueries
from .query import Query
from .snippets import highlight, match_pattern

NEWEST = 1_000  # messages that the first stage filters
NEWEST_TITLES = 2_000  # titles that are searched; with `in:title`, all are searched
CANDIDATES = 1_000  # matches that are ranked by relevance

# PostgreSQL sends only a part of a long text: around the first search term.
EXCERPT = """CASE WHEN length(m.content) <= 20000 THEN m.content ELSE
    substr(m.content, greatest(1, strpos(lower(m.content), lower(%(needle)s)) - 100), 2000) END"""
HIT = f"""m.id, m.conversation_id, m.title, m.seq, m.role, m.model, m.is_active, m.created_at, 0 AS rank,
    {EXCERPT} AS snippet"""
RANK = "m.id, ts_rank_cd(m.search, %(wanted)s::tsquery) AS rank"
OWNED_LIVE_MESSAGE = "m.user_id = %(user)s AND m.deleted_at IS NULL"
AFTER = "(%(at)s::timestamptz IS NULL OR (m.created_at, m.id) < (%(at)s, %(id)s))"
JOINED = "JOIN conversation c ON c.id = m.conversation_id AND c.deleted_at IS NULL AND {conversation}"
BY_TIME = "ORDER BY m.created_at DESC, m.id DESC"

NEWEST_FIRST = f"""(SELECT * FROM message m WHERE {OWNED_LIVE_MESSAGE} AND {AFTER} {BY_TIME} LIMIT {NEWEST}) m
    {JOINED} WHERE {{message}} {BY_TIME} LIMIT %(limit)s"""
# The planner must use the text indexes. OFFSET 0 prevents a loop over the conversations. Adding an interval prevents a
# scan of the time index, whose order the planner could otherwise use for the ORDER BY.
BY_INDEX = f"""(SELECT * FROM message m WHERE {OWNED_LIVE_MESSAGE} AND {AFTER} AND {{message}} OFFSET 0) m
    {JOINED} ORDER BY m.created_at + interval '0' DESC, m.id DESC LIMIT %(limit)s"""
# For a query without text, the time index is the best one.
BY_WALK = f"message m {JOINED} WHERE {OWNED_LIVE_MESSAGE} AND {AFTER} AND {{message}} {BY_TIME} LIMIT %(limit)s"
HITS_BY_ID = f"message m {JOINED} WHERE {OWNED_LIVE_MESSAGE} AND m.id = ANY(%(ids)s)"
# PostgreSQL reads the conversations in the order of the sidebar's index and stops when it has enough matches.
TITLES = """SELECT id, title, active_at FROM (
    SELECT * FROM conversation WHERE user_id = %(user)s AND deleted_at IS NULL
    ORDER BY active_at DESC, id DESC LIMIT %(newest)s) c WHERE {where} LIMIT %(limit)s"""


class Hit(NamedTuple):
    """A message that matches."""

    message_id: UUID
    conversation_id: UUID
    conversation_title: str
    seq: int
    role: str
    model: str
    is_active: bool
    created_at: datetime
    rank: float
    snippet: str


class Position(NamedTuple):
    """The last hit of the previous page. `key` is its time, or its rank if hits are ordered by relevance."""

    key: Any
    id: UUID
    match_parts: bool


def find_messages(
    *, user: User, query: Query, limit: int, by_relevance: bool = False, after: Position | None = None
) -> tuple[list[Hit], bool]:
    """Return at most `limit` hits, and whether parts of words were also searched."""
    tsqueries = build_tsqueries(query.terms)
    wanted = " | ".join(f"({tsqueries[term]})" for term in query.wanted if tsqueries[term])
    needle = query.wanted[0].text if query.wanted else ""
    hits: list[Hit] = []
    match_parts = False
    for match_parts in [after.match_parts] if after else [False, True]:
        where = build_conditions(query, tsqueries, match_parts=match_parts)
        where.params |= {"user": user.pk, "needle": needle, "wanted": wanted}
        hits = (_find_relevant if by_relevance else _find_recent)(where, limit, after)
        if len(hits) >= limit or not where.parts_may_find_more:
            break
    pattern = match_pattern([term.text for term in query.wanted], re.findall("'([^']+)'", wanted))
    return [hit._replace(snippet=highlight(hit.snippet or "", pattern)) for hit in hits], match_parts


def _find_recent(where: Conditions, limit: int, after: Position | None) -> list[Hit]:
    at, id = (after.key, after.id) if after else (None, None)
    return [Hit(*row) for row in _fetch_in_stages(where, HIT, limit, enough=limit, at=at, id=id)]


def _find_relevant(where: Conditions, limit: int, after: Position | None) -> list[Hit]:
    """Rank only the newest matches. Ranking every match of a common word would be expensive."""
    rows = _fetch_in_stages(where, RANK, CANDIDATES, enough=limit, at=None, id=None)
    ranked = sorted(((rank, id) for id, rank in rows), reverse=True)
    page = [(rank, id) for rank, id in ranked if after is None or (rank, id) < (after.key, after.id)][:limit]
    ranks = {id: rank for rank, id in page}
    hits = [Hit(*row) for row in where.fetch(HITS_BY_ID, HIT, ids=list(ranks))]
    hits = [hit._replace(rank=ranks[hit.message_id]) for hit in hits]
    return sorted(hits, key=lambda hit: (hit.rank, hit.message_id), reverse=True)


def _fetch_in_stages(
    where: Conditions, columns: str, limit: int, *, enough: int, **position: Any
) -> list[tuple[Any, ...]]:
    if not where.on_message and not where.on_conversation:
        return []
    if not where.has_text:
        return where.fetch(BY_WALK, columns, limit=limit, **position)
    rows = where.fetch(NEWEST_FIRST, columns, limit=limit, **position)
    return rows if len(rows) >= enough else where.fetch(BY_INDEX, columns, limit=limit, **position)


def find_titles(*, user: User, query: Query, limit: int) -> list[tuple[UUID, str, datetime]]:
    """Return id, title and `active_at` of conversations whose title satisfies every term, most recently active first.

    Search only the NEWEST_TITLES most recently active conversations; with `in:title`, search all."""
    where = ["tags @> %(tags)s::varchar[]"] if query.tags else []
    params: dict[str, Any] = {"user": user.pk, "tags": query.tags, "limit": limit}
    params["newest"] = None if query.in_title else NEWEST_TITLES
    for number, term in enumerate(query.terms):
        where.append(f"title {'!~*' if term.is_excluded else '~*'} %(t{number})s")
        params[f"t{number}"] = re.escape(term.text)
    with connection.cursor() as cursor:
        cursor.execute(TITLES.format(where=" AND ".join(where) or "true"), params)
        return cursor.fetchall()
