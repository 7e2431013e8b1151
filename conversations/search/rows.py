"""The rows that a query names, newest first, in stages.

First the user's newest messages are filtered as they come off the time index: a common word fills a page there, and
costs a fixed number of rows. Only where that gives no full page are the text indexes asked. They begin with the user, so
they cost what that user wrote; a word common enough to be dear there has filled the first stage.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from accounts.models import User
from conversations.models import Conversation
from conversations.querysets import ConversationQuerySet

from .query import CJK_RANGES, Query, Term
from .snippets import marked, pattern

NEWEST = 2_000  # messages that the first stage looks at
CANDIDATES = 1_000  # matches that relevance ranks at most
LIKE_SPECIAL, ESCAPED = re.compile(r"([\\%_])"), r"\\\1"
CJK = re.compile(f"[{CJK_RANGES}]+")

# A long text travels as the piece around the first thing that was typed.
EXCERPT = """CASE WHEN length(m.content) <= 20000 THEN m.content ELSE
    substr(m.content, greatest(1, strpos(lower(m.content), lower(%(needle)s)) - 100), 2000) END"""
HIT = f"""m.id, m.conversation_id, c.title, m.seq, m.role, m.model, m.is_active, m.created_at, 0 AS rank,
    {EXCERPT} AS snippet"""
RANK = "m.id, ts_rank_cd(m.search, %(wanted)s::tsquery) AS rank"
LIVE = "m.user_id = %(user)s AND m.deleted_at IS NULL"
AFTER = "(%(at)s::timestamptz IS NULL OR (m.created_at, m.id) < (%(at)s, %(id)s))"
JOINED = "JOIN conversation c ON c.id = m.conversation_id AND c.deleted_at IS NULL AND {conversation}"
# An expression, so that the planner cannot take the time index for an order it gets for nothing.
BY_TIME = "ORDER BY m.created_at + interval '0' DESC, m.id DESC LIMIT %(limit)s"
NEWEST_FIRST = f"""SELECT {{columns}} FROM (
    SELECT * FROM message m WHERE {LIVE} AND {AFTER} ORDER BY m.created_at DESC, m.id DESC LIMIT {NEWEST}) m
    {JOINED} WHERE {{message}} {BY_TIME}"""
# OFFSET 0 keeps the planner from going through conversations one by one: the text indexes come first.
BY_INDEX = f"""SELECT {{columns}} FROM (
    SELECT * FROM message m WHERE {LIVE} AND {AFTER} AND {{message}} OFFSET 0) m {JOINED} {BY_TIME}"""
# Without a text to look for there is no better index than time's.
BY_WALK = f"""SELECT {{columns}} FROM message m {JOINED} WHERE {LIVE} AND {AFTER} AND {{message}}
    ORDER BY m.created_at DESC, m.id DESC LIMIT %(limit)s"""
THESE = f"SELECT {{columns}} FROM message m {JOINED} WHERE {LIVE} AND m.id = ANY(%(ids)s)"
# One statement for all terms: what PostgreSQL's stemmer makes of them.
STEMS = """SELECT phraseto_tsquery('english', text)::text FROM unnest(%(texts)s::text[]) WITH ORDINALITY AS t(text, n)
    ORDER BY n"""


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


@dataclass
class Statement:
    """Conditions on messages and on their conversations, and the parameters of both."""

    conditions: list[str] = field(default_factory=list)
    of_conversation: list[str] = field(default_factory=list)
    params: dict[str, Any] = field(default_factory=dict)
    has_text: bool = False

    def add(self, condition: str, value: Any) -> None:
        """`condition` has a `{}` for its parameter."""
        self.conditions.append(condition.format(self.param(value)))

    def param(self, value: Any) -> str:
        name = f"p{len(self.params)}"
        self.params[name] = value
        return f"%({name})s"

    def rows(self, sql: str, columns: str, **params: Any) -> list[tuple[Any, ...]]:
        message, conversation = (" AND ".join(of) or "true" for of in (self.conditions, self.of_conversation))
        with connection.cursor() as cursor:
            cursor.execute(
                sql.format(columns=columns, message=message, conversation=conversation), self.params | params
            )
            return cursor.fetchall()


def messages(
    *, user: User, query: Query, limit: int, by_relevance: bool = False, after: tuple[Any, UUID] | None = None
) -> list[Hit]:
    """At most `limit` hits after a position: (created_at, id), or by relevance (rank, id)."""
    stems = dict(zip(query.terms, _tsqueries(query.terms), strict=True))
    statement = _statement(query, stems)
    if not statement.conditions and not statement.of_conversation:
        return []
    statement.params["user"] = user.pk
    statement.params["needle"] = next((term.text for term in query.wanted), "")
    statement.params["wanted"] = " | ".join(f"({stems[term]})" for term in query.wanted if stems[term])
    hits = (_relevant if by_relevance else _recent)(statement, limit, after)
    matches = pattern([term.text for term in query.wanted], _lexemes(statement.params["wanted"]))
    return [hit._replace(snippet=marked(hit.snippet or "", matches)) for hit in hits]


def _recent(statement: Statement, limit: int, after: tuple[datetime, UUID] | None) -> list[Hit]:
    at, id = after or (None, None)
    rows = _staged(statement, HIT, limit, enough=limit, at=at, id=id)
    return [Hit(*row) for row in rows]


def _relevant(statement: Statement, limit: int, after: tuple[float, UUID] | None) -> list[Hit]:
    """Ranked are the candidates only: a rank of everything that a common word matches would cost what it matches."""
    rows = _staged(statement, RANK, CANDIDATES, enough=limit, at=None, id=None)
    ranked = sorted(((rank, id) for id, rank in rows), reverse=True)
    page = [(rank, id) for rank, id in ranked if after is None or (rank, id) < after][:limit]
    ranks = {id: rank for rank, id in page}
    hits = [Hit(*row) for row in statement.rows(THESE, HIT, ids=list(ranks))]
    hits = [hit._replace(rank=ranks[hit.message_id]) for hit in hits]
    return sorted(hits, key=lambda hit: (hit.rank, hit.message_id), reverse=True)


def _staged(statement: Statement, columns: str, limit: int, *, enough: int, **position: Any) -> list[tuple[Any, ...]]:
    if not statement.has_text:
        return statement.rows(BY_WALK, columns, limit=limit, **position)
    rows = statement.rows(NEWEST_FIRST, columns, limit=limit, **position)
    return rows if len(rows) >= enough else statement.rows(BY_INDEX, columns, limit=limit, **position)


def _statement(query: Query, stems: dict[Term, str]) -> Statement:
    statement = Statement()
    for term in query.terms:
        _add_text(statement, term, stems[term])
    if query.roles:
        statement.add("m.role = ANY({})", query.roles)
    if query.models:
        statement.add("m.model = ANY({})", query.models)
    if query.tags:
        statement.of_conversation.append(f"c.tags @> {statement.param(query.tags)}::varchar[]")
    if query.before:
        statement.add("m.created_at < {}", query.before)
    if query.after:
        statement.add("m.created_at >= {}", query.after)
    if query.has_tool_calls:
        statement.conditions.append("m.tool_calls IS NOT NULL")
    return statement


def _add_text(statement: Statement, term: Term, stems: str) -> None:
    """As a word, by its stem; and from three characters on as a part of any word, which is the shortest that a trigram
    index has a key for. Chinese has no spaces to tell words by: two characters are a word, three and more a part."""
    is_part = len(term.text) >= 3
    either = Statement(params=statement.params)
    if stems and not (is_part and CJK.search(term.text)):
        either.add("m.search @@ {}::tsquery", stems)
    if is_part:
        either.add("m.content ILIKE {}", f"%{LIKE_SPECIAL.sub(ESCAPED, term.text)}%")
    if not either.conditions:
        return  # a word so common that it is not indexed, and too short to be a part
    condition = f"({' OR '.join(either.conditions)})"
    statement.conditions.append(f"NOT coalesce({condition}, false)" if term.is_excluded else condition)
    statement.has_text |= not term.is_excluded


def _tsqueries(terms: list[Term]) -> list[str]:
    """For each term a tsquery as text; empty where it has nothing but stop words."""
    words = Statement().rows(STEMS, "", texts=[CJK.sub(" ", term.text) for term in terms]) if terms else []
    return [" & ".join(filter(None, [stem, *_pairs(term.text)])) for term, (stem,) in zip(terms, words, strict=True)]


def _pairs(text: str) -> list[str]:
    """As `cjk_pairs` indexes them; one character alone is where a pair begins."""
    runs = CJK.findall(text)
    pairs = [run[i : i + 2] for run in runs for i in range(len(run) - 1)]
    return [f"'{pair}'" for pair in pairs] + [f"'{run}':*" for run in runs if len(run) == 1]


def _lexemes(tsquery: str) -> list[str]:
    return re.findall(r"'([^']+)'", tsquery)


def titles(*, user: User, query: Query) -> ConversationQuerySet:
    """Conversations whose title has every part that was typed."""
    rows = Conversation.objects.owned_by(user).live().filter(tags__contains=query.tags)
    for term in query.terms:
        rows = rows.exclude(title__icontains=term.text) if term.is_excluded else rows.filter(title__icontains=term.text)
    return rows
