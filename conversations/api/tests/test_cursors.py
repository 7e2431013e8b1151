"""A cursor is opaque and valid for one list only. The server checks it."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from chatstore.api.pagination import encode
from testing.api_client import ApiClient

ID = "0190163d-8694-739b-aea5-966c26f8ad90"
TIME = "2026-01-01T00:00:00.000000Z"
LISTS = (
    "conversations/",
    "conversations/{id}/messages/",
    "search/?q=word",
    "search/?q=word&sort=relevance",
    "shares/",
    "conversations/{id}/shares/",
)
KINDS = ("conversations", "messages-{id}", "search-recent", "search-relevance", "shares", "shares-{id}")


@pytest.fixture
def as_alice(as_alice: ApiClient) -> ApiClient:
    for number in range(3):
        messages = [{"role": "user", "content": f"word {number}"}] * 3
        body = {"messages": messages, "external_id": str(number)}
        id = as_alice("POST", "conversations/", body, status=201)["id"]
        for _ in range(2):
            as_alice("POST", f"conversations/{id}/shares/", {}, status=201)
    return as_alice


def path_of(api_client: ApiClient, listed: str, external_id: str = "0") -> str:
    found = api_client("GET", f"conversations/?external_id={external_id}")["results"]
    return listed.replace("{id}", found[0]["id"])


def with_cursor(path: str, cursor: str, **more: str) -> str:
    return path + ("&" if "?" in path else "?") + "&".join([f"cursor={cursor}", *(f"{k}={v}" for k, v in more.items())])


def cursor_of(api_client: ApiClient, path: str) -> str:
    following = api_client("GET", path + ("&" if "?" in path else "?") + "limit=1")["next"]
    return parse_qs(urlsplit(following).query)["cursor"][0]


@pytest.mark.parametrize("listed", LISTS)
def test_a_cursor_of_another_list_is_a_400(listed: str, as_alice: ApiClient) -> None:
    for other in LISTS:
        cursor = cursor_of(as_alice, path_of(as_alice, other))
        path = with_cursor(path_of(as_alice, listed), cursor)
        if other == listed:
            as_alice("GET", path)
        else:
            assert as_alice.refusal("GET", path, status=400) == ("invalid", "cursor")


def test_a_cursor_of_another_conversation_is_a_400(as_alice: ApiClient) -> None:
    path = with_cursor(path_of(as_alice, LISTS[1]), cursor_of(as_alice, path_of(as_alice, LISTS[1], "1")))
    assert as_alice.refusal("GET", path, status=400) == ("invalid", "cursor")


def forged_keys() -> list[list[Any]]:
    """Return decoded cursors with wrong values, or with a wrong number of values."""
    junk: list[Any] = [
        None, True, "", "x", "5", -1, 0, 1.5, 2**31, 2**63 - 1, 1e308, [], {}, [1], "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00+23:59", "2026-01-01", "2026-01-01T00:00:00", "2026-01-01T00:00:00+00:00:00.5", "\0", TIME,
    ]  # fmt: skip
    pairs = [[one, ID] for one in junk] + [[TIME, one] for one in junk] + [[0.5, one] for one in junk]
    return [[], [1, 2, 3, 4], *[[value] for value in junk], *pairs, *[[*pair, False] for pair in pairs]]


@pytest.mark.parametrize("listed", LISTS)
def test_a_forged_cursor_is_a_200_or_a_400(listed: str, as_alice: ApiClient) -> None:
    path = path_of(as_alice, listed)
    id = path_of(as_alice, "{id}")
    kinds = dict(zip(LISTS, KINDS, strict=True))
    for key in forged_keys():
        url = with_cursor(path, encode(kinds[listed].format(id=id), key))
        answer = as_alice.client.get("/api/v1/" + url, headers=as_alice.headers)
        assert answer.status_code in (200, 400), (key, answer.status_code)
        if answer.status_code == 400:
            assert answer.json()["error"]["field"] == "cursor"


@pytest.mark.parametrize("listed", LISTS)
def test_a_malformed_cursor_is_a_400(listed: str, as_alice: ApiClient) -> None:
    for cursor in ["", "x", "%00", "%ff", "bnVsbA", "W10", "W1td", "e30", "A" * 5000, "%C3%A9", "====", "IiI"]:
        path = with_cursor(path_of(as_alice, listed), cursor)
        assert as_alice.refusal("GET", path, status=400) == ("invalid", "cursor")
