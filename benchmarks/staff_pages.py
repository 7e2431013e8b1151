"""Measure the pages of staff: the latency for one person, and the number of SQL statements.

PAGES is the list of the pages. To measure another page, add a line.
"""

import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import NamedTuple
from urllib.parse import urlsplit

from . import staff_data
from .servers import STATEMENTS, serving
from .table import format_verdict
from .text import RARE

HEAD = ("page of staff", "p50", "target", "", "statements", "target", "")
MOST_STATEMENTS = 8
FEWEST = 5  # requests
TIMEOUT = 60  # seconds
LIST, MESSAGES, USERS = (
    f"/admin/{path}/" for path in ("conversations/conversation", "conversations/message", "accounts/user")
)
REACTIONS, AUDIT, SEARCH = "/admin/conversations/reaction/", "/admin/staff/auditevent/", "/admin/search/?q="
REVIEW = "/admin/review/"


class TooFewRows(Exception):
    """A small database has no page 50."""


@dataclass(frozen=True)
class Page:
    """A page, and the targets for it. `path` can contain names of the facts that `staff_data.add_to` returns."""

    name: str
    path: str
    at_most: int = 300  # ms


PAGES = (
    Page("home, 30 days", "/admin/", at_most=100),
    Page("home, 90 days", "/admin/?days=90", at_most=100),
    Page("usage as CSV", "/admin/usage/days/?days=90"),
    Page("conversations", LIST),
    Page("conversations, a late page", f"{LIST}?p={{late}}"),
    Page("conversations in the trash", f"{LIST}?state=trash"),
    Page("conversations, archived", f"{LIST}?state=archived"),
    Page("conversations, unread", f"{LIST}?unread=yes"),
    Page("conversations, read (few)", f"{LIST}?unread=no"),
    Page("conversations of a model", f"{LIST}?model=mistral"),
    Page("conversations of an absent model", f"{LIST}?model=zyzzyva"),
    Page("conversations with a tag", f"{LIST}?tag=billing"),
    Page("conversations with a rare tag", f"{LIST}?tag=urgent"),
    Page("conversations with an absent tag", f"{LIST}?tag=zyzzyva"),
    Page("conversations where the user spoke last", f"{LIST}?role=user"),
    Page("conversations where a tool spoke last", f"{LIST}?role=tool"),
    Page("conversations with tool calls", f"{LIST}?tools=1"),
    Page("conversations with errors", f"{LIST}?errors=1"),
    Page("conversations with dislikes", f"{LIST}?dislikes=1"),
    Page("conversations without a verdict", f"{LIST}?verdict=none"),
    Page("conversations, several filters", f"{LIST}?state=live&dislikes=1&since=2024-06-01&until=2024-06-30"),
    Page("conversations of a user", f"{LIST}?user={{user}}"),
    Page("conversations by a part of the title", f"{LIST}?q=number"),
    Page("conversations by a title that is absent", f"{LIST}?q=zyzzyva"),
    Page("conversations by e-mail", f"{LIST}?q={{email}}"),
    Page("search, frequent word", f"{SEARCH}number"),
    Page("search, rare word", f"{SEARCH}{RARE}"),
    Page("search, absent word", f"{SEARCH}zyzzyva"),
    Page("search, word of one user", f"{SEARCH}user:{{email}}+number"),
    Page("search, role and model", f"{SEARCH}role:user+model:mistral+number"),
    Page("search, id", f"{SEARCH}{{message}}"),
    Page("search, e-mail", f"{SEARCH}{{email}}"),
    Page("transcript, short", f"{LIST}{{short}}/change/"),
    Page("transcript of 10,000, last page", f"{LIST}{{long}}/change/"),
    Page("transcript of 10,000, first page", f"{LIST}{{long}}/change/?at=1"),
    Page("transcript of 10,000, in the middle", f"{LIST}{{long}}/change/?at=5000"),
    Page("transcript of 10,000, next part", f"{LIST}{{long}}/change/?after=5000&fragment=1"),
    Page("form of a conversation", f"{LIST}{{short}}/edit/"),
    Page("messages", MESSAGES),
    Page("messages, page 50", f"{MESSAGES}?p=50"),
    Page("messages in the trash", f"{MESSAGES}?state=trash"),
    Page("messages of 10,000", f"{MESSAGES}?conversation={{long}}"),
    Page("message", f"{MESSAGES}{{message}}/change/"),
    Page("users", USERS),
    Page("users by e-mail", f"{USERS}?q={{email}}"),
    Page("users, suspended", f"{USERS}?state=suspended"),
    Page("user", f"{USERS}{{user}}/change/"),
    Page("user, 90 days", f"{USERS}{{user}}/change/?days=90"),
    Page("erasure of a user", f"{USERS}{{user}}/erase/"),
    Page("review", REVIEW),
    Page("queue of dislikes", f"{REVIEW}queue/dislikes/"),
    Page("queue of failed replies", f"{REVIEW}queue/failed/"),
    Page("queue of the sample", f"{REVIEW}queue/sample/"),
    Page("jobs", "/admin/staff/job/"),
    Page("legal holds", "/admin/conversations/hold/"),
    Page("what will be deleted", "/admin/deletions/"),
    Page("erasures", "/admin/conversations/erasurereceipt/"),
    Page("page of an export", f"{LIST}export/"),
    Page("export of all conversations, first byte", f"{LIST}export/?format=jsonl"),
    Page("reactions", REACTIONS),
    Page("reactions, page 50", f"{REACTIONS}?p=50"),
    Page("audit", AUDIT),
    Page("audit, page 50", f"{AUDIT}?p=50"),
    Page("audit, frequent action", f"{AUDIT}?action=read_transcript"),
    Page("audit, rare action of a period", f"{AUDIT}?action=erase&since=2024-06-01&until=2024-06-30"),
    Page("audit of an owner", f"{AUDIT}?owner={{user}}"),
    Page("audit as CSV, first byte", f"{AUDIT}csv/"),
)


@dataclass(frozen=True)
class Line:
    page: Page
    p50: float  # ms
    statements: int

    def cells(self) -> tuple[str, ...]:
        return (
            self.page.name,
            f"{self.p50:8.2f} ms",
            f"≤ {self.page.at_most} ms",
            format_verdict(self.p50 <= self.page.at_most),
            str(self.statements),
            f"≤ {MOST_STATEMENTS}",
            format_verdict(self.statements <= MOST_STATEMENTS),
        )


class Fetched(NamedTuple):
    latency: float  # ms
    statements: int  # 0 if the server does not count them


def lines(database_url: str, seconds: int) -> Iterator[Line]:
    """Measure each page for some seconds, and at least FEWEST times."""
    facts = staff_data.add_to(database_url)
    with serving("counted", database_url) as counted, serving("chatstore", database_url) as server:
        for page in PAGES:
            print(f"{page.name} …", file=sys.stderr, flush=True)
            path = page.path.format(**facts)
            try:
                statements = _count_statements(counted, path, facts["cookie"])
            except TooFewRows:
                print(f"The database has too few rows for {page.name}.", file=sys.stderr, flush=True)
            else:
                yield Line(page, _measure(server, path, facts["cookie"], seconds), statements)


def _count_statements(server: str, path: str, cookie: str) -> int:
    _fetch(server, path, cookie)  # fills the caches of the process
    return _fetch(server, path, cookie).statements


def _measure(server: str, path: str, cookie: str, seconds: int) -> float:
    """Return the median of the latencies."""
    _fetch(server, path, cookie)
    latencies: list[float] = []
    end = time.monotonic() + seconds
    while len(latencies) < FEWEST or time.monotonic() < end:
        latencies.append(_fetch(server, path, cookie).latency)
    return statistics.median(latencies)


def _fetch(server: str, path: str, cookie: str) -> Fetched:
    """Read the page, or the first byte of a download. Raises TooFewRows if the list has no such page."""
    with closing(HTTPConnection(urlsplit(server).netloc, timeout=TIMEOUT)) as connection:
        start = time.perf_counter()
        connection.request("GET", path, headers={"Cookie": cookie, "Accept": "text/html"})
        answer = connection.getresponse()
        body = answer.read(1 if answer.chunked else None)
        latency = (time.perf_counter() - start) * 1000
    if answer.status == 302 and answer.headers["Location"].endswith("?e=1"):  # how Django's lists answer
        raise TooFewRows
    if answer.status != 200:
        raise SystemExit(f"GET {path}: {answer.status} {answer.headers['Location']} {body[:500]!r}")
    return Fetched(latency, int(answer.headers[STATEMENTS] or 0))
