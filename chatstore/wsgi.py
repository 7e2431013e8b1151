import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatstore.settings")
# Threads of one server share a pool: without it a request pays for a connection of its own.
os.environ.setdefault("DB_POOL_SIZE", os.environ.get("WEB_THREADS", "4"))

application = get_wsgi_application()
