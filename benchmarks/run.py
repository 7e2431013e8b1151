"""Run all measurements: the reads first and the writes last, so that all reads see the same rows."""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack

from . import databases, table, workload
from .fill import TENTH, TYPICAL, Size, filled
from .servers import serving
from .table import Line
from .text import WORDS
from .wrk import ALONE, LOADED, Measured, Target, side_by_side

SMALL = 10_000  # messages in the small database, for growth
# The targets: chatstore's requests a second, divided by the other server's. None: no target.
AT_LEAST: dict[str, dict[str, float | None]] = {
    "list of 20": {"reference": 2.5, "floor": 0.4},
    "page of 100": {"reference": 2.5, "floor": 0.5},
    "search": {"floor": None},
    "append": {"reference": 1.5, "floor": 0.5},
}
READS = ("list of 20", "page of 100", "search")
SEARCH_AT_MOST = 15  # ms
GROWTH_AT_MOST = 1.3
ROWS = {"list of 20": 20, "page of 100": workload.FULL_PAGE}


def run_all(options: argparse.Namespace) -> None:
    large = Size.of(options.messages, options.users, options.seed)
    small = Size.of(SMALL, None, options.seed)
    with ExitStack() as stack:
        large_url, small_url = (
            stack.enter_context(databases.copy_of(filled(size, fresh=options.fresh))) for size in (large, small)
        )
        servers = {kind: stack.enter_context(serving(kind, large_url)) for kind in ("chatstore", "reference", "floor")}
        small_server = stack.enter_context(serving("chatstore", small_url))
        print(table.render(Bench(servers, small_server, large, small, options.seconds, options.turns).lines()))


class Bench:
    def __init__(
        self, servers: dict[str, str], small_server: str, large: Size, small: Size, seconds: int, turns: int
    ) -> None:
        self.servers, self.small_server, self.seconds, self.turns = servers, small_server, seconds, turns
        self.large = {kind: workload.of(kind, large) for kind in servers}
        self.small = workload.of("chatstore", small)

    def lines(self) -> Iterator[Line]:
        for measurement in READS:
            yield from self.ratios(measurement)
        yield from self.searches()
        for measurement in READS:
            yield self.growth(measurement)
        yield from self.ratios("append")
        yield self.growth("append")

    def ratios(self, measurement: str) -> Iterator[Line]:
        kinds = ["chatstore", *AT_LEAST[measurement]]
        targets = [Target(self.servers[kind], self.large[kind][measurement], TENTH) for kind in kinds]
        ours, *others = self._measure(measurement, targets, LOADED)
        for (kind, at_least), theirs in zip(AT_LEAST[measurement].items(), others, strict=True):
            yield table.ratio(f"{measurement} : {kind}", ours, theirs, at_least)

    def searches(self) -> Iterator[Line]:
        for kind, words in WORDS.items():
            targets = [Target(self.servers["chatstore"], [workload.search(word)], TENTH) for word in words]
            slowest = max(self._measure(f"search, {kind}", targets, ALONE), key=lambda measured: measured.p50)
            yield table.latency(f"search, {kind}", slowest, SEARCH_AT_MOST)

    def growth(self, measurement: str) -> Line:
        # The cost of a search depends on how many messages the user has, so use users with about the same number.
        token = TYPICAL if measurement == "search" else TENTH
        large = Target(self.servers["chatstore"], self.large["chatstore"][measurement], token)
        small = Target(self.small_server, self.small[measurement], token)
        after, before = self._measure(f"growth of {measurement}", [large, small], ALONE)
        return table.growth(f"growth of p50, {measurement}", after, before, GROWTH_AT_MOST)

    def _measure(self, measurement: str, targets: list[Target], connections: int) -> list[Measured]:
        print(f"{measurement} …", file=sys.stderr, flush=True)
        for target in targets:
            _check(measurement, target)
        return side_by_side(targets, connections=connections, seconds=self.seconds, turns=self.turns)


def _check(measurement: str, target: Target) -> None:
    """Exit with an error if the answer has too few rows, because it would be faster than a full one."""
    answer = json.loads(target.fetch())
    rows = answer.get("results", answer) if isinstance(answer, dict) else answer
    if measurement in ROWS and len(rows) != ROWS[measurement]:
        raise SystemExit(
            f"{target.url}{target.requests[0].path} returns {len(rows)} rows instead of {ROWS[measurement]}"
        )
