"""Translate a query into SQL conditions on messages (`m`) and on their conversations (`c`)."""

import re
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from .query import CJK_RANGES, HAS, Query, Term

CJK = re.compile(f"[{CJK_RANGES}]+")
# PostgreSQL stems all terms in one statement.
STEMS = """SELECT phraseto_tsquery('english', text)::text FROM unnest(%s::text[]) WITH ORDINALITY AS t(text, n)
    ORDER BY n"""


@dataclass
class Conditions:
    """The conditions of a WHERE clause and their parameters."""

    on_message: list[str] = field(default_factory=list)
    on_conversation: list[str] = field(default_factory=list)
    params: dict[str, Any] = field(default_factory=dict)
    has_text: bool = False
    parts_may_find_more: bool = False  # matching parts of words could find more messages

    def add(self, condition: str, value: Any) -> None:
        """Add a condition on the message. `condition` has `{}` in the place of the parameter."""
        self.on_message.append(condition.format(self.param(value)))

    def param(self, value: Any) -> str:
        """Add a parameter and return its placeholder."""
        name = f"p{len(self.params)}"
        self.params[name] = value
        return f"%({name})s"

    def fetch(self, source: str, columns: str, **params: Any) -> list[tuple[Any, ...]]:
        """Return `columns` of the messages that `source` selects.

        `source` is the FROM clause and everything after it, with the LIMIT. It is a subquery here, so that PostgreSQL
        computes expensive columns only for the rows within the LIMIT."""
        message, conversation = (" AND ".join(part) or "true" for part in (self.on_message, self.on_conversation))
        source = source.format(message=message, conversation=conversation)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {columns} FROM (SELECT m.*, c.title FROM {source}) m", self.params | params)
            return cursor.fetchall()


def build_conditions(query: Query, tsqueries: dict[Term, str], *, match_parts: bool) -> Conditions:
    """Return the conditions for a query. With `match_parts`, a term also matches a part of a word."""
    where = Conditions()
    for term in query.terms:
        _add_text(where, term, tsqueries[term], match_parts)
    if query.roles:
        where.add("m.role = ANY({})", query.roles)
    if query.models:
        where.add("m.model = ANY({})", query.models)
    if query.tags:
        where.on_conversation.append(f"c.tags @> {where.param(query.tags)}::varchar[]")
    if query.before:
        where.add("m.created_at < {}", query.before)
    if query.after:
        where.add("m.created_at >= {}", query.after)
    where.on_message += [HAS[name] for name in query.has]
    return where


def _add_text(where: Conditions, term: Term, tsquery: str, match_parts: bool) -> None:
    """Add the condition for one term.

    A word matches by its stem. A part of a word needs at least three characters: a trigram index has no shorter keys.
    Chinese has no spaces between words, so one or two characters are searched as a word, three or more as a part."""
    can_be_part = len(term.text) >= 3
    is_word = bool(tsquery) and not (can_be_part and CJK.search(term.text))
    alternatives = []
    if is_word:
        alternatives.append(f"m.search @@ {where.param(tsquery)}::tsquery")
    if can_be_part and (match_parts or not is_word):
        # PostgreSQL understands the escapes of `re.escape`. ILIKE would be slower: it lower-cases every text it reads.
        alternatives.append(f"m.content ~* {where.param(re.escape(term.text))}")
    if not alternatives:
        return  # a stop word of one or two characters: no index can find it
    condition = f"({' OR '.join(alternatives)})"
    where.on_message.append(f"NOT coalesce({condition}, false)" if term.is_excluded else condition)
    where.has_text = True
    where.parts_may_find_more |= not term.is_excluded and can_be_part and is_word and not match_parts


def build_tsqueries(terms: list[Term]) -> dict[Term, str]:
    """Return a tsquery as text for each term. It is empty for a term that consists of stop words."""
    if not terms:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(STEMS, [[CJK.sub(" ", term.text) for term in terms]])
        stems = [stem for (stem,) in cursor.fetchall()]
    return {term: " & ".join(filter(None, [stem, *_pairs(term.text)])) for term, stem in zip(terms, stems, strict=True)}


def _pairs(text: str) -> list[str]:
    """Return the pairs of Chinese, Japanese and Korean characters in a text, as the SQL function `cjk_pairs` indexes
    them. A single character matches the pairs that begin with it."""
    runs = CJK.findall(text)
    pairs = [run[i : i + 2] for run in runs for i in range(len(run) - 1)]
    return [f"'{pair}'" for pair in pairs] + [f"'{run}':*" for run in runs if len(run) == 1]
