"""Fake PgBouncers: they forward bytes to PostgreSQL, and behave like PgBouncer in one respect."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

REFUSAL = b"SFATAL\0C08P01\0Munsupported startup parameter: options\0\0"
NOTIFICATION = b"A"  # the type of a NotificationResponse in PostgreSQL's protocol
Copy = Callable[[socket.socket, socket.socket], None]


@contextmanager
def refusing_options(server: str) -> Iterator[int]:
    """Run a fake that refuses the startup parameter `options`. Yield its port on loopback.

    `server` is the path of the server's socket.
    """
    with _running(lambda client: _forward(client, server)) as port:
        yield port


@contextmanager
def dropping_notifications(server: str) -> Iterator[int]:
    """Run a fake that accepts LISTEN, but delivers no notification. Yield its port on loopback."""
    with _running(lambda client: _forward(client, server, _copy_without_notifications)) as port:
        yield port


@contextmanager
def _running(forward: Callable[[socket.socket], None]) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_serve, args=(listener, forward), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def _serve(listener: socket.socket, forward: Callable[[socket.socket], None]) -> None:
    while True:
        try:
            client = listener.accept()[0]
        except OSError:
            return
        threading.Thread(target=forward, args=(client,), daemon=True).start()


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65_536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def _copy_without_notifications(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError), source.makefile("rb") as messages:
        while header := messages.read(5):
            body = messages.read(struct.unpack("!I", header[1:])[0] - 4)
            if header[:1] != NOTIFICATION:
                target.sendall(header + body)
        target.shutdown(socket.SHUT_WR)


def _forward(client: socket.socket, server: str, copy_back: Copy = _copy) -> None:
    with client, socket.socket(socket.AF_UNIX) as upstream:
        startup = client.recv(10_000)
        if copy_back is _copy and b"\0options\0" in startup:
            client.sendall(b"E" + struct.pack("!I", len(REFUSAL) + 4) + REFUSAL)
            return
        upstream.connect(server)
        upstream.sendall(startup)
        back = threading.Thread(target=copy_back, args=(upstream, client), daemon=True)
        back.start()
        _copy(client, upstream)
        back.join()
