"""Limits of request bodies: large bodies are refused before they are read, and no route accepts a file."""

import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import settings
from django.test import Client

from chatstore.bodies import limit_of
from testing import scratch
from testing.api_client import BROWSER
from testing.live_server import Live, gunicorn, live

__all__ = ["live"]  # a fixture

PAGES = ["/accounts/login/", "/admin/login/", "/_allauth/app/v1/auth/login", "/", "/nothing/here/", "/livez"]
BOUNDARY = "x" * 20
FILE = (
    f"--{BOUNDARY}\r\n"
    'Content-Disposition: form-data; name="file"; filename="a.bin"\r\n'
    "Content-Type: application/octet-stream\r\n\r\n"
).encode()
MOST_SENT = 50_000_000  # bytes


def request_head(path: str, length: int | None, content_type: str) -> bytes:
    framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Type: {content_type}", framing, "", ""]
    return "\r\n".join(lines).encode()


def send_without_end(port: int, first: bytes, piece: bytes) -> tuple[bytes, int]:
    """Send until the server refuses, at most MOST_SENT bytes. Return the response and the number of bytes sent."""
    with socket.create_connection(("localhost", port), timeout=scratch.TIMEOUT) as wire:
        wire.sendall(first)
        sent = 0
        try:
            while sent < MOST_SENT:
                wire.sendall(piece)
                sent += len(piece)
        except ConnectionError:
            pass
        try:
            return wire.recv(4096), sent
        except ConnectionError:
            return b"", sent


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with scratch.folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def port(folder: Path, live: Live) -> Iterator[int]:
    """The port of a server whose temporary files are in `folder`."""
    from django.db import connection

    with gunicorn(str(connection.settings_dict["NAME"]), TMPDIR=str(folder), WEB_WORKERS="1") as port:
        yield port


def files_in(folder: Path) -> list[str]:
    """Return the files in the folder, and the deleted files of the folder that a server still has open."""
    children = psutil.Process().children(recursive=True)
    opened = [
        os.readlink(link) for child in children for link in Path(f"/proc/{child.pid}/fd").glob("*") if link.exists()
    ]
    return [name for name in [*map(str, folder.iterdir()), *opened] if name.startswith(str(folder))]


@pytest.mark.parametrize("path", PAGES)
def test_a_file_of_a_hundred_gigabytes_is_refused_before_it_is_read(path: str, port: int, folder: Path) -> None:
    first = request_head(path, 100_000_000_000, f"multipart/form-data; boundary={BOUNDARY}") + FILE
    answer, sent = send_without_end(port, first, b"a" * 1_000_000)
    assert sent < MOST_SENT
    assert answer == b"" or b" 413 " in answer.splitlines()[0] or path == "/livez"
    assert files_in(folder) == []


@pytest.mark.parametrize("path", ["/accounts/login/", "/api/v1/conversations/"])
def test_the_refusal_of_a_large_form_names_the_limit(path: str, db: None) -> None:
    body = FILE + b"a" * settings.FORM_LIMIT
    answer = Client().generic("POST", path, body, f"multipart/form-data; boundary={BOUNDARY}")
    assert answer.status_code == 413
    assert answer.content.decode() == f"The body has {len(body):,} bytes; the limit is 1,000,000."


def test_a_chunked_body_without_end_is_not_kept_in_memory(port: int) -> None:
    Live(port).call("POST", "/accounts/login/", b"login=x", Content_Type="application/x-www-form-urlencoded")
    before = peak_memory()
    first = request_head("/accounts/login/", None, "application/x-www-form-urlencoded")
    answer, sent = send_without_end(port, first, b"100000\r\n" + b"a" * 0x100000 + b"\r\n")
    assert sent < MOST_SENT
    assert answer == b"" or b" 413 " in answer.splitlines()[0]
    assert peak_memory() - before < 20_000_000


def peak_memory() -> int:
    """Return the peak memory, in bytes, of the server process that used the most."""
    servers = [child for child in psutil.Process().children(recursive=True) if "gunicorn" in child.cmdline()]
    statuses = [Path(f"/proc/{server.pid}/status").read_text() for server in servers]
    return max(int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) for status in statuses) * 1024


@pytest.mark.parametrize("path", ["/accounts/login/", "/admin/login/"])
def test_a_small_file_is_refused_with_a_clear_message(path: str, db: None) -> None:
    body = FILE + f"hello\r\n--{BOUNDARY}--\r\n".encode()
    answer = Client(headers=BROWSER).generic("POST", path, body, f"multipart/form-data; boundary={BOUNDARY}")
    assert (answer.status_code, answer.content) == (400, b"This service takes no files.")


@pytest.mark.parametrize(
    ("path", "method", "limit"),
    [
        ("/accounts/login/", "POST", settings.FORM_LIMIT),
        ("/nothing/here", "POST", settings.FORM_LIMIT),
        ("/api/v1/conversations", "POST", settings.BODY_LIMIT),
        ("/api/v1/conversations/0190163d-8694-739b-aea5-966c26f8ad91/messages/", "POST", settings.BODY_LIMIT),
        ("/api/v1/conversations/0190163d-8694-739b-aea5-966c26f8ad91/messages/", "PUT", settings.HISTORY_BODY_LIMIT),
        ("/api/chat/sessions/", "POST", settings.HISTORY_BODY_LIMIT),
        ("/api/v1/storage/chat-sessions/", "POST", settings.HISTORY_BODY_LIMIT),
        ("/api/v1/storage/chat-sessions/", "GET", settings.BODY_LIMIT),
    ],
)
def test_each_route_has_the_right_limit_for_a_chunked_body(path: str, method: str, limit: int) -> None:
    assert limit_of(path, method) == limit


def test_a_form_without_files_is_accepted(db: Any) -> None:
    answer = Client().post("/accounts/login/", {"login": "nobody@example.com", "password": "wrong"})
    assert answer.status_code == 200
