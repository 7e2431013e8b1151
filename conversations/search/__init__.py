"""Query text → rows."""

from .query import Query, parse
from .rows import Hit, Position, messages, titles
from .snippets import marked, typed

__all__ = ["Hit", "Position", "Query", "marked", "messages", "parse", "titles", "typed"]
