"""The refusal of deletions by a legal hold.

Triggers of the database check the holds (migration 0012), so no deletion can forget them. This module converts their
error.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, transaction

from chatstore.errors import OnHold

HELD = "HOLD1"  # the SQLSTATE of the triggers


@contextmanager
def refused_on_hold(message: str) -> Iterator[None]:
    """Run the block in a transaction. Raise OnHold with this message if a legal hold forbids one of its deletions."""
    try:
        with transaction.atomic():
            yield
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", None) != HELD:
            raise
        raise OnHold(message) from None
