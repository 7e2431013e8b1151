"""Measure the web app in Debian's chromium: how long a conversation takes to open, and how long the page is blocked.

A *block* is a task of more than 50 ms in the main thread of the page ("long task" in the browser's API). During it, the
page does not react to input.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle, islice

import psycopg
from django.contrib.auth.hashers import make_password
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from testing import fake_provider

from . import table
from .fill import TENTH
from .processes import ROOT, running
from .servers import ENVIRONMENT, serving
from .system import GENERATOR_NICENESS
from .table import Line
from .wrk import Request, Target

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
TURNS = 7
TIMEOUT = 120_000  # ms
EMAIL, PASSWORD = "app@example.org", "a password of the benchmark"
# The user of the app is the one with a tenth of all messages, who can sign in after these statements.
USER = "SELECT user_id FROM api_token WHERE name = %s"
SET_PASSWORD = "UPDATE account SET email = %s, password = %s WHERE id = %s"
VERIFY = 'INSERT INTO account_emailaddress (user_id, email, verified, "primary") VALUES (%s, %s, true, true)'
TITLE, MESSAGES, BATCH = "Ten thousand messages", 10_000, 1_000
REPLY = 100_000  # characters
CHUNK = 50  # characters
PAUSE = 0.01  # seconds between two chunks
OPEN_AT_MOST = 1_000  # ms
BLOCK_AT_MOST = 200  # ms
OBSERVE = """
    window.blocks = [];
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) window.blocks.push(entry.duration);
    }).observe({ type: "longtask", buffered: true });
"""


def lines(database_url: str) -> Iterator[Line]:
    _prepare_user(database_url)
    with _serving(database_url) as url, sync_playwright() as playwright:
        path = f"/app/c/{_add_long_conversation(url)}"
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = _sign_in(browser, url)
        yield from _open_by_address(page, path)
        yield _open_from_sidebar(page)
        yield _longest_block("scroll up through the messages", page, lambda: _scroll(page, _messages(page), -1_500))
        yield _longest_block("scroll down the sidebar", page, lambda: _scroll(page, _sidebar(page), 3_000))
        page.goto("/app/")
        yield _longest_block(f"a reply of {REPLY:,} characters", page, lambda: _ask(page))
        browser.close()


def _messages(page: Page) -> Locator:
    return page.locator("article.message")


def _sidebar(page: Page) -> Locator:
    return page.locator(".conversation-list a")


def _prepare_user(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        (id,) = connection.execute(USER, [TENTH.removeprefix("cs_")]).fetchone() or sys.exit("The user is missing.")
        connection.execute(SET_PASSWORD, [EMAIL, make_password(PASSWORD), id])
        connection.execute(VERIFY, [id, EMAIL])


@contextmanager
def _serving(database_url: str) -> Iterator[str]:
    """Start a web server, the generator of replies, and a model that answers with a long text in Markdown."""
    with fake_provider.running() as model:
        model.behavior = fake_provider.streams(*_steps())
        environment = ENVIRONMENT | {"DATABASE_URL": database_url, "OPENAI_BASE_URL": model.base_url}
        with (
            running(["manage.py", "replies"], environment, niceness=GENERATOR_NICENESS),
            serving("chatstore", database_url, {"OPENAI_BASE_URL": model.base_url}) as url,
        ):
            yield url


def _steps() -> Iterator[str | float]:
    """Yield the chunks of the reply, with pauses between them."""
    replies = cycle(draft["content"] for draft in _sample() if draft["role"] == "assistant")
    text = "\n\n".join(islice(replies, REPLY // 100))[:REPLY]
    for start in range(0, REPLY, CHUNK):
        yield PAUSE
        yield text[start : start + CHUNK]


def _sample() -> list[dict[str, str]]:
    """Return questions of people and replies of models in turn, with code, lists and formulas."""
    with (ROOT / "sample/mt_bench.jsonl").open() as file:
        return [draft for line in file for draft in json.loads(line)["messages"]]


def _add_long_conversation(url: str) -> str:
    """Add the conversation over the API. Return its id."""
    id: str = json.loads(_post(url, "/api/v1/conversations/", {"title": TITLE}))["id"]
    drafts = cycle(_sample())
    for _ in range(MESSAGES // BATCH):
        _post(url, f"/api/v1/conversations/{id}/messages/", list(islice(drafts, BATCH)))
    return id


def _post(url: str, path: str, body: object) -> bytes:
    return Target(url, [Request(path, json.dumps(body).encode())], TENTH).fetch()


def _sign_in(browser: Browser, url: str) -> Page:
    page = browser.new_context(base_url=url, viewport={"width": 1280, "height": 800}).new_page()
    page.set_default_timeout(TIMEOUT)
    page.add_init_script(OBSERVE)
    page.goto("/accounts/login/")
    page.fill("input[name=login]", EMAIL)
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    _sidebar(page).first.wait_for()
    return page


def _open_by_address(page: Page, path: str) -> Iterator[Line]:
    def open_page() -> None:
        page.goto("about:blank")
        page.goto(path, wait_until="commit")
        _messages(page).last.wait_for()

    yield _open("the address", open_page)
    page.wait_for_timeout(1_000)  # the page loads what is not needed for the first view
    yield table.value("app, longest block: open the address", _longest(page), "ms", at_most=BLOCK_AT_MOST)


def _open_from_sidebar(page: Page) -> Line:
    def open_page() -> None:
        page.get_by_role("link", name="New conversation").click()
        _messages(page).first.wait_for(state="detached")
        page.get_by_role("link", name=TITLE).click()
        _messages(page).last.wait_for()

    return _open("the sidebar", open_page)


def _open(origin: str, open_page: Callable[[], None]) -> Line:
    times = [_milliseconds(open_page) for _ in range(TURNS)]
    name = f"app, {MESSAGES:,} messages, from {origin} to the last message"
    return table.value(name, statistics.median(times), "ms", at_most=OPEN_AT_MOST)


def _milliseconds(run: Callable[[], None]) -> float:
    start = time.perf_counter()
    run()
    return (time.perf_counter() - start) * 1_000


def _longest_block(name: str, page: Page, run: Callable[[], None]) -> Line:
    page.evaluate("window.blocks.length = 0")
    run()
    return table.value(f"app, longest block: {name}", _longest(page), "ms", at_most=BLOCK_AT_MOST)


def _longest(page: Page) -> float:
    blocks: list[float] = page.evaluate("window.blocks")
    return max(blocks, default=0)


def _scroll(page: Page, rows: Locator, distance: int) -> None:
    """Turn the wheel over the rows a hundred times. More pages must come meanwhile."""
    before = rows.count()
    rows.last.hover()
    for _ in range(100):
        page.mouse.wheel(0, distance)
        page.wait_for_timeout(50)
    if rows.count() <= before:
        raise SystemExit("The app loaded no more rows.")


def _ask(page: Page) -> None:
    page.get_by_label("Message", exact=True).fill("Tell me everything.")
    page.keyboard.press("Enter")
    _messages(page).nth(1).wait_for()
    page.locator("article.message[aria-busy=true]").wait_for(state="detached")
    page.wait_for_timeout(1_000)  # the last part is rendered after the end
    if (length := len(_messages(page).nth(1).inner_text())) < REPLY / 2:
        raise SystemExit(f"The app shows {length:,} characters of the reply.")
