"""A connection of a client: gunicorn's HTTP/1.1 protocol, with time limits for the client.

A client has CLIENT_TIMEOUT seconds to send a request, and one more second for every BYTES_A_SECOND bytes. Reading a
response has the same limit. A byte from time to time does not extend it. Between two requests a connection can be idle
for gunicorn's `keepalive`.

A client can close its side of the connection after its request, and still gets the answer. A client that is still
sending when the server closes the connection first gets time to read the answer: otherwise the operating system would
discard the answer.

Above CONNECTIONS_LIMIT, a connection is surplus: it has PROBE_TIMEOUT seconds to send the head of one request. A probe
is answered, so that an orchestrator does not kill a process that is only full. All other requests get a 503. If there
are more than SURPLUS of these connections, the oldest one is closed. So strangers cannot occupy all of their places.

The classes override methods of gunicorn that can change. After each update of gunicorn, run chatstore/serving/tests and
chatstore/tests/test_slow_clients.py.
"""

import asyncio
import socket
import struct
from contextlib import suppress
from typing import Any

from django.conf import settings
from gunicorn.asgi.protocol import ASGIProtocol, FlowControl

from chatstore.probes import find_probe

BYTES_A_SECOND = 50_000
DISCARDED = 32_000_000  # bytes that a client may send after the server has closed its side
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: on, for 0 seconds
SURPLUS = 100  # connections above CONNECTIONS_LIMIT; the process has a limit of open files
PROBE_TIMEOUT = 2  # seconds
HELD = 65_536  # bytes of a body, or of further requests, that wait until the application takes them
RECEIVED = memoryview(bytearray(65_536))  # what a client has sent at once; asyncio would read 256 kB
EVENT_STREAM = (b"Content-Type", b"text/event-stream")


def abort(transport: asyncio.Transport) -> None:
    """Close the connection and discard what the client has not read. Otherwise the system keeps it for minutes."""
    with suppress(OSError):  # the client was faster
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    transport.abort()


class Patience(FlowControl):
    """Aborts the connection of a client that does not read."""

    __slots__ = ("_patience",)

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__(transport)
        self._patience = float(settings.CLIENT_TIMEOUT)

    async def drain(self) -> None:
        """Wait until the client has read. A wait uses up its time; each BYTES_A_SECOND bytes give it a second back."""
        loop, limit = asyncio.get_running_loop(), self._limit()
        started = loop.time()
        try:
            async with asyncio.timeout(limit):
                await super().drain()
        except TimeoutError:
            abort(self._transport)
        self._patience = min(settings.CLIENT_TIMEOUT, limit - (loop.time() - started))

    def _limit(self) -> float:
        return self._patience + self._transport.get_write_buffer_size() / BYTES_A_SECOND


class Connection(ASGIProtocol, asyncio.BufferedProtocol):
    # Attributes of gunicorn's class whose types mypy cannot determine.
    _response_buffer: bytes | None
    _task: "asyncio.Task[None] | None"

    def __init__(self, worker: Any) -> None:
        super().__init__(worker)
        self._max_buffer_size = HELD
        self._timer: asyncio.TimerHandle | None = None
        self._began = 0.0  # the loop's time when the client began to send its request
        self._received = 0  # bytes of a request that is not complete
        self._is_half_closed = False

    # --- Receiving --------------------------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._flow_control = Patience(transport)
        self.worker.connections.add(self)
        if len(self.worker.connections) - len(self.worker.surplus) > settings.CONNECTIONS_LIMIT:
            self._wait_for_probe()
        else:
            self._start_deadline()

    def _wait_for_probe(self) -> None:
        surplus = self.worker.surplus
        surplus[self] = None
        self._timer = self.worker.loop.call_later(PROBE_TIMEOUT, self._refuse)
        if len(surplus) > SURPLUS:
            oldest = next(iter(surplus))
            del surplus[oldest]
            abort(oldest.transport)

    def _refuse_unless_probe(self, request: Any) -> None:
        if find_probe(request.path) and not request.content_length and not request.chunked:
            request.must_close = True
            del self.worker.surplus[self]
            self.worker.surplus[self] = None  # as the newest one, because it is not waiting for its client
        else:
            self._refuse()

    def _refuse(self) -> None:
        message = "The server has too many connections. Try again in 5 seconds.\n"
        self._send_error_response(503, message, [("Retry-After", "5")])
        self._close_after_reading()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return where asyncio writes what arrives. `data_received` copies it at once, so all connections share it."""
        return RECEIVED

    def buffer_updated(self, nbytes: int) -> None:
        self.data_received(bytes(RECEIVED[:nbytes]))

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        if self._closed:
            self._discard()
        else:
            super().data_received(data)

    def _feed_callback_parser(self, data: bytes) -> bool:
        """Parse what has arrived, or what remained after the last request. Return whether the connection stays open."""
        try:
            stays_open = bool(super()._feed_callback_parser(data))
        except ValueError:  # gunicorn's parser gives more digits to `int` than it accepts
            self._send_error_response(400, "Invalid Content-Length value")
            self._close_transport()
            return False
        if stays_open and not self._closed:
            self._watch(len(data))
            self._maybe_resume_reading()
        return stays_open

    def _watch(self, received: int) -> None:
        """Start the deadline of a request that has begun, and stop it when the request is complete."""
        if self._callback_parser.is_complete:
            self._received = 0
            self._stop_timer()
            return
        self._received = max(self._received, received)
        if self._timer is None:
            self._start_deadline()

    def _resume_reading(self) -> None:
        """Read again, unless further requests fill the buffer. gunicorn would read more after each answer."""
        if not self._is_buffer_full():
            super()._resume_reading()

    def _on_headers_complete(self) -> bool:
        skip = bool(super()._on_headers_complete())
        if self._current_request.version < (1, 1):
            # A response without Content-Length ends with the connection, because HTTP/1.0 has no chunks.
            self._current_request.must_close = True
        if self in self.worker.surplus:
            self._refuse_unless_probe(self._current_request)
        return skip

    def _is_websocket_upgrade(self, request: Any) -> bool:
        return False  # the application has no WebSockets, and answers the request as if it had no Upgrade header

    def eof_received(self) -> bool:
        """Keep the connection open for the answer, if the request is complete or its length is known."""
        receiver, request = self._body_receiver, self._current_request
        if self._closed or receiver is None or (request.chunked and not receiver._complete):
            return False
        self._is_half_closed = True
        self._stop_timer()
        receiver.set_complete()
        if receiver._body_finished:
            receiver.signal_disconnect()  # ends a stream; other answers are sent
        return True

    # --- Time limits ------------------------------------------------------------------------------

    def _start_deadline(self) -> None:
        self._began = self.worker.loop.time()
        self._timer = self.worker.loop.call_at(self._deadline(), self._check_deadline)

    def _deadline(self) -> float:
        return self._began + settings.CLIENT_TIMEOUT + self._received / BYTES_A_SECOND

    def _check_deadline(self) -> None:
        if self.worker.loop.time() >= self._deadline():
            abort(self.transport)
        else:
            self._timer = self.worker.loop.call_at(self._deadline(), self._check_deadline)

    def _abort_later(self) -> None:
        self._stop_timer()
        self._timer = self.worker.loop.call_later(settings.CLIENT_TIMEOUT, abort, self.transport)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # --- Sending ----------------------------------------------------------------------------------

    def _send_response_start(self, status: int, headers: Any, request: Any, close: bool = False) -> None:
        super()._send_response_start(status, headers, request, close)
        if EVENT_STREAM in headers:  # the client sees the beginning of the stream before the first event
            self._safe_write(self._response_buffer)
            self._response_buffer = None

    def _send_body(self, *arguments: Any, **options: Any) -> None:
        if not self.transport.is_closing():  # asyncio logs a warning for each write to a lost connection
            super()._send_body(*arguments, **options)

    # --- Closing ----------------------------------------------------------------------------------

    def close_unless_answering(self) -> None:
        """Close the connection, unless a whole request has arrived and is not answered yet."""
        receiver = self._body_receiver
        if receiver is None or not receiver._complete:
            if self._received:
                abort(self.transport)
            self._keepalive_timeout()

    def _arm_keepalive_timer(self) -> None:
        if self._is_half_closed:
            self._keepalive_timeout()  # closes the connection: no further request can come
        else:
            super()._arm_keepalive_timer()

    def _close_transport(self) -> None:
        if self._closed:
            return
        if self._received:
            self._close_after_reading()
            return
        super()._close_transport()
        if not self.transport.is_closing():
            abort(self.transport)  # gunicorn leaves a connection open that the client has reset
        elif self.transport.get_write_buffer_size():
            self._abort_later()

    def _close_after_reading(self) -> None:
        """Close our side of the connection, and the whole connection when the client has closed its side."""
        self._closed = True
        try:
            self.transport.write_eof()
        except OSError:  # the client has reset the connection
            abort(self.transport)
        super()._resume_reading()
        self._abort_later()

    def _discard(self) -> None:
        if self._received > DISCARDED:
            abort(self.transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        self.worker.connections.discard(self)
        self.worker.surplus.pop(self, None)
        self._flow_control.resume_writing()
        # gunicorn cancels the task of a request 3 seconds after the connection is lost. But a thread cannot be
        # cancelled, and the dispatcher must close what the thread returns.
        task, self._task = self._task, None
        super().connection_lost(exc)
        self._task = task
        self._request_ready.set()  # ends a task that waits for the next request
