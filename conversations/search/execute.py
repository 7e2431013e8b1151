"""Find the messages and titles that match a query.

Messages are found in three stages, each with a bound:

1. The first stage filters the newest messages of the user, in the order of the time index. It reads a bounded number of
   rows. Very common words already fill a page here.
2. The second stage searches the text indexes. It runs only if the first one does not fill a page, and if an index
   serves the query. The first column of the indexes is the user, so the cost depends on the text of this user alone. It
   has a time limit.
3. The third stage runs instead of the second one if no index serves the query, or after the time limit of the second.
   It filters more of the newest messages, again in the order of time. If the page is still not full, the result names
   the place where the search stopped, and the next page continues there. So nothing is lost.

Whole words come first. If they match less than a page of messages, the stages run again and also match parts of words.
All later pages match parts of words if the first page did.

All statements of a search share a budget of time. If it is nearly used up, the third stage filters only as many
messages as the first one, and words are not searched inside other words.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from chatstore.errors import Invalid

from .conditions import AllUsers, Conditions, Owner, build_conditions, build_tsqueries
from .query import Query
from .snippets import highlight, match_pattern
from .time_limit import TIME_LIMIT, Budget

NEWEST = 1_000  # messages that the first stage filters
NEWEST_TITLES = 2_000  # titles that are searched; with `in:title`, all of the user are searched
NEWEST_TITLES_OF_ALL = 20_000  # titles that are searched in a search of all users
FILTERED = 10_000  # messages that the third stage filters
CANDIDATES = 1_000  # matches that are ranked by relevance
INDEX_TIME_LIMIT = 200  # milliseconds for the second stage
RESERVE = 300  # milliseconds of the budget that are kept for a shorter third stage

# PostgreSQL sends only a part of a long text: around the first search term.
EXCERPT = """CASE WHEN length(m.content) <= 20000 THEN m.content ELSE
    substr(m.content, greatest(1, strpos(lower(m.content), lower(%(needle)s)) - 100), 2000) END"""
HIT = f"""m.id, m.conversation_id, m.title, m.seq, m.role, m.model, m.is_active, m.created_at, 0 AS rank,
    {EXCERPT} AS snippet"""
RANK = "m.id, ts_rank_cd(m.search, %(wanted)s::tsquery) AS rank"
LIVE_MESSAGE = "{owner} AND m.deleted_at IS NULL"
AFTER = "(%(at)s::timestamptz IS NULL OR (m.created_at, m.id) < (%(at)s, %(id)s))"
# OFFSET 0 makes the planner look up each conversation by its id, until the page is full. It could otherwise read the
# conversations of all users.
JOINED = """CROSS JOIN LATERAL (SELECT c.title FROM conversation c
    WHERE c.id = m.conversation_id AND c.deleted_at IS NULL AND {conversation} OFFSET 0) c"""
BY_TIME = "ORDER BY m.created_at DESC, m.id DESC"

NEWEST_FIRST = f"""(SELECT * FROM message m WHERE {LIVE_MESSAGE} AND {AFTER} AND {{scope}}
    {BY_TIME} LIMIT {NEWEST}) m {JOINED} WHERE {{message}} {BY_TIME} LIMIT %(limit)s"""
# The planner must use the text indexes. Adding an interval prevents a scan of the time index, whose order it could
# otherwise use for the ORDER BY. The sorted rows are narrow, because there can be many.
BY_INDEX = f"""(SELECT m.id, c.title FROM (
        SELECT m.id, m.conversation_id, m.created_at + interval '0' AS at FROM message m
        WHERE {LIVE_MESSAGE} AND {AFTER} AND {{scope}} AND {{message}} ORDER BY at DESC, m.id DESC OFFSET 0) m
    {JOINED} ORDER BY m.at DESC, m.id DESC LIMIT %(limit)s) c
    JOIN message m ON m.id = c.id {BY_TIME}"""
# The oldest message that the third stage reads. It is read first: with a LIMIT instead, a message that is written in
# the meantime would hide another one.
OLDEST_FILTERED = f"""SELECT m.created_at, m.id FROM message m WHERE {{owner}} AND {AFTER} AND {{scope}}
    {BY_TIME} OFFSET %(count)s - 1 LIMIT 1"""
# The planner must use the time index, so the conditions are outside of the subquery.
SINCE_OLDEST = f"""(SELECT * FROM message m WHERE {LIVE_MESSAGE} AND {AFTER} AND {{scope}}
    AND (%(oldest_at)s::timestamptz IS NULL OR (m.created_at, m.id) >= (%(oldest_at)s, %(oldest_id)s))
    {BY_TIME} OFFSET 0) m {JOINED} WHERE {{message}} {BY_TIME} LIMIT %(limit)s"""
COMMON = f"""SELECT count(*) FROM (SELECT FROM (SELECT * FROM message m WHERE {LIVE_MESSAGE} AND {AFTER}
    AND {{scope}} {BY_TIME} LIMIT {NEWEST}) m WHERE {{text}} LIMIT %(limit)s) m"""
HITS_BY_ID = f"message m {JOINED} WHERE {LIVE_MESSAGE} AND m.id = ANY(%(ids)s)"
# PostgreSQL reads the conversations in the order of the sidebar's index and stops when it has enough matches.
TITLES = """SELECT id, title, active_at FROM (
    SELECT * FROM conversation WHERE user_id = %(user)s AND deleted_at IS NULL
    ORDER BY active_at DESC, id DESC LIMIT %(newest)s) c WHERE {where} LIMIT %(limit)s"""
# No index has the conversations of all users by their last activity.
TITLES_OF_ALL = """SELECT id, title, active_at FROM (
    SELECT * FROM conversation WHERE deleted_at IS NULL ORDER BY id DESC LIMIT %(newest)s) c
    WHERE {where} LIMIT %(limit)s"""


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
    """The last hit of the previous page, or the last message that it filtered. `key` is its time, or its rank if hits
    are ordered by relevance."""

    key: Any
    id: UUID
    match_parts: bool


class Found(NamedTuple):
    """The hits of one page. `match_parts` is whether parts of words were also searched. `stopped_at` is the last
    message that was filtered, if the search stopped before the page was full and before the last message."""

    hits: list[Hit]
    match_parts: bool
    stopped_at: Position | None


@dataclass
class Pass:
    """One pass over the messages: for words only, or also for parts of words. `position` is the end of the last page.

    The pass is complete if it has found all matches, and full if `rows` are enough for a page."""

    budget: Budget
    where: Conditions
    columns: str
    limit: int
    enough: int
    position: dict[str, Any]
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    is_complete: bool = False
    oldest: tuple[datetime, UUID] | None = None  # the message where the third stage stopped

    @property
    def is_full(self) -> bool:
        return len(self.rows) >= self.enough

    @property
    def can_end_search(self) -> bool:
        return self.is_full or self.is_complete

    def run(self) -> None:
        """Run the first stage, and the second one if it is needed and not too expensive."""
        if self.where.are_empty:
            self.is_complete = True
            return
        self.rows = self.fetch(NEWEST_FIRST)
        if not self.is_full and self.where.is_indexed and not self._would_read_common_text():
            with suppress(Invalid):  # too slow
                self._search_index()

    def filter_more(self) -> None:
        """Run the third stage, for fewer messages if it is too slow. Raise Invalid if that is too slow, too."""
        try:
            self._filter_newest(FILTERED, reserve=RESERVE)
        except Invalid:  # too slow
            self._filter_newest(NEWEST)

    def _filter_newest(self, count: int, reserve: int = 0) -> None:
        found = self._execute(self.where.insert_into(OLDEST_FILTERED), reserve=reserve, count=count)
        at, id = found[0] if found else (None, None)
        self.rows = self.fetch(SINCE_OLDEST, reserve=reserve, oldest_at=at, oldest_id=id)
        self.oldest = (at, id) if found and not self.is_full else None

    def _search_index(self) -> None:
        self.rows = self.fetch(BY_INDEX, time_limit=INDEX_TIME_LIMIT)
        self.is_complete = True

    def _would_read_common_text(self) -> bool:
        """Return whether only the filters keep the page from being full. The index would find too many messages."""
        if not self.where.has_filters:
            return False
        ((count,),) = self._execute(self.where.insert_into(COMMON), limit=self.enough)
        return bool(count >= self.enough)

    def fetch(self, source: str, columns: str = "", **options: Any) -> list[tuple[Any, ...]]:
        return self._execute(self.where.select(source, columns or self.columns), **options)

    def _execute(
        self, statement: str, *, time_limit: int = TIME_LIMIT, reserve: int = 0, **params: Any
    ) -> list[tuple[Any, ...]]:
        all_params = self.where.params | {"limit": self.limit} | self.position | params
        return self.budget.fetch(statement, all_params, limit=time_limit, reserve=reserve)


def find_messages(
    *,
    owner: Owner,
    query: Query,
    budget: Budget,
    limit: int,
    by_relevance: bool = False,
    after: Position | None = None,
) -> Found:
    """Return at most `limit` hits. Raise Invalid if the budget does not suffice for the newest messages."""
    tsqueries = build_tsqueries(query.terms, budget)
    wanted = " | ".join(f"({tsqueries[term]})" for term in query.wanted if tsqueries[term])
    params = {"needle": query.wanted[0].text if query.wanted else "", "wanted": wanted}

    def new_pass(match_parts: bool) -> Pass:
        where = build_conditions(owner, query, tsqueries, match_parts=match_parts)
        where.params |= params
        if by_relevance:
            return Pass(budget, where, RANK, CANDIDATES, limit, {"at": None, "id": None})
        return Pass(budget, where, HIT, limit, limit, {"at": after and after.key, "id": after and after.id})

    match_parts, done = _run_passes(new_pass, [after.match_parts] if after else [False, True])
    hits = _rank(done, limit, after) if by_relevance else [Hit(*row) for row in done.rows]
    pattern = match_pattern([term.text for term in query.wanted], re.findall("'([^']+)'", wanted))
    hits = [hit._replace(snippet=highlight(hit.snippet or "", pattern, len(query.wanted))) for hit in hits]
    return Found(hits, match_parts, Position(*done.oldest, match_parts) if done.oldest else None)


def _run_passes(new_pass: Callable[[bool], Pass], choices: list[bool]) -> tuple[bool, Pass]:
    """Run a pass for each value of `match_parts` until one fills a page. Return the value and the pass that decides.

    All words come before parts of words that no index finds: these would move words of older messages to later pages.
    """
    match_parts, *others = choices
    current = new_pass(match_parts)
    current.run()
    for other in others:
        if current.is_full or not current.where.parts_may_find_more:
            break
        wider = new_pass(other)
        if _run_instead(wider, current):
            match_parts, current = other, wider
    if not current.can_end_search:
        current.filter_more()
    return match_parts, current


def _run_instead(wider: Pass, words: Pass) -> bool:
    """Run a pass that also matches parts of words. Return whether its rows replace those of the pass for words only."""
    try:
        wider.run()
    except Invalid:  # too slow
        if words.is_complete and not words.rows:
            raise
        return False
    return wider.can_end_search or not (words.is_complete and words.rows)


def _rank(done: Pass, limit: int, after: Position | None) -> list[Hit]:
    """Return a page of hits, the best first. Only the newest matches are ranked: all would be expensive."""
    ranked = sorted(((rank, id) for id, rank in done.rows), reverse=True)
    page = [(rank, id) for rank, id in ranked if after is None or (rank, id) < (after.key, after.id)][:limit]
    ranks = {id: rank for rank, id in page}
    hits = [Hit(*row) for row in done.fetch(HITS_BY_ID, HIT, ids=list(ranks))]
    hits = [hit._replace(rank=ranks[hit.message_id]) for hit in hits]
    return sorted(hits, key=lambda hit: (hit.rank, hit.message_id), reverse=True)


def find_titles(*, owner: Owner, query: Query, budget: Budget, limit: int) -> list[tuple[UUID, str, datetime]]:
    """Return id, title and `active_at` of conversations whose title satisfies every term, the newest first.

    Search only the NEWEST_TITLES most recently active conversations of the owner; with `in:title`, search all. Of all
    users, search only the NEWEST_TITLES_OF_ALL conversations that were created last. Raise Invalid if that takes too
    long.
    """
    where = ["tags @> %(tags)s::varchar[]"] if query.tags else []
    params: dict[str, Any] = {"tags": query.tags, "limit": limit}
    if owner is AllUsers.ALL_USERS:
        statement = TITLES_OF_ALL
        params["newest"] = NEWEST_TITLES_OF_ALL
    else:
        statement = TITLES
        params |= {"user": owner.pk, "newest": None if query.in_title else NEWEST_TITLES}
    for number, term in enumerate(query.terms):
        where.append(f"title {'!~*' if term.is_excluded else '~*'} %(t{number})s")
        params[f"t{number}"] = re.escape(term.text)
    return budget.fetch(statement.format(where=" AND ".join(where) or "true"), params)
