"""The web server. GUNICORN_CMD_ARGS goes on top, for example --access-logfile=-."""

import os
from typing import Any

from gunicorn.http import message

from chatstore import children, env, worker

_host = env.text("HOST") or "localhost"
_port = env.number("PORT", 8000, low=1, high=65535)
bind = f"[{_host}]:{_port}" if ":" in _host else f"{_host}:{_port}"

# No preload_app: a connection pool that exists before the fork is shared by processes, which then read each other's
# answers.
workers = env.number("WEB_WORKERS", 2, low=1, high=1000)
worker_class = worker.Worker  # threads, with time limits on clients
worker.client_timeout = env.number("CLIENT_TIMEOUT", 15, low=1, high=3600)  # seconds
# A request takes one thread. Few: the threads of a process contend for the interpreter lock.
threads = env.number("WEB_THREADS", 4, low=1, high=1000)

timeout = 30  # a worker whose main loop is silent for this long is replaced; no limit on a request (chatstore.worker)
graceful_timeout = 10  # seconds that running requests get at a stop
keepalive = 75  # longer than a proxy's (60 s by default), so that the proxy is the one that closes
# A heartbeat on a slow disk would look like a silent worker.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None

# Bytes. Search texts and filters are part of the URL: 8 kB of a text are 24 kB when they are percent-encoded. gunicorn
# caps limit_request_line at MAX_REQUEST_LINE, without a word, and 0 would mean no limit.
limit_request_line = message.MAX_REQUEST_LINE = 32_768
limit_request_fields = 100
limit_request_field_size = 8_190

accesslog = None  # a proxy writes it; a line per request costs CPU here
loglevel = "warning"
control_socket_disable = True  # it would be a file in the home folder that nothing here uses


def post_fork(server: Any, worker: Any) -> None:
    children.die_with_parent(worker.ppid)  # it would go on listening, and no other server could start
