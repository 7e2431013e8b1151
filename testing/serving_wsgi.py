"""A WSGI application that shows what the web server does. The tests of chatstore.serving run it with gunicorn.

Each path below `/` is one of the functions in ROUTES. `/state` returns what has happened in this process.
"""

import asyncio
import gc
import io
import json
import os
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any
from urllib.parse import parse_qs
from wsgiref.validate import validator

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatstore.settings")

import django

django.setup()

from django.http import FileResponse, HttpResponse, StreamingHttpResponse  # noqa: E402
from django.urls import resolve  # noqa: E402

from chatstore.api.streaming import EventStream  # noqa: E402
from chatstore.limits import CLIENT  # noqa: E402
from chatstore.serving import streams  # noqa: E402
from chatstore.serving.connection import Connection  # noqa: E402
from chatstore.serving.threads import waiting  # noqa: E402

resolve("/api/v1/me/")  # loads all routes, as chatstore.wsgi does
streams.KEEP_ALIVE_SECONDS = 0.5
Environ = dict[str, Any]
state: Counter[str] = Counter()
released = threading.Event()
LARGE = b"0123456789abcdef" * 500_000  # 8 MB
PIECE = b"p" * 100_000


def echo(environ: Environ) -> HttpResponse:
    """Return the environ and the body."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    texts = {name: value for name, value in environ.items() if isinstance(value, str)}
    return HttpResponse(json.dumps({**texts, "body": body.decode("latin-1")}))


def read_state(environ: Environ) -> HttpResponse:
    return HttpResponse(json.dumps({**state, "threads": threading.active_count()}))


def buffered(environ: Environ) -> HttpResponse:
    """Return the most bytes that a connection holds for the application."""
    connections = [each for each in gc.get_objects() if isinstance(each, Connection)]
    return HttpResponse(json.dumps(max(each._http1_buffered() for each in connections)))


def large(environ: Environ) -> HttpResponse:
    return HttpResponse(LARGE)


def sleep(environ: Environ) -> HttpResponse:
    state["sleeping"] += 1
    time.sleep(option(environ, "seconds"))
    state["slept"] += 1
    return HttpResponse("slept")


def wait(environ: Environ) -> HttpResponse:
    """Wait as for a model, until /release."""
    state["waiting"] += 1
    with waiting():
        released.wait(30)
    return HttpResponse("waited")


def release(environ: Environ) -> HttpResponse:
    released.set()
    return HttpResponse()


def pieces(environ: Environ) -> StreamingHttpResponse:
    number, fails_at = int(option(environ, "number")), int(option(environ, "fails_at"))
    return StreamingHttpResponse(_pieces(number, fails_at, option(environ, "seconds")))


def _pieces(number: int, fails_at: int, seconds: float) -> Iterator[bytes]:
    """Yield pieces. Each takes this many seconds."""
    try:
        for count in range(1, number + 1):
            if count == fails_at:
                raise ValueError("The application fails.")
            time.sleep(seconds)
            state["pieces"] += 1
            yield PIECE
    finally:
        state["pieces closed"] += 1


def file(environ: Environ) -> FileResponse:
    return FileResponse(io.BytesIO(LARGE), filename="large")


def fail(environ: Environ) -> HttpResponse:
    raise ValueError("The application fails.")


class Source:
    def __init__(self, environ: Environ) -> None:
        self.number, self.seconds = int(option(environ, "number")), option(environ, "seconds")
        self.event = b"data: " + b"x" * int(option(environ, "size")) + b"\n\n"
        self.fails_at = int(option(environ, "fails_at"))

    def __iter__(self) -> Iterator[bytes]:
        raise AssertionError("The web server iterates in the event loop.")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            for count in range(1, self.number + 1):
                if count == self.fails_at:
                    raise ValueError("The source fails.")
                yield self.event
                await asyncio.sleep(self.seconds)
        finally:
            state["iterations ended"] += 1

    def close(self) -> None:
        state["sources closed"] += 1


def stream(environ: Environ) -> EventStream:
    return EventStream(Source(environ))


def option(environ: Environ, name: str) -> float:
    return float(parse_qs(environ["QUERY_STRING"]).get(name, ["0"])[0])


ROUTES = {
    "state": read_state,
    **{view.__name__: view for view in (echo, buffered, large, sleep, wait, release, pieces, file, fail, stream)},
}


def respond(environ: Environ, start_response: Any) -> Iterable[bytes]:
    """Call the route, as Django's WSGIHandler does. A path without a route is an echo."""
    if client := environ.get("HTTP_X_CLIENT"):
        environ[CLIENT] = client
    response = ROUTES.get(environ["PATH_INFO"].rpartition("/")[2], echo)(environ)
    if not response.streaming:
        response["Content-Length"] = str(len(response.content))
    start_response(f"{response.status_code} {response.reason_phrase}", list(response.items()))
    return response


validated = validator(respond)


def application(environ: Environ, start_response: Any) -> Iterable[bytes]:
    """Check each request below /validated/ and its response against the rules of WSGI."""
    is_validated = environ["PATH_INFO"].startswith("/validated/")
    return (validated if is_validated else respond)(environ, start_response)
