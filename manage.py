#!/usr/bin/env python3
"""Django's commands. Most of them need the database, so this starts the embedded server for them."""

import os
import sys
from contextlib import AbstractContextManager, nullcontext

WITHOUT_DATABASE = {
    "up",  # it starts the server itself
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
    if "--database" in arguments:  # `check` needs the database only with this option
        arguments = ["--database"]
    if not arguments or arguments[0] in WITHOUT_DATABASE or {"-h", "--help", "--version"} & set(arguments):
        return nullcontext()
    from chatstore import database

    return database.server_running()


if __name__ == "__main__":
    main()
