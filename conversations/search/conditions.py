"""Translate a query into SQL conditions on messages (`m`) and on their conversations (`c`)."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from accounts.models import User

from . import parts
from .query import CJK, HAS, Query, Term
from .time_limit import Budget

# PostgreSQL stems all terms in one statement.
STEMS = """SELECT phraseto_tsquery('english', text)::text FROM unnest(%s::text[]) WITH ORDINALITY AS t(text, n)
    ORDER BY n"""


class AllUsers(Enum):
    """The owner in a search of the messages of all users, which only staff use. None could be passed by mistake."""

    ALL_USERS = "all users"


Owner = User | AllUsers


@dataclass
class Conditions:
    """The conditions of a WHERE clause and their parameters.

    `scope` has the conditions that an index by time serves. They decide which messages are the newest."""

    owner: str = "true"
    scope: list[str] = field(default_factory=list)
    filters: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    on_conversation: list[str] = field(default_factory=list)
    params: dict[str, Any] = field(default_factory=dict)
    is_indexed: bool = False  # a text index serves one of the conditions
    parts_may_find_more: bool = False  # matching parts of words could find more messages

    @property
    def are_empty(self) -> bool:
        return not (self.scope or self.text or self.has_filters)

    @property
    def has_filters(self) -> bool:
        return bool(self.filters or self.on_conversation)

    def param(self, value: Any) -> str:
        """Add a parameter and return its placeholder."""
        name = f"p{len(self.params)}"
        self.params[name] = value
        return f"%({name})s"

    def select(self, source: str, columns: str) -> str:
        """Return a statement for `columns` of the messages that `source` selects.

        `source` is the FROM clause and everything after it, with the LIMIT. It is a subquery here, so that PostgreSQL
        computes expensive columns only for the rows within the LIMIT."""
        return self.insert_into(f"SELECT {columns} FROM (SELECT m.*, c.title FROM {source}) m")

    def insert_into(self, statement: str) -> str:
        """Replace the placeholders of a statement, such as {scope}, by the conditions."""
        message = [*self.filters, *self.text]  # the filters first, because they are cheaper
        conditions = {"scope": self.scope, "text": self.text, "message": message, "conversation": self.on_conversation}
        joined = {name: " AND ".join(parts) or "true" for name, parts in conditions.items()}
        return statement.format(owner=self.owner, **joined)


def build_conditions(owner: Owner, query: Query, tsqueries: dict[Term, str], *, match_parts: bool) -> Conditions:
    """Return the conditions for a query. With `match_parts`, a term also matches a part of a word."""
    where = Conditions()
    if owner is not AllUsers.ALL_USERS:
        where.owner = f"m.user_id = {where.param(owner.pk)}"
    for term in query.terms:
        _add_text(where, term, tsqueries[term], match_parts)
    if query.roles:
        where.filters.append(f"m.role = ANY({where.param(query.roles)})")
    if query.models:
        where.filters.append(f"m.model = ANY({where.param(query.models)})")
    if query.tags:
        where.on_conversation.append(f"c.tags @> {where.param(query.tags)}::varchar[]")
    if query.before:
        where.scope.append(f"m.created_at < {where.param(query.before)}")
    if query.after:
        where.scope.append(f"m.created_at >= {where.param(query.after)}")
    # The index that serves these conditions begins with the user, so it does not serve a search of all users.
    has = where.filters if owner is AllUsers.ALL_USERS else where.scope
    has += [HAS[name] for name in query.has]
    return where


def _add_text(where: Conditions, term: Term, tsquery: str, match_parts: bool) -> None:
    """Add the condition for one term.

    A word matches by its stem, and with `match_parts` also as a part of another word. An exact term matches if the
    message has its pairs of characters, which the index finds, and has them in one place. A term without a word, such
    as `---`, matches as a part of the message."""
    alternatives, is_indexed = [], True
    can_be_part = len(term.text) >= parts.SHORTEST and not _is_exact(term)
    if tsquery:
        alternatives.append(f"m.search @@ {where.param(tsquery)}::tsquery")
    if _is_exact(term):
        alternatives = [f"{alternatives[0]} AND {parts.contains(term.text, where.param)}"]
    if can_be_part and (match_parts or not tsquery):
        # Most messages have the trigrams of a phrase of stop words, such as "to be or not to be".
        is_indexed = parts.are_indexed(term.text) and (bool(tsquery) or " " not in term.text)
        contains = parts.contains_by_index if is_indexed else parts.contains
        alternatives.append(contains(term.text, where.param))
    if not alternatives:
        return  # a stop word or a sign of one or two characters
    condition = f"({' OR '.join(alternatives)})"
    where.text.append(f"NOT coalesce({condition}, false)" if term.is_excluded else condition)
    where.is_indexed |= is_indexed and not term.is_excluded
    where.parts_may_find_more |= can_be_part and bool(tsquery) and not match_parts and not term.is_excluded


def _is_exact(term: Term) -> bool:
    """Return whether the term is compared character by character, after the index has found its pairs."""
    return len(term.text) >= parts.SHORTEST and bool(CJK.search(term.text))


def build_tsqueries(terms: list[Term], budget: Budget) -> dict[Term, str]:
    """Return a tsquery as text for each term. It is empty for a term that consists of stop words."""
    if not terms:
        return {}
    stems = budget.fetch(STEMS, [[CJK.sub(" ", term.text) for term in terms]])
    return {term: _tsquery(term, stem) for term, (stem,) in zip(terms, stems, strict=True)}


def _tsquery(term: Term, stem: str) -> str:
    # The stem of a part of a word can differ from the stem of the word, so an exact term has only its pairs.
    pairs = _pairs(term.text)
    return " & ".join(pairs if _is_exact(term) else filter(None, [stem, *pairs]))


def _pairs(text: str) -> list[str]:
    """Return the pairs of Chinese, Japanese and Korean characters in a text, as the SQL function `cjk_pairs` indexes
    them. A single character matches the pairs that begin with it."""
    runs = CJK.findall(text)
    pairs = [run[i : i + 2] for run in runs for i in range(len(run) - 1)]
    found = [f"'{pair}'" for pair in pairs] + [f"'{run}':*" for run in runs if len(run) == 1]
    return list(dict.fromkeys(found))
