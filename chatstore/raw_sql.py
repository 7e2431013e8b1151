"""Helpers that build model instances from the rows of raw SQL.

Statements that nearly every request executes are raw SQL: the ORM needs three times as much CPU time to compile such a
statement as PostgreSQL needs to execute it."""

from collections.abc import Sequence
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Model

Row = TypeVar("Row", bound=Model)


def columns(*models: type[Model]) -> str:
    """Return the select list of all columns of the models, in the order that `build_instance` expects."""
    names = ((model._meta.db_table, field.column) for model in models for field in model._meta.concrete_fields)
    return ", ".join(f"{table}.{column}" for table, column in names)


def build_instance(model: type[Row], values: Sequence[Any]) -> Row:
    """Return a model instance. `values` begins with the values of `columns(model)`; the rest is ignored."""
    names = [field.attname for field in model._meta.concrete_fields]
    return model.from_db(connection.alias, names, values[: len(names)])


def fetch_row(sql: str, params: Any) -> tuple[Any, ...] | None:
    """Execute a statement and return its first row, or None."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchone()
