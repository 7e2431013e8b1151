"""chatstore.wsgi on the test database. The fixture `live` runs it with gunicorn."""

import os

from django.conf import settings

from chatstore import database

database.is_serving = True  # before Django reads the settings, as in wsgi.py
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatstore.settings")
settings.DATABASES["default"]["NAME"] = os.environ["LIVE_DATABASE"]

from chatstore.wsgi import application  # noqa: E402

__all__ = ["application"]
