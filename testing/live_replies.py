"""`manage.py replies` on the test database. testing.generator.process runs it."""

import os
import sys

import django
from django.conf import settings
from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatstore.settings")
settings.DATABASES["default"]["NAME"] = os.environ["LIVE_DATABASE"]
django.setup()

if __name__ == "__main__":
    execute_from_command_line(["manage.py", "replies", *sys.argv[1:]])
