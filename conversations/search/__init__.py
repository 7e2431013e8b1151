"""Search. `query` parses the text that a user typed, `conditions` and `parts` translate it into SQL, `execute` finds
messages and titles, `time_limit` bounds the time of the statements, `snippets` highlights the matches."""

from .conditions import AllUsers, Owner
from .execute import Found, Hit, Position, find_messages, find_titles
from .query import Query, parse
from .snippets import highlight, typed_pattern
from .time_limit import Budget

__all__ = [
    "AllUsers",
    "Budget",
    "Found",
    "Hit",
    "Owner",
    "Position",
    "Query",
    "find_messages",
    "find_titles",
    "highlight",
    "parse",
    "typed_pattern",
]
