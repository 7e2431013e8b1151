"""A gunicorn worker with time limits for clients.

gunicorn's threaded worker gives each connection a thread, which then waits without a limit: for the rest of a request,
or for a client that does not read its response. One slow client for each thread is enough to stop the service. With
this worker, a client has CLIENT_TIMEOUT seconds to send a request, and one more second for every BYTES_A_SECOND bytes.
Reading a response has the same limit. A connection gets a thread only when it has sent something.
"""

import errno
import socket
import time
from collections.abc import Iterator
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

client_timeout = 15  # seconds; gunicorn.conf.py sets it to CLIENT_TIMEOUT
BYTES_A_SECOND = 50_000
PIECE = 65_536


class TimedSocket(socket.socket):
    """A socket that raises ConnectionResetError if its client is too slow.

    gunicorn handles this error as if the client had disconnected: it writes no traceback to the log.
    """

    deadline = 0.0  # the time.monotonic() by which the current request must arrive

    def setblocking(self, flag: bool) -> None:
        self.settimeout(client_timeout if flag else 0.0)

    def begin_request(self) -> None:
        """Give the client CLIENT_TIMEOUT seconds for its next request."""
        self.deadline = time.monotonic() + client_timeout

    def recv(self, *arguments: Any) -> bytes:
        with _TimeLimit(self, self.deadline):
            data = super().recv(*arguments)
        self.deadline += len(data) / BYTES_A_SECOND
        return data

    def sendall(self, data: Any, *arguments: Any) -> None:
        deadline = time.monotonic() + client_timeout + len(data) / BYTES_A_SECOND
        for piece in _pieces(data):
            with _TimeLimit(self, deadline):
                super().sendall(piece, *arguments)


def _pieces(data: Any) -> Iterator[memoryview]:
    view = memoryview(data)
    yield from (view[start : start + PIECE] for start in range(0, len(view), PIECE))


class _TimeLimit:
    """Let the socket wait in the block until the deadline, but not longer than its own timeout."""

    def __init__(self, sock: TimedSocket, deadline: float) -> None:
        self.sock, self.timeout, self.left = sock, sock.gettimeout(), deadline - time.monotonic()

    def __enter__(self) -> None:
        if self.left <= 0:
            raise _too_slow()
        self.sock.settimeout(self.left if self.timeout is None else min(self.timeout, self.left))

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        self.sock.settimeout(self.timeout)
        if isinstance(error, TimeoutError):
            raise _too_slow() from None


def _too_slow() -> ConnectionResetError:
    return ConnectionResetError(errno.ECONNRESET, "The client is too slow.")


class Worker(ThreadWorker):
    def enqueue_req(self, conn: TConn) -> None:
        """Give a thread to a connection. A new connection first waits in the main loop until it has sent something."""
        if isinstance(conn.sock, TimedSocket):
            super().enqueue_req(conn)
        else:
            conn.sock = TimedSocket(fileno=conn.sock.detach())
            conn.sock.setblocking(False)
            conn.timeout = time.monotonic() + client_timeout
            self.pending_conns.append(conn)
            self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def handle(self, conn: TConn) -> Any:
        conn.sock.begin_request()
        return super().handle(conn)
