"""Parse the text that a user typed into the search field.

Every text is valid. An unknown operator, or an operator with an invalid value, is searched for as text."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from chatstore.times import parse_utc
from conversations.models import Role

# Kana, bopomofo, Han, Hangul, half-width katakana: the same ranges as in `cjk_pairs` of migration 0003.
CJK_RANGES = (
    "\u3040-\u30ff\u3100-\u312f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uac00-\ud7af\uff66-\uff9f\U00020000-\U0003ffff"
)
CJK = re.compile(f"[{CJK_RANGES}]+")
MOST_TERMS = 24
LONGEST_TERM = 200
# Examples: -"a phrase", role:user, tag:"two words", word
TOKEN = re.compile(r"""(?P<minus>-?)(?:(?P<operator>[a-z]+):)?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))""", re.I)


@dataclass(frozen=True)
class Term:
    """A word or a phrase."""

    text: str
    is_excluded: bool = False


# The values of `has:`, each with its condition on a message `m`. Each condition needs an index in models.py.
HAS = {"tool_calls": "m.tool_calls IS NOT NULL"}


@dataclass
class Query:
    """A parsed query. All conditions must be true. Of several roles or models, one must match."""

    terms: list[Term] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    before: datetime | None = None
    after: datetime | None = None
    has: list[str] = field(default_factory=list)
    in_title: bool = False

    @property
    def wanted(self) -> list[Term]:
        """Return the terms that are not excluded."""
        return [term for term in self.terms if not term.is_excluded]

    @property
    def can_match_titles(self) -> bool:
        """Return True if the query has terms, and has either `in:title` or no condition on messages."""
        needs_message = self.roles or self.models or self.before or self.after or self.has
        return bool(self.terms) and (self.in_title or not needs_message)


def parse(text: str) -> Query:
    """Return the query. Keeps only the first MOST_TERMS terms, and the first LONGEST_TERM characters of each."""
    query = Query()
    for token in TOKEN.finditer(text[: MOST_TERMS * LONGEST_TERM]):
        value = token["word"] if token["phrase"] is None else token["phrase"]
        operator = (token["operator"] or "").lower()
        if not token["minus"] and value and operator in OPERATORS and OPERATORS[operator](query, value):
            continue
        text = f"{token['operator']}:{value}" if operator else value
        if text.strip() and len(query.terms) < MOST_TERMS:
            query.terms.append(Term(text.strip()[:LONGEST_TERM], bool(token["minus"])))
    return query


# An operator sets an attribute of the query. It returns False if its value is invalid.


def _list_operator(name: str, is_valid: Callable[[str], bool] = bool) -> Callable[[Query, str], bool]:
    def apply(query: Query, value: str) -> bool:
        if is_valid(value):
            getattr(query, name).append(value)
        return is_valid(value)

    return apply


def _time_operator(name: str) -> Callable[[Query, str], bool]:
    def apply(query: Query, value: str) -> bool:
        try:
            setattr(query, name, parse_utc(value))
        except ValueError:
            return False
        return True

    return apply


def _flag_operator(name: str, expected: str) -> Callable[[Query, str], bool]:
    def apply(query: Query, value: str) -> bool:
        if value.lower() == expected:
            setattr(query, name, True)
        return value.lower() == expected

    return apply


OPERATORS: dict[str, Callable[[Query, str], bool]] = {
    "role": _list_operator("roles", lambda value: value in Role.values),
    "model": _list_operator("models"),
    "tag": _list_operator("tags"),
    "before": _time_operator("before"),
    "after": _time_operator("after"),
    "has": lambda query, value: _list_operator("has", HAS.__contains__)(query, value.lower()),
    "in": _flag_operator("in_title", "title"),
}
