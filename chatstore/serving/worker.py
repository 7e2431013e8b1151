"""gunicorn's worker process: an event loop that accepts connections, and the threads of the application."""

import asyncio
import os
import resource
import socket
from typing import Any

from gunicorn.workers.gasgi import ASGIWorker

from .connection import Connection

FILES_OF_ITS_OWN = 200  # open files that are not connections of clients
POLL = 1.0  # seconds between two signs of life for gunicorn's main process


class Worker(ASGIWorker):
    """Stops gracefully at SIGTERM, SIGINT and SIGQUIT: it answers the requests that have arrived, in `graceful_timeout`
    seconds."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.connections: set[Connection] = set()
        self.surplus: dict[Connection, None] = {}  # those above CONNECTIONS_LIMIT, oldest first
        self.stopping = asyncio.Event()

    def load_wsgi(self) -> None:
        # These modules read the settings, which the application must load first.
        application = self.app.wsgi()
        from django.conf import settings

        from .dispatcher import Dispatcher

        self.asgi = Dispatcher(
            application,
            threads=settings.WEB_THREADS,
            bodies=settings.BODIES_LIMIT,
            streams=settings.STREAMS_LIMIT,
        )
        _allow_open_files(settings.CONNECTIONS_LIMIT + FILES_OF_ITS_OWN)

    def handle_exit_signal(self) -> None:
        self.alive = False
        self.stopping.set()

    handle_quit_signal = handle_exit_signal  # gunicorn's would break off running requests

    async def _serve(self) -> None:
        listeners = [listener.sock for listener in self.sockets]
        for listener in listeners:
            listener.setblocking(False)
            self.loop.add_reader(listener, self._accept, listener)
        while self.alive and self.ppid == os.getppid():
            self.notify()
            await _wait(self.stopping, POLL)
        for listener in listeners:
            self.loop.remove_reader(listener)
            listener.close()
        await self._finish()

    def _accept(self, listener: socket.socket) -> None:
        """Accept one connection. asyncio's own servers accept all that wait, and the other workers get none."""
        try:
            client, _ = listener.accept()
        except OSError:  # another worker was faster, or the client has gone
            return
        client.setblocking(False)
        self.loop.create_task(self.loop.connect_accepted_socket(lambda: Connection(self), client))

    async def _finish(self) -> None:
        """End the streams, close connections without a whole request, and wait for the other ones."""
        self.alive = False
        self.asgi.streams.end_all()
        deadline = self.loop.time() + self.cfg.graceful_timeout
        while self.connections and self.loop.time() < deadline:
            for connection in list(self.connections):
                connection.close_unless_answering()
            self.notify()
            await asyncio.sleep(0.02)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass


def _allow_open_files(number: int) -> None:
    """Raise the limit of open files of this process to the number, or as far as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = number if hard == resource.RLIM_INFINITY else min(number, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
