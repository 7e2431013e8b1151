"""Django's `migrate`, which only one process can run at a time."""

from typing import Any

from django.core.management.commands.migrate import Command as Migrate

from chatstore import migration_lock


class Command(Migrate):
    def handle(self, *args: Any, **options: Any) -> None:
        with migration_lock.held(options["database"]):
            super().handle(*args, **options)
