"""Snippets: the text around the first match, as escaped HTML with the matches in <mark>."""

import html
import re
from collections.abc import Iterable

from .query import Query

BEFORE, LENGTH = 60, 240  # lengths in characters: before the first match, and in total
SEARCHED = 40_000  # characters of a text times terms. A hundred texts with many terms would take seconds.


def match_pattern(texts: Iterable[str], stems: Iterable[str]) -> re.Pattern[str] | None:
    """Return a pattern for the typed texts and for words that begin with their stems, or None if there are none.

    The stem `happi` also matches `happy`."""
    typed = sorted(map(re.escape, texts), key=len, reverse=True)
    words = [
        rf"\b{re.escape(stem[:-1])}[iy]\w*" if stem.endswith("i") else rf"\b{re.escape(stem)}\w*" for stem in stems
    ]
    return re.compile("|".join([*typed, *words]), re.IGNORECASE) if typed or words else None


def typed_pattern(query: Query) -> re.Pattern[str] | None:
    """Return a pattern for the typed texts of a query, without stems, or None if it has none."""
    return match_pattern([term.text for term in query.wanted], [])


def highlight(text: str, pattern: re.Pattern[str] | None, terms: int = 1) -> str:
    """Return the snippet of a text as HTML. Without a match, it is the beginning of the text.

    `terms` is the number of terms in the pattern. With many terms, only the beginning of a long text is searched."""
    first = pattern.search(text, 0, SEARCHED // max(terms, 1)) if pattern else None
    start = max(0, first.start() - BEFORE) if first else 0
    window = text[start : start + LENGTH]
    head, tail = "…" if start else "", "…" if len(text) > start + LENGTH else ""
    return head + _mark(window, pattern) + tail


def _mark(text: str, pattern: re.Pattern[str] | None) -> str:
    pieces, end = [], 0
    for match in pattern.finditer(text) if pattern else ():
        pieces += [html.escape(text[end : match.start()]), "<mark>", html.escape(match[0]), "</mark>"]
        end = match.end()
    return "".join([*pieces, html.escape(text[end:])])
