#!/usr/bin/env python3
"""Run a Django command. If DATABASE_URL is not set and the command needs the database, start the embedded server."""

import os
import sys
from contextlib import AbstractContextManager, nullcontext

WITHOUT_DATABASE = {
    "up",  # it starts the server itself
    "replies",  # the same, unless `up` has started it
    "help",
    "version",
    "check",
    "spectacular",
    "collectstatic",
    "findstatic",
    "diffsettings",
    "makemessages",
    "compilemessages",
    "startapp",
}
HELP = {"-h", "--help", "--version"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatstore.settings")
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
        from django.db import OperationalError
    except ImportError as error:
        sys.exit(f"{error}. Run `make run`, or `make install` and then .venv/bin/python manage.py.")
    try:
        with _database_for(sys.argv[1:]):
            execute_from_command_line(sys.argv)
    except (ImproperlyConfigured, OperationalError) as error:
        if "--traceback" in sys.argv:
            raise
        sys.exit(str(error).strip().replace("\n\t", " "))


def _database_for(arguments: list[str]) -> AbstractContextManager[object]:
    """Run the embedded server during the block if the command needs it."""
    if not needs_database(arguments):
        return nullcontext()
    from chatstore import database

    return database.server_running()


def needs_database(arguments: list[str]) -> bool:
    # `check` needs the database only with `--database default` or `--database=default`.
    if any(argument.partition("=")[0] == "--database" for argument in arguments):
        return True
    return bool(arguments) and arguments[0] not in WITHOUT_DATABASE and not HELP & set(arguments)


if __name__ == "__main__":
    main()
