"""Inserts and updates of many rows in a few statements."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

import orjson
from django.db import connection
from django.db.models import JSONField, Model

from conversations.models import Message

BATCH = 1_000
Changes = Mapping[str, Any]  # values by the names of fields


def insert_each(rows: Sequence[Model]) -> None:
    """Insert new rows of one model. Raises IntegrityError.

    Runs one COPY for up to BATCH rows. For 20,000 messages, `bulk_create` needs 15 s of CPU time to compile its
    statements; COPY has no statement to compile.
    """
    for start in range(0, len(rows), BATCH):
        _copy(rows[start : start + BATCH])


def _copy(rows: Sequence[Model]) -> None:
    fields: Sequence[Any] = rows[0]._meta.concrete_fields
    columns = ", ".join(field.column for field in fields)
    statement = f"COPY {rows[0]._meta.db_table} ({columns}) FROM STDIN"
    values_of = attrgetter(*(field.attname for field in fields))
    json_columns = [index for index, field in enumerate(fields) if isinstance(field, JSONField)]
    # Django converts the errors of `execute`, but not those of `copy`.
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(_with_json_texts(values_of(row), json_columns))
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias


def _with_json_texts(values: Iterable[Any], json_columns: Iterable[int]) -> list[Any]:
    values = list(values)
    for index in json_columns:
        if values[index] is not None:
            values[index] = orjson.dumps(values[index]).decode()
    return values


def update_each(changes: Mapping[uuid.UUID, Changes]) -> None:
    """Update each message with its own values. The caller must hold the lock of the conversation.

    Runs one statement for up to BATCH messages that change the same fields.
    """
    by_fields: dict[tuple[str, ...], list[tuple[uuid.UUID, Changes]]] = defaultdict(list)
    for id, values in changes.items():
        by_fields[tuple(sorted(values))].append((id, values))
    for names, rows in by_fields.items():
        for start in range(0, len(rows), BATCH):
            _update(names, rows[start : start + BATCH])


def _update(names: tuple[str, ...], rows: Sequence[tuple[uuid.UUID, Changes]]) -> None:
    fields: list[Any] = [Message._meta.get_field(name) for name in names]
    columns = [[field.get_db_prep_save(values[field.name], connection) for _, values in rows] for field in fields]
    arrays = ", ".join(["%s::uuid[]", *(f"%s::{field.db_type(connection)}[]" for field in fields)])
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE message SET {', '.join(f'{name} = changed.{name}' for name in names)} "
            f"FROM unnest({arrays}) AS changed(id, {', '.join(names)}) WHERE message.id = changed.id",
            [[id for id, _ in rows], *columns],
        )
