"""The WSGI environ of a request, as gunicorn's WSGI workers build it."""

import io
import sys
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

Environ = dict[str, Any]

FIXED = {
    "wsgi.version": (1, 0),
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
    "wsgi.errors": sys.stderr,
    "SERVER_SOFTWARE": "gunicorn",
}


def build(scope: dict[str, Any]) -> Environ:
    """Return the environ of an ASGI scope. Its `wsgi.input` is empty.

    Text is Latin-1, as WSGI demands. A header that is repeated is joined with commas. Transfer-Encoding is left out,
    because the application gets the decoded body.
    """
    server, client = scope.get("server") or ("", 80), scope.get("client")
    environ = {
        **FIXED,
        "wsgi.input": io.BytesIO(),
        "wsgi.url_scheme": scope["scheme"],
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": scope.get("root_path", ""),
        "PATH_INFO": _path(scope["raw_path"]),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": "HTTP/" + scope["http_version"],
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "REMOTE_ADDR": client[0] if client else "",
    }
    _add_headers(environ, scope["headers"])
    return environ


def _path(raw: bytes) -> str:
    if not raw.startswith(b"/") and b"://" in raw:  # a proxy's request can have a whole URL
        _, slash, path = raw.partition(b"://")[2].partition(b"/")
        raw = slash + path or b"/"
    return (unquote_to_bytes(raw) if b"%" in raw else raw).decode("latin-1")


def _add_headers(environ: Environ, headers: list[tuple[bytes, bytes]]) -> None:
    for name, value in headers:
        if name == b"transfer-encoding":
            continue
        key, text = _key(name), value.decode("latin-1")
        environ[key] = f"{environ[key]},{text}" if key in environ else text


@lru_cache(maxsize=256)
def _key(name: bytes) -> str:
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
