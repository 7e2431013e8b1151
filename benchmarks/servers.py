"""Start the servers, each with two workers on its own loopback port."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from .processes import free_port, running

WORKERS = "2"
GUNICORN = "-m gunicorn --config=gunicorn.conf.py"
STATEMENTS = "SQL-Statements"  # the header in which the server `counted` returns the number of statements
UVICORN = "-m uvicorn --no-access-log --log-level=warning"
ENVIRONMENT = {"SECRET_KEY": "benchmark" * 6, "HOST": "localhost", "API_RATE": "0"}
COMMANDS = {
    "chatstore": f"{GUNICORN} --bind=127.0.0.1:{{port}} --workers={WORKERS} chatstore.wsgi",
    "counted": f"{GUNICORN} --bind=127.0.0.1:{{port}} --workers=1 benchmarks.counting",
    "floor": f"{GUNICORN} --bind=127.0.0.1:{{port}} --workers={WORKERS} benchmarks.floor.app",
    "reference": f"{UVICORN} --port={{port}} --workers={WORKERS} benchmarks.reference.app:app",
    "chats": f"{UVICORN} --port={{port}} --workers={WORKERS} benchmarks.chats.app:app",
}


@contextmanager
def serving(kind: str, database_url: str, settings: Mapping[str, str] = MappingProxyType({})) -> Iterator[str]:
    """Start a server of this kind with these settings, yield its base URL, and stop it at the end."""
    port = free_port()
    command = COMMANDS[kind].format(port=port).split()
    with running(command, ENVIRONMENT | {"DATABASE_URL": database_url, **settings}, port=port):
        yield f"http://127.0.0.1:{port}"
