"""A fake PgBouncer in transaction mode: each transaction of a client can run on another connection to PostgreSQL."""

import hashlib
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def pooling_transactions(server: str, *, keeps_statements: bool) -> Iterator[int]:
    """Run a pooler in transaction mode and yield its port on loopback. `server` is the path of the server's socket.

    It has two connections to the server, and transactions get them in turn. With `keeps_statements` it does as
    PgBouncer from version 1.22 on: each text of a statement has a name of its own, and is prepared on each connection
    that needs it. Without, it forwards the names that clients choose.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        pooler = _Pooler(server, keeps_statements)
        threading.Thread(target=pooler.accept, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        pooler.close()


class _Messages:
    """A connection that speaks PostgreSQL's protocol: messages of a letter, a length and a body."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock, self.file = sock, sock.makefile("rb")

    def read(self, *, first: bool = False) -> tuple[bytes, bytes]:
        """Return the letter and the body of the next message. The first message of a client has no letter."""
        kind = b"" if first else self.file.read(1)
        length = self.file.read(4)
        if len(length) < 4:
            raise ConnectionError
        return kind, self.file.read(struct.unpack("!I", length)[0] - 4)

    def send(self, *messages: tuple[bytes, bytes]) -> None:
        self.sock.sendall(b"".join(kind + struct.pack("!I", len(body) + 4) + body for kind, body in messages))

    def read_until_ready(self) -> list[tuple[bytes, bytes]]:
        messages = [self.read()]
        while messages[-1][0] != b"Z":
            messages.append(self.read())
        return messages


class _Upstream(_Messages):
    """A connection to the server, and the names of the statements that it has prepared."""

    def __init__(self, path: str, startup: bytes) -> None:
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(path)
        super().__init__(sock)
        self.send((b"", startup))
        self.greeting = self.read_until_ready()
        self.prepared: set[bytes] = set()
        self.lock = threading.Lock()


class _Pooler:
    def __init__(self, path: str, keeps_statements: bool) -> None:
        self.path, self.keeps_statements = path, keeps_statements
        self.upstreams: list[_Upstream] = []
        self.turn = 0

    def accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client = listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._serve, args=(_Messages(client),), daemon=True).start()

    def close(self) -> None:
        for upstream in self.upstreams:
            upstream.sock.close()

    def _serve(self, client: _Messages) -> None:
        try:
            _, startup = client.read(first=True)
            while len(self.upstreams) < 2:
                self.upstreams.append(_Upstream(self.path, startup))
            client.send(*self.upstreams[0].greeting)
            texts: dict[bytes, bytes] = {}  # of the statements of this client, by its names
            while True:
                self._run_transaction(client, texts)
        except (OSError, ValueError):
            client.sock.close()

    def _run_transaction(self, client: _Messages, texts: dict[bytes, bytes]) -> None:
        batch = _read_batch(client)
        self.turn += 1
        upstream = self.upstreams[self.turn % 2]
        with upstream.lock:
            while _exchange(client, upstream, batch, texts if self.keeps_statements else None) != b"I":
                batch = _read_batch(client)


def _read_batch(client: _Messages) -> list[tuple[bytes, bytes]]:
    """Read messages up to one that the server answers with ReadyForQuery."""
    batch = [client.read()]
    while batch[-1][0] not in (b"Q", b"S"):
        if batch[-1][0] == b"X":
            raise ConnectionError
        batch.append(client.read())
    return batch


def _exchange(
    client: _Messages, upstream: _Upstream, batch: list[tuple[bytes, bytes]], texts: dict[bytes, bytes] | None
) -> bytes:
    """Send a batch to the server and its answer to the client. Return the state of the transaction."""
    if texts is not None and batch[0] == (b"Q", b"DEALLOCATE ALL\0"):
        texts.clear()
        batch = [(b"Q", b"SET application_name = ''\0")]  # instead, a statement that changes nothing
    added = 0
    if texts is not None:
        batch, added, removed = _rename(batch, texts, upstream.prepared)
    else:
        removed = []
    upstream.send(*batch)
    answer = upstream.read_until_ready()
    for _ in range(added):
        answer.remove((b"1", b""))
    client.send(*removed, *answer)
    return answer[-1][1]


def _rename(
    batch: list[tuple[bytes, bytes]], texts: dict[bytes, bytes], prepared: set[bytes]
) -> tuple[list[tuple[bytes, bytes]], int, list[tuple[bytes, bytes]]]:
    """Replace the names of the client by names that belong to the texts.

    Return the batch for the server, the number of Parse messages in it that the client did not send, and the answers to
    messages that the server does not get.
    """
    renamed: list[tuple[bytes, bytes]] = []
    added, answers = 0, []
    for kind, body in batch:
        if kind == b"P" and not body.startswith(b"\0"):
            name, text = body.split(b"\0", 1)
            texts[name] = text
            answers.append((b"1", b""))
        elif kind == b"C" and body.startswith(b"S"):
            texts.pop(body[1:-1], None)
            answers.append((b"3", b""))
        elif kind == b"B" and (name := body.split(b"\0", 2)[1]):
            portal, _, rest = body.split(b"\0", 2)
            own = b"shared_" + hashlib.sha256(texts[name]).hexdigest().encode()
            if own not in prepared:
                prepared.add(own)
                renamed.append((b"P", own + b"\0" + texts[name]))
                added += 1
            renamed.append((b"B", portal + b"\0" + own + b"\0" + rest))
        else:
            renamed.append((kind, body))
    return renamed, added, answers
