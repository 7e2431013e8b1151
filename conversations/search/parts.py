"""Conditions for a text that is a part of a message: of a word, or of several words and signs.

The index of trigrams finds a text only if the text has three letters or digits in a row. PostgreSQL takes no trigrams
from `---`, from emoji, or from a regular expression with characters beyond U+07FF. It would then read the index
entries of all users, so such a condition must have a form that the index does not support."""

import re
from collections.abc import Callable
from itertools import groupby
from typing import Any
from unicodedata import category

SHORTEST = 3  # characters of a text that is searched inside words
IN_REGULAR_EXPRESSIONS = "\u07ff"  # the last character from which PostgreSQL takes trigrams there
LIKE_SPECIAL = re.compile(r"[\\%_]")

AddParam = Callable[[Any], str]  # adds a parameter to the statement and returns its placeholder


def are_indexed(text: str) -> bool:
    """Return whether the index of trigrams can find the text."""
    return any(is_letter and len(list(run)) >= SHORTEST for is_letter, run in groupby(text, key=_is_letter))


def contains_by_index(text: str, param: AddParam) -> str:
    """Return the condition that a message contains the text, in a form that the index of trigrams supports.

    A regular expression is two to three times as fast as ILIKE, which makes a lower-case copy of each message."""
    if max(text) <= IN_REGULAR_EXPRESSIONS:
        return f"m.content ~* {param(re.escape(text))}"  # PostgreSQL understands the escapes of `re.escape`
    operator = "LIKE" if _has_no_case(text) else "ILIKE"
    pattern = LIKE_SPECIAL.sub(r"\\\g<0>", text)
    return f"m.content {operator} {param(f'%{pattern}%')}"


def contains(text: str, param: AddParam) -> str:
    """Return the same condition in a form that no index supports."""
    if _has_no_case(text):
        return f"strpos(m.content, {param(text)}) > 0"
    return f"(m.content || '') ~* {param(re.escape(text))}"


def _is_letter(character: str) -> bool:
    # Vowel signs are marks (M), for example in Hindi and Thai. PostgreSQL counts most of them as letters.
    return category(character)[0] in "LM" or category(character) == "Nd"


def _has_no_case(text: str) -> bool:
    return text.lower() == text.upper()
