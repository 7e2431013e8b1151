#!/usr/bin/env python3
import os
import sys
from contextlib import AbstractContextManager, nullcontext

# Everything else runs with a database; `up` brings its own.
WITHOUT_DATABASE = {
    "up",
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
        with _database(sys.argv[1:]):
            execute_from_command_line(sys.argv)
    except (ImproperlyConfigured, OperationalError) as error:
        if "--traceback" in sys.argv:
            raise
        sys.exit(str(error).strip().replace("\n\t", " "))


def _database(arguments: list[str]) -> AbstractContextManager[object]:
    if "--database" in arguments:  # of `check`, which does without one otherwise
        arguments = ["--database"]
    if not arguments or arguments[0] in WITHOUT_DATABASE or {"-h", "--help", "--version"} & set(arguments):
        return nullcontext()
    from chatstore import database

    return database.server_running()


if __name__ == "__main__":
    main()
