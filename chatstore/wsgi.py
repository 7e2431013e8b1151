"""The WSGI application that gunicorn serves."""

import atexit
import io
import os
from collections.abc import Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.db import connection

from . import database

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatstore.settings")
database.is_serving = True

django_application = get_wsgi_application()
# Without this, Python 3.13 waits 5 seconds for the threads of the pool when it exits, and warns.
atexit.register(connection.close_pool)  # type: ignore[attr-defined]  # a method of the PostgreSQL backend


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    if environ.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked" and environ.get("wsgi.input_terminated"):
        _set_content_length(environ)
    return django_application(environ, start_response)


def _set_content_length(environ: dict[str, Any]) -> None:
    """Read a chunked body and set its Content-Length: Django treats a body without one as empty.

    Keeps at most one byte more than the route accepts, so that the route refuses a body that is too large.
    """
    from .bodies import limit_of, read_past

    limit = limit_of(environ["PATH_INFO"], environ["REQUEST_METHOD"])
    body = environ["wsgi.input"].read(limit + 1)
    if len(body) > limit:
        read_past(environ["wsgi.input"])
    environ["CONTENT_LENGTH"] = str(len(body))
    environ["wsgi.input"] = io.BytesIO(body)
