"""chatstore.wsgi on a test database. Run by gunicorn, in `live`."""

import os

from django.conf import settings

from chatstore import database

database.is_serving = True  # before the settings are read, as wsgi.py does it
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatstore.settings")
settings.DATABASES["default"]["NAME"] = os.environ["LIVE_DATABASE"]

from chatstore.wsgi import application  # noqa: E402

__all__ = ["application"]
