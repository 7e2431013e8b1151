"""/conversations/{id}/messages/ backwards: the last page, a page around a message, and `previous`."""

import random
from typing import Any

import pytest

from accounts.models import User
from chatstore.api.pagination import encode
from conversations import querysets
from conversations.services import conversations
from testing.api_client import ApiClient
from testing.cast import create_conversation, message_with_text, random_change
from testing.statements import assert_statement_count


@pytest.fixture
def path(alice: User) -> str:
    """The path of the messages "1" to "10"."""
    chat = create_conversation(alice, *map(str, range(1, 11)))
    return f"conversations/{chat.id}/messages/"


def texts(page: dict[str, Any]) -> list[str]:
    return [row["content"] for row in page["results"]]


def numbers(first: int, last: int) -> list[str]:
    return [str(number) for number in range(first, last + 1)]


def id_of(client: ApiClient, path: str, text: str) -> str:
    rows = client("GET", f"{path}?all=true&limit=1000")["results"]
    return str(next(row["id"] for row in rows if row["content"] == text))


def walk(client: ApiClient, page: dict[str, Any], link: str) -> list[int]:
    """Follow the links `next` or `previous` to the end. Return the `seq` of each message, in order."""
    seqs = [row["seq"] for row in page["results"]]
    while url := page[link]:
        page = client("GET", url)
        found = [row["seq"] for row in page["results"]]
        seqs = seqs + found if link == "next" else found + seqs
    return seqs


# --- The last page ------------------------------------------------------------------------------------


def test_the_last_page_has_the_newest_messages_in_order(as_either: ApiClient, path: str) -> None:
    page = as_either("GET", f"{path}?at=end&limit=3")
    assert texts(page) == numbers(8, 10)
    assert page["next"] is None
    assert texts(as_either("GET", page["previous"])) == numbers(5, 7)


def test_the_last_page_of_a_short_conversation_is_the_whole_conversation(as_either: ApiClient, path: str) -> None:
    assert as_either("GET", f"{path}?at=end") == as_either("GET", path)
    empty = as_either("POST", "conversations/", {}, status=201)["id"]
    page = as_either("GET", f"conversations/{empty}/messages/?at=end")
    assert page == {"results": [], "next": None, "previous": None}


def test_previous_and_next_lead_to_the_pages_on_both_sides(as_either: ApiClient, path: str) -> None:
    first = as_either("GET", f"{path}?limit=4")
    assert first["previous"] is None
    second = as_either("GET", first["next"])
    assert texts(as_either("GET", second["previous"])) == texts(first)
    assert texts(as_either("GET", as_either("GET", second["previous"])["next"])) == texts(second)


def test_messages_that_are_appended_later_follow_a_page_before_the_last_one(as_either: ApiClient, path: str) -> None:
    page = as_either("GET", as_either("GET", f"{path}?at=end&limit=3")["previous"])
    as_either("POST", path, {"role": "user", "content": "11"}, status=201)
    assert walk(as_either, page, "next") == list(range(5, 12))


def test_the_whole_tree_can_be_read_backwards(as_either: ApiClient, path: str) -> None:
    as_either("PATCH", f"messages/{id_of(as_either, path, '2')}/?branch=true", {"content": "two"}, status=201)
    page = as_either("GET", f"{path}?at=end&limit=4&all=true")
    assert texts(page) == ["8", "9", "10", "two"]
    assert "sibling_count" in page["results"][0]
    assert walk(as_either, page, "previous") == list(range(1, 12))
    assert texts(as_either("GET", f"{path}?at=end&limit=4")) == ["1", "two"]


# --- A page around a message --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "limit", "expected"),
    [("5", 4, (3, 6)), ("5", 5, (3, 7)), ("5", 1, (5, 5)), ("1", 4, (1, 4)), ("10", 4, (8, 10)), ("2", 100, (1, 10))],
)
def test_a_page_around_a_message_has_up_to_half_of_its_messages_before_it(
    at: str, limit: int, expected: tuple[int, int], as_either: ApiClient, path: str
) -> None:
    page = as_either("GET", f"{path}?at={id_of(as_either, path, at)}&limit={limit}")
    assert texts(page) == numbers(*expected)
    assert walk(as_either, page, "next") == list(range(expected[0], 11))
    assert walk(as_either, page, "previous") == list(range(1, expected[1] + 1))


def test_a_message_on_another_branch_is_a_conflict_until_its_branch_is_displayed(
    as_either: ApiClient, path: str
) -> None:
    id = id_of(as_either, path, "5")
    as_either("PATCH", f"messages/{id_of(as_either, path, '4')}/?branch=true", {"content": "four"}, status=201)
    assert as_either.refusal("GET", f"{path}?at={id}", status=409) == ("conflict", "at")
    assert "branch" in as_either.text
    assert texts(as_either("GET", f"{path}?at={id}&limit=2&all=true")) == ["4", "5"]
    as_either("POST", path.replace("messages", "branch"), {"message_id": id})
    assert texts(as_either("GET", f"{path}?at={id}&limit=2")) == ["4", "5"]


def test_a_message_that_is_not_in_the_conversation_is_not_found(as_either: ApiClient, path: str, bob: User) -> None:
    other = as_either("POST", "conversations/", {"messages": [{"role": "user", "content": "x"}]}, status=201)["id"]
    foreign = id_of(as_either, f"conversations/{other}/messages/", "x")
    trashed = id_of(as_either, path, "3")
    as_either("DELETE", f"messages/{trashed}/", status=204)
    his = message_with_text(create_conversation(bob, "His"), "His").id
    for id in (foreign, trashed, his, "00000000-0000-7000-8000-000000000000"):
        for more in ("", "&all=true"):
            assert as_either.refusal("GET", f"{path}?at={id}{more}", status=404) == ("not_found", None)


def test_a_stranger_finds_no_page(path: str, alice: User, bob: User) -> None:
    id = id_of(ApiClient(alice), path, "5")
    for query in ("at=end", f"at={id}", "at=end&all=true"):
        ApiClient(bob).refusal("GET", f"{path}?{query}", status=404)


@pytest.mark.parametrize("at", ["", "start", "5", "END", "%00"])
def test_another_place_is_refused(at: str, as_either: ApiClient, path: str) -> None:
    assert as_either.refusal("GET", f"{path}?at={at}", status=400) == ("invalid", "at")


def test_a_cursor_and_a_place_cannot_be_combined(as_either: ApiClient, path: str) -> None:
    url = as_either("GET", f"{path}?limit=3")["next"]
    assert as_either.refusal("GET", f"{url}&at=end", status=400) == ("invalid", "at")


def test_a_cursor_with_another_direction_is_refused(as_either: ApiClient, path: str) -> None:
    kind = f"messages-{path.split('/')[1]}"
    for key in ([3, "up"], [3, None], [3, 1], [-1, "before"], [2**31, "before"], ["3", "before"], [3, "before", 1]):
        assert as_either.refusal("GET", f"{path}?cursor={encode(kind, key)}", status=400) == ("invalid", "cursor")


# --- Bounds -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 50])
def test_a_page_backwards_runs_one_statement_and_a_page_around_a_message_three(count: int, alice: User) -> None:
    chat = create_conversation(alice, *map(str, range(count)))
    path = f"conversations/{chat.id}/messages/"
    client = ApiClient(alice)
    last = client("GET", f"{path}?at=end&limit=1")
    with assert_statement_count(2):  # one finds the user of the token
        client("GET", f"{path}?at=end&limit=10")
    if last["previous"]:
        with assert_statement_count(2):
            client("GET", last["previous"])
    with assert_statement_count(4):
        client("GET", f"{path}?at={last['results'][0]['id']}&limit=10")


def test_the_limit_of_bytes_keeps_the_messages_at_the_right_end(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(querysets, "PAGE_BYTES", 10_000)
    drafts = [{"role": "user", "content": "x" * 4_000}] * 7
    chat, _ = conversations.create(user=alice, fields={}, drafts=drafts)
    client, path = ApiClient(alice), f"conversations/{chat.id}/messages/"
    page = client("GET", f"{path}?at=end")
    assert [row["seq"] for row in page["results"]] == [5, 6, 7]
    page = client("GET", page["previous"])
    assert [row["seq"] for row in page["results"]] == [2, 3, 4]
    assert walk(client, page, "previous") == [1, 2, 3, 4]
    around = client("GET", f"{path}?at={page['results'][1]['id']}")
    assert [row["seq"] for row in around["results"]] == [1, 2, 3, 4][-len(around["results"]) :]


# --- Random conversations -----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(8))
def test_both_directions_read_the_same_messages_after_random_operations(
    seed: int, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(querysets, "PAGE_BYTES", 10_000)
    dice = random.Random(seed)
    chat = create_conversation(alice)
    for _ in range(25):
        random_change(chat, dice)
    client, path = ApiClient(alice), f"conversations/{chat.id}/messages/"
    for query, rows in ("limit=3", chat.messages.shown()), ("limit=4&all=true", chat.messages.in_order()):
        expected = list(rows.values_list("seq", flat=True))
        assert walk(client, client("GET", f"{path}?{query}"), "next") == expected
        assert walk(client, client("GET", f"{path}?{query}&at=end"), "previous") == expected
        for message in dice.sample(list(rows), min(3, len(expected))):
            page = client("GET", f"{path}?{query}&at={message.id}")
            assert message.seq in [row["seq"] for row in page["results"]]
            older, newer = walk(client, page, "previous"), walk(client, page, "next")
            assert older + newer[len(page["results"]) :] == expected
