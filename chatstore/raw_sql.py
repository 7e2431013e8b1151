"""Rows of statements that are written out, as model instances. The statements that nearly every request makes are
written out: for the ORM to put one together costs three times the CPU that PostgreSQL takes to answer it."""

from collections.abc import Sequence
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Model

Row = TypeVar("Row", bound=Model)


def columns(*models: type[Model]) -> str:
    names = ((model._meta.db_table, field.column) for model in models for field in model._meta.concrete_fields)
    return ", ".join(f"{table}.{column}" for table, column in names)


def build_instance(model: type[Row], values: Sequence[Any]) -> Row:
    """`values` begin with those of `columns(model)`."""
    names = [field.attname for field in model._meta.concrete_fields]
    return model.from_db(connection.alias, names, values[: len(names)])


def fetch_row(sql: str, params: Any) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchone()
