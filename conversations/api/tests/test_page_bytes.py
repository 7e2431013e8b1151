"""A page of messages is bounded in bytes, however large the messages are; `next` continues."""

import io
import json
import re
import zipfile
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from conversations import querysets, sql
from conversations.models import Conversation
from conversations.querysets import PAGE_BYTES
from conversations.services import conversations
from testing.api_client import ApiClient
from transfer.exporters import archive

BYTES = 10_000  # of a page in these tests
LARGE = {"role": "user", "content": "x" * 4_000}
SMALL = {"role": "user", "content": "y"}


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(querysets, "PAGE_BYTES", BYTES)


def stored(user: User, drafts: list[Any]) -> str:
    return str(conversations.create(user=user, fields={}, drafts=drafts)[0].id)


def page_sizes(caller: ApiClient, path: str) -> list[int]:
    """The number of messages of each page. No page has more bytes than allowed, but for its last message."""
    sizes, seen = [], []
    url: str | None = path
    while url:
        page = caller("GET", url)
        assert len(json.dumps(page["results"][:-1])) < BYTES
        sizes.append(len(page["results"]))
        seen += [row["seq"] for row in page["results"]]
        url = page["next"]
    assert seen == list(range(1, len(seen) + 1))
    return sizes


def test_empty_requests_that_copy_a_large_message_make_no_large_answer(alice: User) -> None:
    caller = ApiClient(alice)
    chat = caller("POST", "conversations/", {}, status=201)["id"]
    large = {"role": "user", "content": "x" * 999_000, "reasoning": "y" * 999_000, "parts": ["z" * 999_000]}
    id = caller("POST", f"conversations/{chat}/messages/", large, status=201)["id"]
    for _ in range(7):
        caller("PATCH", f"messages/{id}/?branch=true", {}, status=201)
    url, rows = f"conversations/{chat}/messages/?all=true&limit=1000", 0
    while url:
        page = caller("GET", url)
        assert len(caller.content) < PAGE_BYTES + 4_000_000
        rows += len(page["results"])
        url = page["next"]
    assert rows == 8


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("query", ["", "&all=true"])
@pytest.mark.parametrize(
    ("drafts", "limit", "sizes"),
    [
        ([LARGE] * 7, 100, [3, 3, 1]),
        ([LARGE] * 6, 3, [3, 3]),
        ([LARGE] * 4, 2, [2, 2]),
        ([LARGE | {"content": "x" * 20_000}] * 3, 100, [1, 1, 1]),
        ([SMALL, LARGE | {"content": "x" * 20_000}, SMALL], 100, [2, 1]),
        ([SMALL] * 5, 2, [2, 2, 1]),
        ([LARGE] * 3, 100, [3]),
        ([], 100, [0]),
    ],
)
def test_a_page_ends_at_its_limit_or_at_its_bytes(
    query: str, drafts: list[Any], limit: int, sizes: list[int], alice: User
) -> None:
    path = f"conversations/{stored(alice, drafts)}/messages/?limit={limit}{query}"
    assert page_sizes(ApiClient(alice), path) == sizes


@pytest.mark.usefixtures("small_pages")
def test_the_page_that_answers_a_whole_history_ends_there_too(alice: User) -> None:
    caller = ApiClient(alice)
    answer = caller("PUT", f"conversations/{stored(alice, [])}/messages/", [LARGE] * 5)
    assert len(answer["results"]) == 3
    assert len(caller("GET", answer["next"])["results"]) == 2


@pytest.mark.usefixtures("small_pages")
def test_a_models_context_has_the_newest_messages_that_fit(alice: User) -> None:
    drafts = [LARGE | {"content": f"{number} {'x' * 4_000}"} for number in range(5)]
    answer = ApiClient(alice)("GET", f"conversations/{stored(alice, drafts)}/history/?limit=1000")
    assert [row["content"][0] for row in answer] == ["2", "3", "4"]


@pytest.mark.usefixtures("small_pages")
def test_sent_again_messages_that_have_grown_too_large_are_a_conflict(alice: User) -> None:
    caller = ApiClient(alice)
    path = f"conversations/{stored(alice, [])}/messages/"
    drafts = [SMALL | {"external_id": str(number)} for number in range(4)]
    sent = caller("POST", path, drafts, status=201)
    assert caller("POST", path, drafts) == sent
    for row in sent:
        caller("PATCH", f"messages/{row['id']}/", {"content": LARGE["content"]})
    assert caller.refusal("POST", path, drafts, status=409) == ("conflict", None)


@pytest.mark.usefixtures("small_pages")
def test_an_export_reads_batches_of_few_bytes_and_loses_nothing(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    drafts = [LARGE] * 7
    ids = {stored(alice, drafts[:count]) for count in (7, 0, 1, 3, 5)}
    largest = 0
    exported = querysets.MessageQuerySet.exported

    def measured(*arguments: Any, **more: Any) -> Any:
        nonlocal largest
        rows = exported(*arguments, **more)
        largest = max(largest, sum(len(text or "") for _, text in rows))
        return rows

    monkeypatch.setattr(querysets.MessageQuerySet, "exported", measured)
    zipped = b"".join(archive.stream(user=alice, account=b"{}"))
    lines = zipfile.ZipFile(io.BytesIO(zipped)).read("conversations.jsonl").splitlines()
    found = {row["id"]: [said["seq"] for said in row["messages"]] for row in map(json.loads, lines)}
    assert found.keys() == ids
    assert sorted(found.values()) == [list(range(1, count + 1)) for count in (0, 1, 3, 5, 7)]
    assert largest < BYTES + 5_000


# --- What PostgreSQL does for it -------------------------------------------------------------------------


def plan(statement: str, **params: Any) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {statement}", {"bytes": PAGE_BYTES} | params)
        return "\n".join(line for (line,) in cursor.fetchall())


def analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE message")


@pytest.mark.parametrize("statement", [sql.TRANSCRIPT, sql.TREE], ids=["transcript", "tree"])
def test_messages_beyond_a_page_are_not_turned_into_json(statement: str, alice: User) -> None:
    id = stored(alice, [LARGE] * 1_000)
    analyze()
    shown = plan(statement, user=alice.pk, conversation=id, after=0, limit=1_001, bytes=BYTES)
    loops = [int(count) for count in re.findall(r"Result .*loops=(\d+)", shown)]
    assert loops and max(loops) < 10, shown
    assert "Sort Key: m.seq" not in shown


def test_counting_alternatives_uses_an_index(alice: User) -> None:
    """A page of 100 costs the same in a conversation of 5,000 messages as in one of 200."""
    pages = []
    for count in (200, 5_000):
        id = stored(alice, [SMALL] * count)
        analyze()
        shown = plan(sql.TREE, user=alice.pk, conversation=id, after=50, limit=101)
        pages.append(int(re.findall(r"Buffers: shared hit=(\d+)", shown)[0]))
    assert pages[1] < 2 * pages[0], shown
    assert Conversation.objects.count() == 2
