"""`manage.py replies` on the test database, with short intervals. testing.generator.process runs it."""

import os
import sys

import django
from django.conf import settings
from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatstore.settings")
settings.DATABASES["default"]["NAME"] = os.environ["LIVE_DATABASE"]
django.setup()

from replies.management.commands.replies import Command  # noqa: E402
from testing.generator import QUICK  # noqa: E402

Command.pace = QUICK

if __name__ == "__main__":
    execute_from_command_line(["manage.py", "replies", *sys.argv[1:]])
