"""Run all measurements: the reads first and the writes last, so that all reads see the same rows."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import psycopg

from . import (
    app,
    bulk,
    contract_a,
    contract_c,
    contract_d,
    databases,
    memory,
    replies,
    slow_clients,
    staff_pages,
    table,
    workload,
)
from .fill import TENTH, TYPICAL, Size, filled
from .servers import serving
from .table import Line
from .text import QUERIES, WORDS
from .users import add_user
from .wrk import ALONE, LOADED, Measured, Target, side_by_side

SERVERS = ("chatstore", "reference", "floor", "chats")
SMALL = 10_000  # messages in the small database, for growth
# The targets: chatstore's requests a second, divided by the other server's. None: no target.
AT_LEAST: dict[str, dict[str, float | None]] = {
    "list of 20": {"reference": 1.6, "floor": 0.75},
    "page of 100": {"reference": 2.2, "floor": 0.75},
    "search": {"floor": None},
    "append": {"reference": 1.2, "floor": 0.65},
    "C list of 20": {"chats": 1.3},
    "C page of 50": {"chats": 1.3},
    "C append": {"chats": 0.9},
}
READS = ("list of 20", "page of 100", "search")
SEARCH_AT_MOST = 60  # ms
FAST_SEARCH_AT_MOST = 15  # ms
FAST_SEARCHES = (*WORDS, "three and more CJK", "filters that find nothing")
GROWTH_AT_MOST = 1.3
HISTORY_AT_MOST = 25  # ms
ROWS = {
    "list of 20": 20,
    "page of 100": workload.FULL_PAGE,
    "C list of 20": 20,
    "C page of 50": workload.CONTRACT_PAGE,
}


def run_all(options: argparse.Namespace) -> None:
    large = Size.of(options.messages, options.users, options.seed)
    small = Size.of(SMALL, None, options.seed)
    with ExitStack() as stack:
        large_url, small_url = (
            stack.enter_context(databases.copy_of(filled(size, fresh=options.fresh))) for size in (large, small)
        )
        if {"requests", "contracts"} & set(options.only):
            print(table.render(_compare(options, large, small, large_url, small_url)), flush=True)
        if "staff" in options.only:
            print("staff …", file=sys.stderr, flush=True)
            print(table.render(staff_pages.lines(large_url, options.seconds), staff_pages.HEAD), flush=True)
        areas: dict[str, Callable[[], Iterator[Line]]] = {
            "bulk": lambda: bulk.lines(large_url, large),
            "replies": lambda: replies.lines(large_url, options.replies),
            "slow": lambda: slow_clients.lines(large_url),
            "app": lambda: app.lines(large_url),
            "memory": lambda: memory.lines(large_url, large, options.requests),
        }
        for area, measure in areas.items():
            if area in options.only:
                print(f"{area} …", file=sys.stderr, flush=True)
                print(table.render(measure()), flush=True)


def _compare(options: argparse.Namespace, large: Size, small: Size, large_url: str, small_url: str) -> list[Line]:
    """Measure chatstore beside the other servers."""
    with ExitStack() as stack:
        servers = {kind: stack.enter_context(serving(kind, large_url)) for kind in SERVERS}
        small_server = stack.enter_context(serving("chatstore", small_url))
        bench = Bench(servers, small_server, large, small, options.seconds, options.turns)
        contracts = Contracts(bench, large_url, options.sessions)
        areas = {"requests": bench.lines, "contracts": contracts.lines}
        return [line for area, lines in areas.items() if area in options.only for line in lines()]


class Bench:
    def __init__(
        self, servers: dict[str, str], small_server: str, large: Size, small: Size, seconds: int, turns: int
    ) -> None:
        self.servers, self.small_server, self.seconds, self.turns = servers, small_server, seconds, turns
        self.large_size = large
        self.large = {kind: workload.of(kind, large) for kind in servers}
        self.small = workload.of("chatstore", small)

    def lines(self) -> Iterator[Line]:
        for measurement in READS:
            yield from self.ratios(measurement)
        yield from self.searches("search")
        for measurement in READS:
            yield self.growth(measurement)
        yield from self.ratios("append")
        yield self.growth("append")
        yield from self.searches_after_bulk_write()

    def ratios(self, measurement: str) -> Iterator[Line]:
        kinds = ["chatstore", *AT_LEAST[measurement]]
        targets = [Target(self.servers[kind], self.large[kind][measurement], TENTH) for kind in kinds]
        ours, *others = self.measure(measurement, targets, LOADED)
        for (kind, at_least), theirs in zip(AT_LEAST[measurement].items(), others, strict=True):
            yield table.ratio(f"{measurement} : {kind}", ours, theirs, at_least)

    def searches(self, name: str, fast: tuple[str, ...] = FAST_SEARCHES) -> Iterator[Line]:
        for kind, queries in (WORDS | QUERIES).items():
            targets = [Target(self.servers["chatstore"], [workload.search(query)], TENTH) for query in queries]
            slowest = max(self.measure(f"{name}, {kind}", targets, ALONE), key=lambda measured: measured.p50)
            yield table.latency(f"{name}, {kind}", slowest, FAST_SEARCH_AT_MOST if kind in fast else SEARCH_AT_MOST)

    def searches_after_bulk_write(self) -> Iterator[Line]:
        """Measure searches with long pending lists. No housekeeping runs here. Another user writes, so the searches
        find the same messages as before."""
        for request in workload.bulk_write(self.large_size):
            Target(self.servers["chatstore"], [request], TYPICAL).fetch()
        yield from self.searches("search after a bulk write", fast=())

    def growth(self, measurement: str) -> Line:
        # The cost of a search depends on how many messages the user has, so use users with about the same number.
        token = TYPICAL if measurement == "search" else TENTH
        large = Target(self.servers["chatstore"], self.large["chatstore"][measurement], token)
        small = Target(self.small_server, self.small[measurement], token)
        after, before = self.measure(f"growth of {measurement}", [large, small], ALONE)
        return table.time_ratio(f"growth of p50, {measurement}", after, before, GROWTH_AT_MOST)

    def measure(self, measurement: str, targets: list[Target], connections: int) -> list[Measured]:
        print(f"{measurement} …", file=sys.stderr, flush=True)
        for target in targets:
            _check(measurement, target)
        return side_by_side(targets, connections=connections, seconds=self.seconds, turns=self.turns)


class Contracts:
    """The measurements of the contracts A, C and D (docs/compatibility.md)."""

    def __init__(self, bench: Bench, database_url: str, sessions: int) -> None:
        self.bench, self.database_url, self.sessions = bench, database_url, sessions
        self.server = bench.servers["chatstore"]

    def lines(self) -> Iterator[Line]:
        for measurement in ("C list of 20", "C page of 50", "C append"):
            yield from self.bench.ratios(measurement)
        yield self.total()
        yield from self.saves()
        yield self.history()

    def total(self) -> Line:
        with self._connection() as connection:
            tokens = contract_c.add_users(connection)
        requests = self.bench.large["chatstore"]["C list of 20"]
        name = f"C total of {contract_c.MANY:,} chats"
        many, few = self.bench.measure(name, [Target(self.server, requests, token) for token in tokens], ALONE)
        return table.difference(name, many, few)

    def saves(self) -> Iterator[Line]:
        print("D saves …", file=sys.stderr, flush=True)
        return contract_d.lines(self.server, self.database_url, sessions=self.sessions, turns=self.bench.turns)

    def history(self) -> Line:
        print("A PUT …", file=sys.stderr, flush=True)
        with self._connection() as connection:
            _, token = add_user(connection, "history")
        measured = contract_a.measure(self.database_url, token)
        return table.latency(f"A PUT of {contract_a.MESSAGES:,} messages and one more", measured, HISTORY_AT_MOST)

    def _connection(self) -> psycopg.Connection:
        return psycopg.connect(self.database_url, autocommit=True)


def _check(measurement: str, target: Target) -> None:
    """Exit with an error if the answer has too few rows, because it would be faster than a full one."""
    answer = json.loads(target.fetch())
    rows = answer if isinstance(answer, list) else answer.get("results", answer.get("items", answer))
    if measurement in ROWS and len(rows) != ROWS[measurement]:
        raise SystemExit(
            f"{target.url}{target.requests[0].path} returns {len(rows)} rows instead of {ROWS[measurement]}"
        )
