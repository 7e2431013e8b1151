"""The audit as CSV, for spreadsheets."""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from chatstore.database import release_connection
from staff.models import AuditEvent

from .events import attach_names

BATCH = 1_000  # events in memory at a time
COLUMNS = "time actor actor_name action object_type object_id owner owner_name details reason address".split()


def read_batches(events: QuerySet[AuditEvent]) -> Iterator[list[tuple[object, ...]]]:
    """Yield the rows below COLUMNS, newest first. Each batch has at most BATCH rows.

    Executes two statements for each batch, and then releases the connection, so none is in use while the client reads.
    Leaves out events that are added meanwhile."""
    events, last = events.order_by("-pk"), None
    while batch := list((events.filter(pk__lt=last) if last else events)[:BATCH]):
        attach_names(batch)
        release_connection()
        yield list(map(_cells, batch))
        last = batch[-1].pk


def details_text(event: AuditEvent) -> str:
    """Return the details of an event on one line."""
    return ", ".join(f"{name}: {_value_text(value)}" for name, value in event.details.items())


def _value_text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _cells(event: AuditEvent) -> tuple[object, ...]:
    return (
        event.at.isoformat(),
        event.actor,
        event.actor_name,
        event.action,
        event.object_type,
        event.object_id,
        event.owner,
        event.owner_name,
        details_text(event),
        event.reason,
        event.address,
    )
