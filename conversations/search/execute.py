"""The rows that a query names, newest first, in stages.

First the user's newest messages are filtered as they come off the time index: a common word fills a page there, and
costs a bounded number of rows. Only where that gives no full page are the text indexes asked. They begin with the user,
so they cost what that user wrote; a word common enough to be dear there has filled the first stage.

Words come before parts of words: only where the words themselves are found less than a page of times are they looked
for inside of others, in the same two stages. The first page decides that for those after it.
"""

import re
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from accounts.models import User

from .conditions import Conditions, conditions, tsqueries
from .query import Query
from .snippets import marked, pattern

NEWEST = 1_000  # messages that the first stage looks at
NEWEST_TITLES = 2_000  # that are looked at where `in:title` does not ask for all
CANDIDATES = 1_000  # matches that relevance ranks at most

# A long text travels as the piece around the first thing that was typed.
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
# OFFSET 0 keeps the planner from going through conversations one by one, and the interval from taking the time index
# for an order that it gets for nothing: the text indexes come first.
BY_INDEX = f"""(SELECT * FROM message m WHERE {OWNED_LIVE_MESSAGE} AND {AFTER} AND {{message}} OFFSET 0) m
    {JOINED} ORDER BY m.created_at + interval '0' DESC, m.id DESC LIMIT %(limit)s"""
# Without a text to look for there is no better index than time's.
BY_WALK = f"message m {JOINED} WHERE {OWNED_LIVE_MESSAGE} AND {AFTER} AND {{message}} {BY_TIME} LIMIT %(limit)s"
HITS_BY_ID = f"message m {JOINED} WHERE {OWNED_LIVE_MESSAGE} AND m.id = ANY(%(ids)s)"
# The conversations come in the order of the sidebar's index, so the search ends with the last that is wanted.
TITLES = """SELECT id, title, active_at FROM (
    SELECT * FROM conversation WHERE user_id = %(user)s AND deleted_at IS NULL
    ORDER BY active_at DESC, id DESC LIMIT %(newest)s) c WHERE {where} LIMIT %(limit)s"""


class Hit(NamedTuple):
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
    """After which hit a page begins: its time, or by relevance its rank; and whether parts of words are hits."""

    key: Any
    id: UUID
    inside: bool


def messages(
    *, user: User, query: Query, limit: int, by_relevance: bool = False, after: Position | None = None
) -> tuple[list[Hit], bool]:
    """At most `limit` hits, and whether parts of words are among them."""
    words = tsqueries(query.terms)
    wanted = " | ".join(f"({words[term]})" for term in query.wanted if words[term])
    needle = query.wanted[0].text if query.wanted else ""
    hits: list[Hit] = []
    inside = False
    for inside in [after.inside] if after else [False, True]:
        where = conditions(query, words, inside=inside)
        where.params |= {"user": user.pk, "needle": needle, "wanted": wanted}
        hits = (_relevant if by_relevance else _recent)(where, limit, after)
        if len(hits) >= limit or not where.could_widen:
            break
    matches = pattern([term.text for term in query.wanted], re.findall("'([^']+)'", wanted))
    return [hit._replace(snippet=marked(hit.snippet or "", matches)) for hit in hits], inside


def _recent(where: Conditions, limit: int, after: Position | None) -> list[Hit]:
    at, id = (after.key, after.id) if after else (None, None)
    return [Hit(*row) for row in _staged(where, HIT, limit, enough=limit, at=at, id=id)]


def _relevant(where: Conditions, limit: int, after: Position | None) -> list[Hit]:
    """Ranked are the candidates only: a rank of everything that a common word matches would cost what it matches."""
    rows = _staged(where, RANK, CANDIDATES, enough=limit, at=None, id=None)
    ranked = sorted(((rank, id) for id, rank in rows), reverse=True)
    page = [(rank, id) for rank, id in ranked if after is None or (rank, id) < (after.key, after.id)][:limit]
    ranks = {id: rank for rank, id in page}
    hits = [Hit(*row) for row in where.rows(HITS_BY_ID, HIT, ids=list(ranks))]
    hits = [hit._replace(rank=ranks[hit.message_id]) for hit in hits]
    return sorted(hits, key=lambda hit: (hit.rank, hit.message_id), reverse=True)


def _staged(where: Conditions, columns: str, limit: int, *, enough: int, **position: Any) -> list[tuple[Any, ...]]:
    if not where.of_message and not where.of_conversation:
        return []
    if not where.has_text:
        return where.rows(BY_WALK, columns, limit=limit, **position)
    rows = where.rows(NEWEST_FIRST, columns, limit=limit, **position)
    return rows if len(rows) >= enough else where.rows(BY_INDEX, columns, limit=limit, **position)


def titles(*, user: User, query: Query, limit: int) -> list[tuple[UUID, str, datetime]]:
    """Id, title and activity of conversations whose title has every part that was typed, newest activity first: of the
    newest, or with `in:title` of all."""
    where = ["tags @> %(tags)s::varchar[]"] if query.tags else []
    params: dict[str, Any] = {"user": user.pk, "tags": query.tags, "limit": limit}
    params["newest"] = None if query.in_title else NEWEST_TITLES
    for number, term in enumerate(query.terms):
        where.append(f"title {'!~*' if term.is_excluded else '~*'} %(t{number})s")
        params[f"t{number}"] = re.escape(term.text)
    with connection.cursor() as cursor:
        cursor.execute(TITLES.format(where=" AND ".join(where) or "true"), params)
        return cursor.fetchall()
