"""The place of a match, as HTML that is safe to show: the text escaped, the matches in <mark>."""

import html
import re
from collections.abc import Iterable

from .query import Query

BEFORE, LENGTH = 60, 240  # characters of a snippet ahead of the first match, and in all


def pattern(texts: Iterable[str], stems: Iterable[str]) -> re.Pattern[str] | None:
    """What was typed, and the words that begin with its stems (`happi` is happy, too)."""
    typed = sorted(map(re.escape, texts), key=len, reverse=True)
    words = [
        rf"\b{re.escape(stem[:-1])}[iy]\w*" if stem.endswith("i") else rf"\b{re.escape(stem)}\w*" for stem in stems
    ]
    return re.compile("|".join([*typed, *words]), re.IGNORECASE) if typed or words else None


def typed(query: Query) -> re.Pattern[str] | None:
    return pattern([term.text for term in query.wanted], [])


def marked(text: str, matches: re.Pattern[str] | None) -> str:
    first = matches.search(text) if matches else None
    start = max(0, first.start() - BEFORE) if first else 0
    window = text[start : start + LENGTH]
    head, tail = "…" if start else "", "…" if len(text) > start + LENGTH else ""
    return head + _mark(window, matches) + tail


def _mark(text: str, matches: re.Pattern[str] | None) -> str:
    pieces, done = [], 0
    for match in matches.finditer(text) if matches else ():
        pieces += [html.escape(text[done : match.start()]), "<mark>", html.escape(match[0]), "</mark>"]
        done = match.end()
    return "".join([*pieces, html.escape(text[done:])])
