"""Prepared statements, and model instances from their rows.

Statements that nearly every request executes are raw SQL: the ORM needs three times as much CPU time to compile such a
statement as PostgreSQL needs to execute it. They are also prepared: each connection sends the text of a statement once,
and PostgreSQL parses it once and usually plans it once (docs/decisions/0023).

PostgreSQL plans a prepared statement without the values of its parameters. So a statement must have a plan that is good
for all values. A condition such as `%(x)s IS NULL OR …` has none, and needs two statements.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, TypeVar

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Model

Row = TypeVar("Row", bound=Model)


@cache
def columns(*models: type[Model]) -> str:
    """Return the select list of all columns of the models, in the order that `build_instance` expects."""
    names = ((model._meta.db_table, field.column) for model in models for field in model._meta.concrete_fields)
    return ", ".join(f"{table}.{column}" for table, column in names)


def build_instance(model: type[Row], values: Sequence[Any]) -> Row:
    """Return a model instance. `values` begins with the values of `columns(model)`; the rest is ignored."""
    names = [field.attname for field in model._meta.concrete_fields]
    return model.from_db(DEFAULT_DB_ALIAS, names, values[: len(names)])


class PreparedCursor(psycopg.Cursor[Any]):
    """A cursor that prepares its statements, if DB_PREPARED_STATEMENTS is set."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        # Only for this statement: psycopg would count all others, and keep the last hundred texts of them in memory.
        self.connection.prepare_threshold = 0 if settings.DB_PREPARED_STATEMENTS else None
        try:
            return super().execute(query, params, **options)
        finally:
            self.connection.prepare_threshold = None


def fetch_rows(sql: str, params: Any) -> list[tuple[Any, ...]]:
    """Execute a prepared statement and return its rows. `sql` must be a constant."""
    with _prepared_cursor() as cursor:
        cursor.execute(sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def fetch_column(sql: str, params: Any) -> list[Any]:
    """Execute a prepared statement that selects one column, and return its values."""
    return [value for (value,) in fetch_rows(sql, params)]


def fetch_row(sql: str, params: Any) -> tuple[Any, ...] | None:
    """Execute a prepared statement and return its first row, or None."""
    rows = fetch_rows(sql, params)
    return rows[0] if rows else None


def execute(sql: str, params: Any) -> None:
    """Execute a prepared statement that returns no rows."""
    with _prepared_cursor() as cursor:
        cursor.execute(sql, params)


def _prepared_cursor() -> Any:
    """Return what `connection.cursor()` returns, but for a PreparedCursor."""
    connection = connections[DEFAULT_DB_ALIAS]  # the proxy `django.db.connection` looks it up for each attribute
    connection.ensure_connection()
    cursor: Any = PreparedCursor(connection.connection)
    return connection.make_debug_cursor(cursor) if connection.queries_logged else connection.make_cursor(cursor)
