"""Query text → rows."""

from .query import Query, parse
from .rows import Hit, messages, titles
from .snippets import marked, typed

__all__ = ["Hit", "Query", "marked", "messages", "parse", "titles", "typed"]
