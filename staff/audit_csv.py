"""The audit as CSV, for spreadsheets."""

import csv
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from chatstore.database import release_connection

from .audit import attach_names
from .models import AuditEvent

BATCH = 1_000  # events in memory at a time
COLUMNS = "time actor actor_name action object_type object_id owner owner_name details reason address".split()
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet executes a cell that begins with one of these


class _Echo:
    """A file whose `write` returns what it gets, so that a csv.writer returns each line."""

    def write(self, text: str) -> str:
        return text


def stream(events: QuerySet[AuditEvent]) -> Iterator[str]:
    """Yield the CSV, one batch of events in each piece, newest first.

    Each batch is one statement. No connection is in use while the client reads. Events that are added meanwhile are not
    included."""
    writer: Any = csv.writer(_Echo())
    yield writer.writerow(COLUMNS)
    events, last = events.order_by("-pk"), None
    while batch := list((events.filter(pk__lt=last) if last else events)[:BATCH]):
        attach_names(batch)
        release_connection()
        yield "".join(writer.writerow(map(harmless, _cells(event))) for event in batch)
        last = batch[-1].pk


def harmless(cell: object) -> str:
    """Return the text of a cell. An apostrophe before a formula makes a spreadsheet show it as a text."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(FORMULA) else text


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
