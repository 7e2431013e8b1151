"""A fake PgBouncer: it forwards bytes to PostgreSQL and refuses the startup parameter `options`."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

REFUSAL = b"SFATAL\0C08P01\0Munsupported startup parameter: options\0\0"


@contextmanager
def refusing_options(server: str) -> Iterator[int]:
    """Run the fake and yield its port on loopback. `server` is the path of the server's socket."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_serve, args=(listener, server), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def _serve(listener: socket.socket, server: str) -> None:
    while True:
        try:
            client = listener.accept()[0]
        except OSError:
            return
        threading.Thread(target=_forward, args=(client, server), daemon=True).start()


def _forward(client: socket.socket, server: str) -> None:
    with client, socket.socket(socket.AF_UNIX) as upstream:
        startup = client.recv(10_000)
        if b"\0options\0" in startup:
            client.sendall(b"E" + struct.pack("!I", len(REFUSAL) + 4) + REFUSAL)
            return
        upstream.connect(server)
        upstream.sendall(startup)
        back = threading.Thread(target=_copy, args=(upstream, client), daemon=True)
        back.start()
        _copy(client, upstream)
        back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65_536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass
