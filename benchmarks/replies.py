"""Measure many replies that stream at the same time, and the list of conversations meanwhile."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator

from . import table
from .probe import Latencies, probe
from .processes import ROOT, cpu_seconds
from .provider import PER_SECOND
from .system import System, running_system
from .table import Line

REPLIES_OF_A_USER = 8  # REPLIES_PER_USER
SECONDS = 40  # length of a reply
IDLE_SECONDS = 8
MARGIN = 3  # seconds before the end of the first reply, when the measurement of the list ends
LATENCY_AT_MOST = (120, 250)  # ms, p50 and p95
FIRST_AT_MOST = 60  # ms, p50
LIST_AT_MOST = (1.3, 3)  # × idle, p50 and p95


def lines(database_url: str, replies: int) -> Iterator[Line]:
    tokens = SECONDS * PER_SECOND
    with running_system(database_url, tokens=tokens) as system:
        idle = probe(system.port, IDLE_SECONDS)
        begin = time.monotonic()
        readers = start_readers(system, replies, tokens, name="reader")
        opened = time.monotonic()
        before = system.cpu_seconds() | {"the readers": cpu_seconds([readers.pid])}
        busy = probe(system.port, max(1, SECONDS - MARGIN - (opened - begin)))
        after = system.cpu_seconds() | {"the readers": cpu_seconds([readers.pid])}
        cores = {name: (after[name] - before[name]) / (time.monotonic() - opened) for name in after}
        result = read_result(readers)
    name = f"{replies} replies × {PER_SECOND}/s"
    yield from _latencies(name, result)
    yield table.value(f"{name}, question to response headers, p50", result["accepted"][0], "ms")
    yield table.value(f"{name}, question to first token, p50", result["begun"][0], "ms")
    yield from _list(name, idle, busy)
    yield table.value(f"{name}, events and tokens lost or doubled", result["errors"], "", at_most=0)
    yield table.value(f"{name}, all under way for", result["seconds"], "s")
    for part, used in cores.items():
        yield table.value(f"{name}, CPU of {part}", used, "cores")


def start_readers(system: System, replies: int, tokens: int, *, name: str) -> "subprocess.Popen[str]":
    """Start the program `readers`, and wait until all streams have begun."""
    users = system.add_users(name, -(-replies // REPLIES_OF_A_USER))
    user_tokens = [users[number // REPLIES_OF_A_USER] for number in range(replies)]
    command = [sys.executable, "-m", "benchmarks.readers", str(system.port), str(tokens), *user_tokens]
    readers = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert readers.stdout
    if readers.stdout.readline() != "open\n":
        raise SystemExit("The readers of replies failed.")
    return readers


def read_result(readers: "subprocess.Popen[str]") -> dict[str, "float | list[float]"]:
    """Wait for the end of the replies, and return what the readers measured."""
    output, _ = readers.communicate()
    if readers.returncode:
        raise SystemExit("The readers of replies failed.")
    return json.loads(output)


def _latencies(name: str, result: dict[str, list[float]]) -> Iterator[Line]:
    for percent, number, at_most in zip(("p50", "p95"), result["latencies"], LATENCY_AT_MOST, strict=True):
        yield table.value(f"{name}, token to reader, {percent}", number, "ms", at_most=at_most)
    for percent, number, most in zip(("p50", "p95"), result["first"], (FIRST_AT_MOST, None), strict=True):
        yield table.value(f"{name}, first token to reader, {percent}", number, "ms", at_most=most)


def _list(name: str, idle: Latencies, busy: Latencies) -> Iterator[Line]:
    p50, p95 = LIST_AT_MOST
    yield table.value(f"{name}, list ÷ idle ({idle.p50:.1f} ms), p50", busy.p50 / idle.p50, "×", at_most=p50)
    yield table.value(f"{name}, list ÷ idle ({idle.p95:.1f} ms), p95", busy.p95 / idle.p95, "×", at_most=p95)
