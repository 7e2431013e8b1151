"""Measure the memory of a web server's worker after many mixed requests and many streams."""

import sys
from collections.abc import Iterator
from itertools import chain, zip_longest

from . import replies, table, workload
from .fill import TENTH, Size
from .provider import PER_SECOND
from .system import System, running_system
from .table import Line
from .wrk import LOADED, Request, Target

STREAMS = 500
STREAM_SECONDS = 4
TURN = 5  # seconds
AT_MOST = 200  # MB


def lines(database_url: str, size: Size, requests: int) -> Iterator[Line]:
    tokens = STREAM_SECONDS * PER_SECOND
    with running_system(database_url, tokens=tokens) as system:
        sent = _send(system, _mixed(size), requests)
        print(f"{STREAMS} streams …", file=sys.stderr, flush=True)
        replies.read_result(replies.start_readers(system, STREAMS, tokens, name="memory"))
        name = f"memory of a worker after {sent:,} requests and {STREAMS} streams"
        yield table.value(name, system.worker_megabytes(), "MB", at_most=AT_MOST)


def _mixed(size: Size) -> list[Request]:
    """Return lists, pages, appends and searches in turn."""
    kinds = workload.native("chatstore", size).values()
    most = max(map(len, kinds))
    repeated = ([requests[turn % len(requests)] for turn in range(most)] for requests in kinds)
    return [request for request in chain(*zip_longest(*repeated)) if request]


def _send(system: System, mixed: list[Request], requests: int) -> int:
    """Send at least this number of requests. Return the number that was sent."""
    target, sent = Target(system.url, mixed, TENTH), 0.0
    target.fetch()  # waits until the workers have started
    while sent < requests:
        print(f"{sent:,.0f} mixed requests …", file=sys.stderr, flush=True)
        sent += target.drive(TURN, LOADED).per_second * TURN
    return round(sent)
