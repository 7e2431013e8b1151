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
# Left to the interpreter's end, Python 3.13 waits 5 seconds for the threads of the pool, and warns.
atexit.register(connection.close_pool)  # type: ignore[attr-defined]  # of the PostgreSQL backend


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    if environ.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked" and environ.get("wsgi.input_terminated"):
        _give_length(environ)
    return django_application(environ, start_response)


def _give_length(environ: dict[str, Any]) -> None:
    """Read a chunked body, up to one byte more than its route reads. Django takes a body without a Content-Length for
    empty."""
    from .bodies import limit_of, read_past

    limit = limit_of(environ["PATH_INFO"], environ["REQUEST_METHOD"])
    body = environ["wsgi.input"].read(limit + 1)
    if len(body) > limit:
        read_past(environ["wsgi.input"])
    environ["CONTENT_LENGTH"] = str(len(body))
    environ["wsgi.input"] = io.BytesIO(body)
