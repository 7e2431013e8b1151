"""A real gunicorn on the test database, for tests of HTTP itself: raw bytes, headers, bodies, connections.

These tests commit what they write. Each test creates its own user.
"""

import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any

import pytest
from django.db import connection

from accounts import services
from accounts.models import User
from chatstore.env import BASE_DIR
from chatstore.ids import new_id

from . import scratch
from .fast_django import delete_rows


class Live:
    def __init__(self, port: int) -> None:
        self.port = port

    def connection(self) -> AbstractContextManager[http.client.HTTPConnection]:
        return closing(http.client.HTTPConnection("localhost", self.port, timeout=scratch.TIMEOUT))

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> http.client.HTTPResponse:
        """Send a request with a body of bytes, or an iterable of bytes. Return the response; its body is in `body`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with self.connection() as connection:
            connection.request(method, path, body, {"Content-Type": "application/json", **named})
            return read_response(connection)

    def raw(self, sent: bytes) -> bytes:
        """Send these bytes and return all bytes that the server sends until it closes the connection."""
        with socket.create_connection(("localhost", self.port), timeout=scratch.TIMEOUT) as connection:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65_536), b""))


def read_response(connection: http.client.HTTPConnection) -> http.client.HTTPResponse:
    answer = connection.getresponse()
    answer.body = answer.read()  # type: ignore[attr-defined]
    return answer


def json_body(answer: http.client.HTTPResponse) -> Any:
    return json.loads(answer.body)  # type: ignore[attr-defined]


def random_ip_address() -> str:
    """Return an address for X-Forwarded-For. Sign-in attempts are limited by address."""
    return ".".join(["10", *(str(secrets.randbelow(256)) for _ in range(3))])


def create_token_of_new_user() -> str:
    """Create a user with a token and return the token's secret."""
    user = User.objects.create(email=f"{new_id()}@example.com")
    return services.create_token(user=user, name="live")[1]


@pytest.fixture(scope="module")
def live(live_port: int, django_db_blocker: Any) -> Iterator[Live]:
    """The server that all modules use. The rows of the test database are deleted after each module."""
    yield Live(live_port)
    with django_db_blocker.unblock():
        delete_rows()


@contextmanager
def serving(**variables: str) -> Iterator[Live]:
    """Run another server, with these environment variables. At its end, delete the rows of the test database."""
    with gunicorn(str(connection.settings_dict["NAME"]), **variables) as port:
        yield Live(port)
        delete_rows()


@pytest.fixture
def bearer(live: Live, django_db_blocker: Any) -> dict[str, str]:
    """The Authorization header of a new user."""
    with django_db_blocker.unblock():
        return {"Authorization": f"Bearer {create_token_of_new_user()}"}


# Tests must not call the models that the developer has configured, because they cost money.
NO_MODELS = dict.fromkeys(["OPENAI_API_KEY", "OPENAI_BASE_URL", "GROQ_API_KEY", "GEMINI_API_KEY", "MODELS"], "")


@contextmanager
def gunicorn(database: str, **variables: str) -> Iterator[int]:
    """Run chatstore on this database, and yield the port."""
    with web_server("testing.live_wsgi", LIVE_DATABASE=database, **variables) as (port, _):
        yield port


@contextmanager
def web_server(application: str, **variables: str) -> Iterator[tuple[int, "subprocess.Popen[bytes]"]]:
    """Run gunicorn with this WSGI application, on a free port or on PORT. Yield the port and the main process."""
    port = int(variables.get("PORT") or scratch.free_port())
    fixed = {
        "PORT": str(port),
        "WEB_WORKERS": "2",
        "HOST": "localhost",
        "API_RATE": "0",
        "SINGLE_USER": "",
    }
    environment = os.environ | NO_MODELS | fixed | variables
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", application],
        env=environment,
        cwd=BASE_DIR,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        scratch.wait_until(lambda: answers(port))
        yield port, process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=scratch.TIMEOUT)


def answers(port: int) -> bool:
    try:
        return Live(port).call("GET", "/readyz").status == 200
    except OSError:
        return False
