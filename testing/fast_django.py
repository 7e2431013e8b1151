"""Faster replacements for two parts of Django's tests. `install` puts them in place; conftest.py calls it once."""

from functools import cache
from typing import Any

from django.db import OperationalError, connection, transaction
from django.test import TransactionTestCase
from psycopg.errors import DeadlockDetected
from whitenoise.middleware import WhiteNoiseMiddleware

# Migrations fill these tables.
KEPT = {
    "auth_group",
    "auth_group_permissions",
    "auth_permission",
    "django_content_type",
    "django_migrations",
    "review_label",
}
scan = WhiteNoiseMiddleware.add_files_from_finders
static_files: dict[str, Any] = {}


def install() -> None:
    TransactionTestCase._fixture_teardown = lambda self: delete_rows()  # type: ignore[method-assign]
    WhiteNoiseMiddleware.add_files_from_finders = add_known_files


def delete_rows() -> None:
    """Delete the rows that a test has committed. Waits until no other connection is writing.

    Django's `flush` truncates all tables and creates all permissions again, which takes 150 ms. This takes 5 ms. A
    server that is still writing can cause a deadlock. PostgreSQL then ends one of the two transactions.
    """
    try:
        _delete_rows()
    except OperationalError as error:
        if not isinstance(error.__cause__, DeadlockDetected):
            raise
        _delete_rows()


@transaction.atomic
def _delete_rows() -> None:
    tables = ", ".join(all_tables())
    # All in one statement, because foreign keys are checked at its end.
    deletions = ", ".join(f"{table}_rows AS (DELETE FROM {table})" for table in all_tables())
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {tables} IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute("SET LOCAL chatstore.audit_delete_before = 'infinity'")  # else the audit refuses
        cursor.execute("ALTER TABLE erasure_receipt DISABLE TRIGGER erasure_receipt_final")
        cursor.execute("DELETE FROM hold")  # a trigger refuses to delete what is on hold
        cursor.execute(f"WITH {deletions} SELECT")
        cursor.execute("ALTER TABLE erasure_receipt ENABLE TRIGGER erasure_receipt_final")
        cursor.execute("DELETE FROM daily_usage_change")  # triggers have added the deletions


@cache
def all_tables() -> list[str]:
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return sorted(set(names) - KEPT)


def add_known_files(middleware: WhiteNoiseMiddleware) -> None:
    """Find the static files in the first instance only. Each test client has its own, and a search takes 50 ms."""
    if not static_files:
        scan(middleware)
        static_files.update(middleware.files)
    middleware.files.update(static_files)
