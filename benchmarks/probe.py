"""A healthy client: it reads the list of conversations at a steady rate, and measures how long each answer takes."""

import http.client
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass

from .fill import TENTH

PATH = "/api/v1/conversations/?limit=20"
PER_SECOND = 50
CONNECTIONS = 8  # used in turn, so that all workers answer
TIMEOUT = 60  # seconds
WARM_UP = 5  # requests on each connection, not measured


@dataclass(frozen=True)
class Latencies:
    p50: float  # milliseconds
    p95: float


def probe(port: int, seconds: float) -> Latencies:
    """Measure for so many seconds. A request that is late because of the one before it counts from when it was due."""
    with ExitStack() as stack:
        clients = [stack.enter_context(_client(port)) for _ in range(CONNECTIONS)]
        begin = time.monotonic()
        times = []
        for number in range(int(seconds * PER_SECOND)):
            due = begin + number / PER_SECOND
            time.sleep(max(0, due - time.monotonic()))
            _fetch(clients[number % CONNECTIONS])
            times.append((time.monotonic() - due) * 1000)
    times.sort()
    return Latencies(times[len(times) // 2], times[len(times) * 95 // 100])


def _client(port: int) -> "closing[http.client.HTTPConnection]":
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    for _ in range(WARM_UP):
        _fetch(client)
    return closing(client)


def _fetch(client: http.client.HTTPConnection) -> None:
    client.request("GET", PATH, headers={"Authorization": f"Bearer {TENTH}"})
    response = client.getresponse()
    if response.status != 200:
        raise SystemExit(f"GET {PATH}: {response.status} {response.read()[:500]!r}")
    response.read()
