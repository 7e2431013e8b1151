"""A query as SQL conditions on messages `m` and on their conversations `c`."""

import re
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from .query import CJK_RANGES, Query, Term

CJK = re.compile(f"[{CJK_RANGES}]+")
# One statement for all terms: what PostgreSQL's stemmer makes of them.
STEMS = """SELECT phraseto_tsquery('english', text)::text FROM unnest(%s::text[]) WITH ORDINALITY AS t(text, n)
    ORDER BY n"""


@dataclass
class Conditions:
    of_message: list[str] = field(default_factory=list)
    of_conversation: list[str] = field(default_factory=list)
    params: dict[str, Any] = field(default_factory=dict)
    has_text: bool = False
    could_widen: bool = False  # looking inside of words, too, might find more

    def add(self, condition: str, value: Any) -> None:
        """`condition` has a `{}` for its parameter."""
        self.of_message.append(condition.format(self.param(value)))

    def param(self, value: Any) -> str:
        name = f"p{len(self.params)}"
        self.params[name] = value
        return f"%({name})s"

    def rows(self, source: str, columns: str, **params: Any) -> list[tuple[Any, ...]]:
        """`columns` of the messages that `source` limits: what they cost is paid after its LIMIT."""
        message, conversation = (" AND ".join(of) or "true" for of in (self.of_message, self.of_conversation))
        source = source.format(message=message, conversation=conversation)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {columns} FROM (SELECT m.*, c.title FROM {source}) m", self.params | params)
            return cursor.fetchall()


def conditions(query: Query, tsqueries: dict[Term, str], *, inside: bool) -> Conditions:
    """`inside`: a term is also found as a part of a word."""
    found = Conditions()
    for term in query.terms:
        _add_text(found, term, tsqueries[term], inside)
    if query.roles:
        found.add("m.role = ANY({})", query.roles)
    if query.models:
        found.add("m.model = ANY({})", query.models)
    if query.tags:
        found.of_conversation.append(f"c.tags @> {found.param(query.tags)}::varchar[]")
    if query.before:
        found.add("m.created_at < {}", query.before)
    if query.after:
        found.add("m.created_at >= {}", query.after)
    if query.has_tool_calls:
        found.of_message.append("m.tool_calls IS NOT NULL")
    return found


def _add_text(found: Conditions, term: Term, tsquery: str, inside: bool) -> None:
    """A word by its stem. A part of a word from three characters on, the fewest that a trigram index has a key for.
    Chinese has no spaces to tell words by: two characters are a word, three and more a part."""
    can_be_part = len(term.text) >= 3
    is_word = bool(tsquery) and not (can_be_part and CJK.search(term.text))
    either = []
    if is_word:
        either.append(f"m.search @@ {found.param(tsquery)}::tsquery")
    if can_be_part and (inside or not is_word):
        # Escaped as Python does, which is an escape to PostgreSQL too; an ILIKE lower-cases every text that it reads.
        either.append(f"m.content ~* {found.param(re.escape(term.text))}")
    if not either:
        return  # a word so common that it is not indexed, and too short for a part
    condition = f"({' OR '.join(either)})"
    found.of_message.append(f"NOT coalesce({condition}, false)" if term.is_excluded else condition)
    found.has_text = True
    found.could_widen |= not term.is_excluded and can_be_part and is_word and not inside


def tsqueries(terms: list[Term]) -> dict[Term, str]:
    """For each term a tsquery as text; empty where it has nothing but stop words."""
    if not terms:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(STEMS, [[CJK.sub(" ", term.text) for term in terms]])
        stems = [stem for (stem,) in cursor.fetchall()]
    return {term: " & ".join(filter(None, [stem, *_pairs(term.text)])) for term, stem in zip(terms, stems, strict=True)}


def _pairs(text: str) -> list[str]:
    """As `cjk_pairs` indexes them; one character alone is where a pair begins."""
    runs = CJK.findall(text)
    pairs = [run[i : i + 2] for run in runs for i in range(len(run) - 1)]
    return [f"'{pair}'" for pair in pairs] + [f"'{run}':*" for run in runs if len(run) == 1]
