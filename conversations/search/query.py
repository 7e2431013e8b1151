"""What a person typed, taken apart. Nothing is an error: what is no operator, or one with a value that makes no sense,
is text to look for."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from conversations.models import Role

# Kana, bopomofo, Han, Hangul, half-width katakana: as in `cjk_pairs` of migration 0003.
CJK_RANGES = (
    "\u3040-\u30ff\u3100-\u312f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uac00-\ud7af\uff66-\uff9f\U00020000-\U0003ffff"
)
MOST_TERMS = 24
LONGEST_TERM = 200
# -"a phrase", role:user, tag:"two words", word
TOKEN = re.compile(r"""(?P<minus>-?)(?:(?P<operator>[a-z]+):)?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))""", re.I)


@dataclass(frozen=True)
class Term:
    text: str
    is_excluded: bool = False


@dataclass
class Query:
    terms: list[Term] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    before: datetime | None = None
    after: datetime | None = None
    has_tool_calls: bool = False
    in_title: bool = False

    @property
    def wanted(self) -> list[Term]:
        return [term for term in self.terms if not term.is_excluded]

    @property
    def may_be_a_title(self) -> bool:
        """Asks nothing that only a message has."""
        asks_of_messages = self.roles or self.models or self.before or self.after or self.has_tool_calls
        return bool(self.terms) and (self.in_title or not asks_of_messages)


def parse(text: str) -> Query:
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


def _listed(name: str, allowed: Callable[[str], bool] = bool) -> Callable[[Query, str], bool]:
    def take(query: Query, value: str) -> bool:
        if allowed(value):
            getattr(query, name).append(value)
        return allowed(value)

    return take


def _time(name: str) -> Callable[[Query, str], bool]:
    def take(query: Query, value: str) -> bool:
        try:
            moment = datetime.fromisoformat(value)
            moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (ValueError, OverflowError):  # no time, or none between the years 1 and 9999
            return False
        setattr(query, name, moment)
        return True

    return take


def _said(name: str, expected: str) -> Callable[[Query, str], bool]:
    def take(query: Query, value: str) -> bool:
        if value.lower() == expected:
            setattr(query, name, True)
        return value.lower() == expected

    return take


OPERATORS: dict[str, Callable[[Query, str], bool]] = {
    "role": _listed("roles", lambda value: value in Role.values),
    "model": _listed("models"),
    "tag": _listed("tags"),
    "before": _time("before"),
    "after": _time("after"),
    "has": _said("has_tool_calls", "tool_calls"),
    "in": _said("in_title", "title"),
}
