"""What is measured: first what reads, then what writes, so that all read the rows that were filled in."""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack

from . import databases, table, workload
from .fill import LIKE, TENTH, Size, filled
from .servers import serving
from .table import Line
from .text import WORDS
from .wrk import ALONE, LOADED, Measured, Target, side_by_side

SMALL = 10_000  # messages in the database that growth is measured from
# The least ratio of requests a second, chatstore's to the others'.
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


def everything(chosen: argparse.Namespace) -> None:
    large = Size.of(chosen.messages, chosen.users, chosen.seed)
    small = Size.of(SMALL, None, chosen.seed)
    with ExitStack() as stack:
        large_url, small_url = (
            stack.enter_context(databases.copy_of(filled(size, fresh=chosen.fresh))) for size in (large, small)
        )
        servers = {kind: stack.enter_context(serving(kind, large_url)) for kind in ("chatstore", "reference", "floor")}
        smaller = stack.enter_context(serving("chatstore", small_url))
        print(table.printed(Bench(servers, smaller, large, small, chosen.seconds, chosen.turns).lines()))


class Bench:
    def __init__(
        self, servers: dict[str, str], smaller: str, large: Size, small: Size, seconds: int, turns: int
    ) -> None:
        self.servers, self.smaller, self.seconds, self.turns = servers, smaller, seconds, turns
        self.large = {kind: workload.of(kind, large) for kind in servers}
        self.small = workload.of("chatstore", small)

    def lines(self) -> Iterator[Line]:
        for what in READS:
            yield from self.ratios(what)
        yield from self.searches()
        for what in READS:
            yield self.growth(what)
        yield from self.ratios("append")
        yield self.growth("append")

    def ratios(self, what: str) -> Iterator[Line]:
        kinds = ["chatstore", *AT_LEAST[what]]
        targets = [Target(self.servers[kind], self.large[kind][what], TENTH) for kind in kinds]
        ours, *others = self._measured(what, targets, LOADED)
        for (kind, at_least), theirs in zip(AT_LEAST[what].items(), others, strict=True):
            yield table.ratio(f"{what} : {kind}", ours, theirs, at_least)

    def searches(self) -> Iterator[Line]:
        for kind, words in WORDS.items():
            targets = [Target(self.servers["chatstore"], [workload.search(word)], TENTH) for word in words]
            slowest = max(self._measured(f"search, {kind}", targets, ALONE), key=lambda measured: measured.p50)
            yield table.latency(f"search, {kind}", slowest, SEARCH_AT_MOST)

    def growth(self, what: str) -> Line:
        # A search costs what its user wrote, so two users who wrote as much are compared; nothing else does.
        token = LIKE if what == "search" else TENTH
        large = Target(self.servers["chatstore"], self.large["chatstore"][what], token)
        small = Target(self.smaller, self.small[what], token)
        after, before = self._measured(f"growth of {what}", [large, small], ALONE)
        return table.growth(f"growth of p50, {what}", after, before, GROWTH_AT_MOST)

    def _measured(self, what: str, targets: list[Target], connections: int) -> list[Measured]:
        print(f"{what} …", file=sys.stderr, flush=True)
        for target in targets:
            _check(what, target)
        return side_by_side(targets, connections=connections, seconds=self.seconds, turns=self.turns)


def _check(what: str, target: Target) -> None:
    """An answer of fewer rows would be a faster one."""
    answer = json.loads(target.fetch())
    rows = answer.get("results", answer) if isinstance(answer, dict) else answer
    if what in ROWS and len(rows) != ROWS[what]:
        raise SystemExit(f"{target.url}{target.requests[0].path} answers {len(rows)} rows instead of {ROWS[what]}")
