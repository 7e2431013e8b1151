"""Start the servers, each with two workers on its own loopback port."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chatstore.children import dying_with_parent

ROOT = Path(__file__).parent.parent
WORKERS = "2"
START_TIMEOUT = 60
GUNICORN = "-m gunicorn --config=gunicorn.conf.py"
UVICORN = "-m uvicorn --no-access-log --log-level=warning"
ENVIRONMENT = {"SECRET_KEY": "benchmark" * 6, "HOST": "localhost", "API_RATE": "0"}
COMMANDS = {
    "chatstore": f"{GUNICORN} --bind=127.0.0.1:{{port}} --workers={WORKERS} chatstore.wsgi",
    "floor": f"{GUNICORN} --bind=127.0.0.1:{{port}} --workers={WORKERS} benchmarks.floor.app",
    "reference": f"{UVICORN} --port={{port}} --workers={WORKERS} benchmarks.reference.app:app",
    "chats": f"{UVICORN} --port={{port}} --workers={WORKERS} benchmarks.chats.app:app",
}


@contextmanager
def serving(kind: str, database_url: str) -> Iterator[str]:
    """Start a server of this kind, yield its base URL, and stop it at the end."""
    port = _free_port()
    server = subprocess.Popen(
        [sys.executable, *COMMANDS[kind].format(port=port).split()],
        cwd=ROOT,
        env=os.environ | ENVIRONMENT | {"DATABASE_URL": database_url},
        start_new_session=True,  # so Ctrl-C reaches only this process, which then stops the server
        preexec_fn=dying_with_parent(signal.SIGTERM),
    )
    try:
        _wait_for(server, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for(server: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"The server did not start: {' '.join(map(str, server.args))}") from None
            time.sleep(0.1)
