"""Search. `query` parses the text that a user typed, `conditions` translates it into SQL, `execute` finds messages and
titles, `snippets` highlights the matches."""

from .execute import Hit, Position, find_messages, find_titles
from .query import Query, parse
from .snippets import highlight, typed_pattern

__all__ = ["Hit", "Position", "Query", "find_messages", "find_titles", "highlight", "parse", "typed_pattern"]
