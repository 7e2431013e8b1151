"""Numbers in tests are numbers of statements: what a call asks of the database, transactions not counted."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.test.utils import CaptureQueriesContext

COUNTED = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")


@contextmanager
def statements() -> Iterator[list[str]]:
    """The verbs, in order, once the block has ended."""
    verbs: list[str] = []
    with CaptureQueriesContext(connection) as captured:
        yield verbs
    first_words = (query["sql"].split(maxsplit=1)[0].upper() for query in captured.captured_queries)
    verbs.extend(word for word in first_words if word in COUNTED)
