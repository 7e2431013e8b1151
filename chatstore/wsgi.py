"""The WSGI application that chatstore.serving runs."""

import atexit
import os

from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.urls import resolve

from . import database

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatstore.settings")
database.is_serving = True

application = get_wsgi_application()
# Load the modules of all routes now. Otherwise the first request waits for more than a second.
resolve("/api/v1/me/")
# Without this, Python 3.13 waits 5 seconds for the threads of the pool when it exits, and warns.
atexit.register(connection.close_pool)  # type: ignore[attr-defined]  # a method of the PostgreSQL backend
