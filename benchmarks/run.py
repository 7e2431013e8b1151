"""What is measured, in which order: what reads before what writes."""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import cycle, islice
from random import Random
from urllib.parse import quote

from . import databases, table
from .fill import TOKEN, Size, filled
from .servers import serving
from .text import WORDS, Writer
from .wrk import ALONE, LOADED, Measured, Request, Target, side_by_side

SMALL = 10_000  # messages in the database that growth is measured against
LONG = 100  # messages of a conversation whose first page is a full one
APPENDS = 2_000
HEADERS = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
# The least ratio of requests a second, chatstore's to the others'.
AT_LEAST = {
    "list of 20": {"reference": 2.5, "floor": 0.4},
    "page of 100": {"reference": 2.5, "floor": 0.5},
    "search": {"floor": None},
    "append": {"reference": 1.5, "floor": 0.5},
}
READS = ("list of 20", "page of 100", "search")
SEARCH_AT_MOST = 15  # ms
GROWTH_AT_MOST = 1.3
ROWS = {"list of 20": 20, "page of 100": 100}


def everything(chosen: argparse.Namespace) -> None:
    large, small = sizes(chosen)
    with ExitStack() as stack:
        large_url, small_url = (
            stack.enter_context(databases.copy_of(filled(size, fresh=chosen.fresh))) for size in (large, small)
        )
        servers = {kind: stack.enter_context(serving(kind, large_url)) for kind in ("chatstore", "reference", "floor")}
        smaller = stack.enter_context(serving("chatstore", small_url))
        bench = Bench(servers, smaller, requests(large), requests(small), chosen.seconds)
        print(table.printed(bench.lines()))


def sizes(chosen: argparse.Namespace) -> tuple[Size, Size]:
    large, small = (
        Size(messages, users or max(2, messages // 1000), chosen.seed)
        for messages, users in ((chosen.messages, chosen.users), (SMALL, None))
    )
    return large, small


def requests(size: Size) -> dict[str, dict[str, list[Request]]]:
    """By kind of server, by what is measured."""
    recent = _ids(size, 0)[:200]
    long = _ids(size, LONG)[:50]
    writer = Writer(Random(size.seed))
    appended = [(id, writer.question()) for id in islice(cycle(recent), APPENDS)]
    native = {
        "list of 20": [Request("/api/v1/conversations/?limit=20")],
        "page of 100": [Request(f"/api/v1/conversations/{id}/messages/?limit=100") for id in long],
        "search": [search(word) for words in WORDS.values() for word in words],
        "append": [_post(f"/api/v1/conversations/{id}/messages/", role="user", content=text) for id, text in appended],
    }
    reference = {
        "list of 20": [Request("/api/chats/?page=1&page_size=20")],
        "page of 100": [Request(f"/api/messages/chat/{id}?page=1&page_size=100") for id in long],
        "append": [_post(f"/api/messages/chat/{id}", role="user", content=text) for id, text in appended],
    }
    return {"chatstore": native, "floor": native, "reference": reference}


def search(word: str) -> Request:
    return Request(f"/api/v1/search/?q={quote(word)}")


def _post(path: str, **body: str) -> Request:
    return Request(path, json.dumps(body).encode())


def _ids(size: Size, at_least: int) -> list[str]:
    """Conversations of the token's user, newest first."""
    query = """SELECT id::text FROM conversation WHERE user_id = (SELECT user_id FROM api_token)
        AND deleted_at IS NULL AND message_count >= %s ORDER BY active_at DESC"""
    with databases.connect(size.name) as connection:
        return [id for (id,) in connection.execute(query, [at_least])]


class Bench:
    def __init__(
        self,
        servers: dict[str, str],
        smaller: str,
        large: dict[str, dict[str, list[Request]]],
        small: dict[str, dict[str, list[Request]]],
        seconds: float,
    ) -> None:
        self.servers, self.smaller, self.large, self.small, self.seconds = servers, smaller, large, small, seconds

    def lines(self) -> Iterator[table.Line]:
        for what in READS:
            yield from self.ratios(what)
        yield from self.searches()
        for what in READS:
            yield self.growth(what)
        yield from self.ratios("append")
        yield self.growth("append")

    def ratios(self, what: str) -> Iterator[table.Line]:
        kinds = ["chatstore", *AT_LEAST[what]]
        ours, *others = self._side_by_side(what, [self._target(kind, what) for kind in kinds], LOADED)
        for (kind, at_least), theirs in zip(AT_LEAST[what].items(), others, strict=True):
            yield table.ratio(f"{what} : {kind}", ours, theirs, at_least)

    def growth(self, what: str) -> table.Line:
        small = Target(self.smaller, self.small["chatstore"][what], HEADERS)
        both = self._side_by_side(f"growth of {what}", [self._target("chatstore", what), small], ALONE)
        return table.growth(f"growth of p50, {what}", *both, GROWTH_AT_MOST)

    def searches(self) -> Iterator[table.Line]:
        for kind, words in WORDS.items():
            targets = [Target(self.servers["chatstore"], [search(word)], HEADERS) for word in words]
            slowest = max(self._side_by_side(f"search, {kind}", targets, ALONE), key=lambda measured: measured.p50)
            yield table.latency(f"search, {kind}", slowest, SEARCH_AT_MOST)

    def _target(self, kind: str, what: str) -> Target:
        return Target(self.servers[kind], self.large[kind][what], HEADERS)

    def _side_by_side(self, what: str, targets: list[Target], connections: int) -> list[Measured]:
        print(f"{what} …", file=sys.stderr, flush=True)
        for target in targets:
            _check(what, target)
        return side_by_side(targets, seconds=self.seconds, connections=connections)


def _check(what: str, target: Target) -> None:
    """An answer of fewer rows would be a faster one."""
    answer = json.loads(target.fetch())
    rows = answer.get("results", answer) if isinstance(answer, dict) else answer
    if what in ROWS and len(rows) != ROWS[what]:
        raise SystemExit(f"{target.url}{target.requests[0].path} answers {len(rows)} rows instead of {ROWS[what]}")
