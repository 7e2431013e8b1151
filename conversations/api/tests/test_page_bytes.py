"""The size of a page of messages is bounded in bytes, and `next` leads to the rest."""

import io
import json
import re
import zipfile
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from conversations import querysets, sql
from conversations.models import Conversation, Message
from conversations.querysets import PAGE_BYTES
from conversations.services import conversations
from testing.api_client import ApiClient
from transfer.exporters import archive

BYTES = 10_000  # the limit of a page in these tests
LARGE = {"role": "user", "content": "x" * 4_000}
SMALL = {"role": "user", "content": "y"}


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(querysets, "PAGE_BYTES", BYTES)


def create(user: User, drafts: list[Any]) -> str:
    return str(conversations.create(user=user, fields={}, drafts=drafts)[0].id)


def page_sizes(api_client: ApiClient, path: str) -> list[int]:
    """Return the number of messages on each page. Assert that no page exceeds the limit before its last message."""
    sizes, seqs = [], []
    url: str | None = path
    while url:
        page = api_client("GET", url)
        assert len(json.dumps(page["results"][:-1])) < BYTES
        sizes.append(len(page["results"]))
        seqs += [row["seq"] for row in page["results"]]
        url = page["next"]
    assert seqs == list(range(1, len(seqs) + 1))
    return sizes


def test_many_copies_of_a_large_message_do_not_cause_a_large_response(alice: User) -> None:
    api_client = ApiClient(alice)
    chat = api_client("POST", "conversations/", {}, status=201)["id"]
    large = {"role": "user", "content": "x" * 999_000, "reasoning": "y" * 999_000, "parts": ["z" * 999_000]}
    id = api_client("POST", f"conversations/{chat}/messages/", large, status=201)["id"]
    for _ in range(7):
        api_client("PATCH", f"messages/{id}/?branch=true", {}, status=201)
    url, rows = f"conversations/{chat}/messages/?all=true&limit=1000", 0
    while url:
        page = api_client("GET", url)
        assert len(api_client.content) < PAGE_BYTES + 4_000_000
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
def test_a_page_ends_at_its_limit_of_rows_or_of_bytes(
    query: str, drafts: list[Any], limit: int, sizes: list[int], alice: User
) -> None:
    path = f"conversations/{create(alice, drafts)}/messages/?limit={limit}{query}"
    assert page_sizes(ApiClient(alice), path) == sizes


@pytest.mark.usefixtures("small_pages")
def test_the_response_to_a_sync_is_a_page_of_bounded_size(alice: User) -> None:
    api_client = ApiClient(alice)
    answer = api_client("PUT", f"conversations/{create(alice, [])}/messages/", [LARGE] * 5)
    assert len(answer["results"]) == 3
    assert len(api_client("GET", answer["next"])["results"]) == 2


@pytest.mark.usefixtures("small_pages")
def test_the_context_of_a_model_has_the_newest_messages_up_to_the_limit_of_bytes(alice: User) -> None:
    drafts = [LARGE | {"content": f"{number} {'x' * 4_000}"} for number in range(5)]
    answer = ApiClient(alice)("GET", f"conversations/{create(alice, drafts)}/history/?limit=1000")
    assert [row["content"][0] for row in answer] == ["2", "3", "4"]


@pytest.mark.usefixtures("small_pages")
def test_a_replay_whose_messages_no_longer_fit_into_one_page_is_a_conflict(alice: User) -> None:
    api_client = ApiClient(alice)
    path = f"conversations/{create(alice, [])}/messages/"
    drafts = [SMALL | {"external_id": str(number)} for number in range(4)]
    sent = api_client("POST", path, drafts, status=201)
    assert api_client("POST", path, drafts) == sent
    for row in sent:
        api_client("PATCH", f"messages/{row['id']}/", {"content": LARGE["content"]})
    assert api_client.refusal("POST", path, drafts, status=409) == ("conflict", None)


@pytest.mark.usefixtures("small_pages")
def test_an_export_reads_small_batches_and_is_complete(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    drafts = [LARGE] * 7
    ids = {create(alice, drafts[:count]) for count in (7, 0, 1, 3, 5)}
    largest = 0
    exported = querysets.MessageQuerySet.exported

    def measuring(*arguments: Any, **more: Any) -> Any:
        nonlocal largest
        rows = exported(*arguments, **more)
        largest = max(largest, sum(len(text or "") for _, text in rows))
        return rows

    monkeypatch.setattr(querysets.MessageQuerySet, "exported", measuring)
    zipped = b"".join(archive.stream(user=alice, account=b"{}"))
    lines = zipfile.ZipFile(io.BytesIO(zipped)).read("conversations.jsonl").splitlines()
    seqs = {row["id"]: [message["seq"] for message in row["messages"]] for row in map(json.loads, lines)}
    assert seqs.keys() == ids
    assert sorted(seqs.values()) == [list(range(1, count + 1)) for count in (0, 1, 3, 5, 7)]
    assert largest < BYTES + 5_000


# --- Query plans ----------------------------------------------------------------------------------------


def plan(statement: str, **params: Any) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {statement}", {"bytes": PAGE_BYTES} | params)
        return "\n".join(line for (line,) in cursor.fetchall())


def analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE message")


@pytest.mark.parametrize(
    "statement",
    [sql.TRANSCRIPT, sql.TREE, sql.TRANSCRIPT_BEFORE, sql.TREE_BEFORE],
    ids=["transcript", "tree", "transcript backwards", "tree backwards"],
)
def test_only_the_messages_of_the_page_are_converted_to_json(statement: str, alice: User) -> None:
    id = create(alice, [LARGE] * 1_000)
    analyze()
    explained = plan(statement, user=alice.pk, conversation=id, after=0, before=1_001, limit=1_001, bytes=BYTES)
    loops = [int(count) for count in re.findall(r"Result .*loops=(\d+)", explained)]
    assert loops and max(loops) < 10, explained
    assert "Sort Key: m.seq" not in explained


def test_counting_siblings_uses_an_index(alice: User) -> None:
    """With 25 times as many messages in the conversation, a page reads less than twice as many buffers."""
    pages = []
    for count in (200, 5_000):
        id = create(alice, [SMALL] * count)
        analyze()
        explained = plan(sql.TREE, user=alice.pk, conversation=id, after=50, limit=101)
        pages.append(int(re.findall(r"Buffers: shared hit=(\d+)", explained)[0]))
    assert pages[1] < 2 * pages[0], explained
    assert Conversation.objects.count() == 2


@pytest.mark.parametrize("parent", [None, 1])
def test_many_alternatives_cost_a_page_no_more_than_its_limit_allows(parent: int | None, alice: User) -> None:
    """With four times as many alternatives of each message, a page reads about as many buffers."""
    pages = []
    for count in (2_000, 8_000):
        id = create(alice, [SMALL] * count)
        Message.objects.filter(conversation=id, seq__gt=1).update(parent_seq=parent)
        Conversation.objects.filter(pk=id).update(message_count=1)
        analyze()
        explained = plan(sql.TREE, user=alice.pk, conversation=id, after=500, limit=51)
        pages.append(int(re.findall(r"Buffers: shared hit=(\d+)", explained)[0]))
    assert pages[1] < 1.5 * pages[0], explained
