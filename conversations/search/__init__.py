"""Query text → rows."""

from .execute import Hit, Position, messages, titles
from .query import Query, parse
from .snippets import marked, typed

__all__ = ["Hit", "Position", "Query", "marked", "messages", "parse", "titles", "typed"]
