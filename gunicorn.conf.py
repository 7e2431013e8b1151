"""gunicorn's settings. GUNICORN_CMD_ARGS overrides them, for example with --access-logfile=-."""

import os
from typing import Any

from gunicorn.http import message

from chatstore import children, env
from chatstore.serving.worker import Worker

_host = env.text("HOST") or "localhost"
_port = env.number("PORT", 8000, low=1, high=65535)
bind = f"[{_host}]:{_port}" if ":" in _host else f"{_host}:{_port}"

# Do not set preload_app: the worker processes would share a connection pool and read each other's answers.
workers = env.number("WEB_WORKERS", 2, low=1, high=1000)
worker_class = Worker  # an event loop for the network, and WEB_THREADS threads for the application
asgi_loop = "asyncio"  # otherwise gunicorn takes uvloop if it is installed, which is not faster here
asgi_lifespan = "off"

# Seconds. gunicorn replaces a worker whose event loop hangs for this time, and it ends a request whose body pauses for
# this time. So it must not be less than CLIENT_TIMEOUT.
timeout = max(30, env.number("CLIENT_TIMEOUT", 15, low=1, high=3600))
graceful_timeout = 10  # seconds for running requests when the server stops
keepalive = 75  # seconds; longer than a proxy's, usually 60, so that the proxy closes idle connections first
# Each worker touches a file in this folder to show that it is alive. On a slow disk, a worker would seem to hang.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None

# In bytes. Search texts and filters are part of the URL, and percent-encoding triples the size of a text. gunicorn
# silently reduces limit_request_line to MAX_REQUEST_LINE, so both are set.
limit_request_line = message.MAX_REQUEST_LINE = 32_768
limit_request_fields = 100
limit_request_field_size = 8_190

accesslog = None  # the proxy can write one; here, a line for each request costs CPU time
loglevel = "warning"
control_socket_disable = True  # nothing uses this socket; gunicorn would create it in the home folder


def post_fork(server: Any, worker: Any) -> None:
    children.die_with_parent(worker.ppid)  # otherwise the worker keeps listening, and no new server can start
