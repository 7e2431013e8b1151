"""/conversations/ and /conversations/{id}/: create, read, update, trash, restore, purge."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from conversations.models import Conversation, Message, Reaction
from testing.api_client import ApiClient
from testing.shapes import TIME

EMPTY = {
    "external_id": None,
    "source": "native",
    "title_is_auto": True,
    "model": "",
    "notebooks": [],
    "tags": [],
    "metadata": {},
    "is_pinned": False,
    "is_archived": False,
    "model_options": {},
    "archived_at": None,
    "deleted_at": None,
    "message_count": 0,
    "preview": "",
    "prompt_tokens": 0,
    "completion_tokens": 0,
}
TIMES = ("created_at", "updated_at", "active_at")
EVERYTHING = {
    "external_id": "mine-1",
    "title": " Zebras \n",
    "model": "gpt-5",
    "notebooks": ["Animals", "Work"],
    "tags": ["b", "a"],
    "metadata": {"a": [1, 2.5, None, {"b": True}], "": "é"},
    "is_pinned": True,
    "is_archived": True,
    "model_options": {"system_prompt": "Be brief.", "temperature": 0.5},
}


def without_times(row: dict[str, Any]) -> dict[str, Any]:
    """Return the row without its id and times, after checking their format."""
    assert all(TIME.fullmatch(row[name]) for name in TIMES)
    return {name: value for name, value in row.items() if name not in ("id", *TIMES)}


def post(client: ApiClient, path: str = "conversations/", body: Any = None, status: int = 201) -> Any:
    return client("POST", path, body or {}, status=status)


def test_an_empty_conversation_has_the_date_as_its_title(as_either: ApiClient) -> None:
    created = post(as_either)
    assert without_times(created) == EMPTY | {"title": f"New Chat {datetime.now(UTC):%Y-%m-%d}"}
    assert created["created_at"] == created["updated_at"] == created["active_at"]
    assert list(created) == list(as_either("GET", f"conversations/{created['id']}/"))


def test_a_post_without_a_body_creates_an_empty_conversation(as_alice: ApiClient) -> None:
    assert as_alice("POST", "conversations/", status=201)["message_count"] == 0


def test_all_writable_fields_are_stored(as_either: ApiClient) -> None:
    created = post(as_either, body=EVERYTHING)
    assert TIME.fullmatch(created["archived_at"])
    assert without_times(created) == EMPTY | EVERYTHING | {
        "title_is_auto": False,
        "archived_at": created["archived_at"],
    }


def test_the_first_messages_set_title_preview_and_counts(as_either: ApiClient) -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "  What is\na zebra?", "prompt_tokens": 7},
        {"role": "assistant", "content": "A  striped\nhorse.", "prompt_tokens": 1, "completion_tokens": 3},
    ]
    created = post(as_either, body={"messages": messages})
    found = {"title": "What is", "preview": "A striped horse.", "message_count": 3}
    assert without_times(created) == EMPTY | found | {"prompt_tokens": 8, "completion_tokens": 3}
    rows = as_either("GET", f"conversations/{created['id']}/messages/")["results"]
    assert [(row["role"], row["content"]) for row in rows] == [(m["role"], m["content"]) for m in messages]


def test_a_long_first_line_is_shortened_with_an_ellipsis(as_alice: ApiClient) -> None:
    exact, long = "x" * 80, "y" * 81
    assert post(as_alice, body={"messages": [{"role": "user", "content": exact}]})["title"] == exact
    assert post(as_alice, body={"messages": [{"role": "user", "content": long}]})["title"] == "y" * 80 + "..."


def test_an_invalid_message_stores_nothing(as_alice: ApiClient) -> None:
    messages = [{"role": "user", "content": "a"}, {"role": "king", "content": "b"}]
    assert as_alice.refusal("POST", "conversations/", {"messages": messages}, status=400) == (
        "invalid_choice",
        "messages[1].role",
    )
    assert not Conversation.objects.exists() and not Message.objects.exists()


def test_two_first_messages_with_the_same_external_id_are_refused(as_alice: ApiClient) -> None:
    messages = [{"role": "user", "content": text, "external_id": "m"} for text in "ab"]
    code, field = as_alice.refusal("POST", "conversations/", {"messages": messages}, status=409)
    assert (code, field) == ("conflict", "external_id")
    assert not Conversation.objects.exists()


def test_a_post_with_the_same_external_id_returns_the_stored_conversation(as_alice: ApiClient) -> None:
    body = {"external_id": "x", "messages": [{"role": "user", "content": "Hi"}]}
    created = post(as_alice, body=body)
    assert post(as_alice, body=body, status=200) == created
    # A retry is compared with the original request, not with the current state.
    as_alice("PATCH", f"conversations/{created['id']}/", {"title": "Else"})
    assert post(as_alice, body=body, status=200)["title"] == "Else"
    assert Conversation.objects.count() == 1


def test_a_post_with_the_same_external_id_and_other_fields_is_a_conflict(as_alice: ApiClient) -> None:
    post(as_alice, body={"external_id": "x"})
    body = {"external_id": "x", "title": "Else"}
    assert as_alice.refusal("POST", "conversations/", body, status=409) == ("conflict", "external_id")


def test_two_users_can_use_the_same_external_id(as_alice: ApiClient, as_bob: ApiClient) -> None:
    assert post(as_alice, body={"external_id": "x"})["id"] != post(as_bob, body={"external_id": "x"})["id"]


def test_a_patch_changes_only_the_given_fields(as_either: ApiClient) -> None:
    created = post(as_either, body=EVERYTHING)
    changed = as_either("PATCH", f"conversations/{created['id']}/", {"tags": ["c", "c", "d"], "is_archived": False})
    assert changed == as_either("GET", f"conversations/{created['id']}/")
    assert changed.pop("updated_at") > created.pop("updated_at")
    assert changed == created | {"tags": ["c", "d"], "is_archived": False, "archived_at": None}


def test_a_given_title_is_not_automatic(as_alice: ApiClient) -> None:
    created = post(as_alice)
    changed = as_alice("PATCH", f"conversations/{created['id']}/", {"title": "Mine"})
    assert (changed["title"], changed["title_is_auto"]) == ("Mine", False)
    post(as_alice, f"conversations/{created['id']}/messages/", {"role": "user", "content": "Something else"})
    assert as_alice("GET", f"conversations/{created['id']}/")["title"] == "Mine"


def test_a_put_resets_omitted_fields_to_their_defaults(as_either: ApiClient) -> None:
    created = post(as_either, body=EVERYTHING)
    put = as_either("PUT", f"conversations/{created['id']}/", {"model": "other"})
    kept = {"external_id": "mine-1", "title": " Zebras \n", "title_is_auto": False, "model": "other"}
    assert without_times(put) == EMPTY | kept


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_response_can_be_sent_back_unchanged(method: str, as_either: ApiClient) -> None:
    created = post(as_either, body=EVERYTHING)
    sent_back = as_either(method, f"conversations/{created['id']}/", created)
    assert sent_back | {"updated_at": ""} == created | {"updated_at": ""}


def test_archiving_again_keeps_the_archive_date(as_alice: ApiClient) -> None:
    created = post(as_alice, body={"is_archived": True})
    archived_again = as_alice("PATCH", f"conversations/{created['id']}/", {"is_archived": True})
    assert archived_again["archived_at"] == created["archived_at"]


def test_delete_trashes_and_restore_restores(as_either: ApiClient) -> None:
    created = post(as_either, body={"messages": [{"role": "user", "content": "Hi"}]})
    path = f"conversations/{created['id']}/"
    as_either("DELETE", path, status=204)
    for method, route, body in [
        ("GET", path, {}),
        ("PATCH", path, {}),
        ("PUT", path, {}),
        ("DELETE", path, {}),
        ("GET", f"{path}messages/", {}),
        ("POST", f"{path}messages/", {"role": "user", "content": "x"}),
        ("PUT", f"{path}messages/", []),
        ("GET", f"{path}history/", {}),
    ]:
        assert as_either.refusal(method, route, body, status=404) == ("not_found", None)
    (trashed,) = as_either("GET", "conversations/?trashed=true")["results"]
    assert TIME.fullmatch(trashed["deleted_at"])
    restored = as_either("POST", f"{path}restore/")
    assert without_times(restored) == without_times(created)
    assert as_either.refusal("POST", f"{path}restore/", status=404) == ("not_found", None)


def test_restoring_a_conversation_whose_external_id_is_taken_is_a_conflict(as_alice: ApiClient) -> None:
    created = post(as_alice, body={"external_id": "x"})
    as_alice("DELETE", f"conversations/{created['id']}/", status=204)
    post(as_alice, body={"external_id": "x", "title": "Another"})
    path = f"conversations/{created['id']}/restore/"
    assert as_alice.refusal("POST", path, status=409) == ("conflict", "external_id")


@pytest.mark.parametrize("trashed_first", [True, False])
def test_a_permanent_delete_deletes_all_rows(trashed_first: bool, as_either: ApiClient) -> None:
    created = post(as_either, body={"messages": [{"role": "user", "content": "Hi"}]})
    message = as_either("GET", f"conversations/{created['id']}/messages/")["results"][0]
    post(as_either, f"messages/{message['id']}/reactions/", {"type": "like"})
    if trashed_first:
        as_either("DELETE", f"conversations/{created['id']}/", status=204)
    as_either("DELETE", f"conversations/{created['id']}/?permanent=true", status=204)
    assert not any(model.objects.exists() for model in (Conversation, Message, Reaction))
    assert as_either.refusal("DELETE", f"conversations/{created['id']}/?permanent=true", status=404)


def test_permanent_is_true_or_false(as_alice: ApiClient) -> None:
    created = post(as_alice)
    for value in ("1", "True", "", "yes"):
        path = f"conversations/{created['id']}/?permanent={value}"
        assert as_alice.refusal("DELETE", path, status=400) == ("invalid", "permanent")
    as_alice("DELETE", f"conversations/{created['id']}/?permanent=false", status=204)
    assert Conversation.objects.exists()


# --- The list ---------------------------------------------------------------------------------------


def titles(client: ApiClient, query: str = "") -> list[str]:
    return [row["title"] for row in client("GET", f"conversations/{query}")["results"]]


def test_the_list_is_ordered_by_activity(as_either: ApiClient) -> None:
    ids = {title: post(as_either, body={"title": title})["id"] for title in "abc"}
    assert titles(as_either) == ["c", "b", "a"]
    post(as_either, f"conversations/{ids['a']}/messages/", {"role": "user", "content": "Hi"})
    assert titles(as_either) == ["a", "c", "b"]
    as_either("PATCH", f"conversations/{ids['b']}/", {"is_pinned": True})
    assert titles(as_either) == ["a", "c", "b"]


def test_a_conversation_in_the_list_equals_the_single_conversation(as_either: ApiClient) -> None:
    created = post(as_either, body=EVERYTHING | {"is_archived": False})
    assert as_either("GET", "conversations/") == {"results": [created], "next": None}
    assert as_either("GET", f"conversations/{created['id']}/") == created


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "plain model notebook pinned tag"),
        ("?archived=false", "plain model notebook pinned tag"),
        ("?archived=true", "archived"),
        ("?archived=any", "archived plain model notebook pinned tag"),
        ("?archived=", "plain model notebook pinned tag"),
        ("?trashed=", "plain model notebook pinned tag"),
        ("?trashed=true", "trashed trashed-archived"),
        ("?trashed=true&archived=false", "trashed"),
        ("?external_id=x-2", "archived"),
        ("?external_id=x-2&archived=false", ""),
        ("?trashed=false&archived=true", "archived"),
        ("?pinned=true", "pinned"),
        ("?pinned=false", "plain model notebook tag"),
        ("?tag=a", "tag"),
        ("?tag=A", ""),
        ("?tag=a%20b", "tag"),
        ("?notebook=Work", "notebook"),
        ("?model=gpt-5", "model"),
        ("?external_id=x-1", "plain"),
        ("?external_id=x", ""),
        ("?metadata=%7B%22k%22%3A%7B%22deep%22%3A1%7D%7D", "model"),
        ("?metadata=%7B%22k%22%3A%7B%7D%7D", "model"),
        ("?metadata=%7B%7D", "plain model notebook pinned tag"),
        ("?metadata=%7B%22k%22%3A2%7D", ""),
        ("?updated_after=2000-01-01T00:00:00Z", "plain model notebook pinned tag"),
        ("?updated_before=2000-01-01T00:00:00Z", ""),
        ("?tag=a&pinned=true", ""),
    ],
)
def test_each_filter_selects_conversations(query: str, found: str, as_alice: ApiClient, as_bob: ApiClient) -> None:
    for title, more in {
        "plain": {"external_id": "x-1"},
        "archived": {"is_archived": True, "external_id": "x-2"},
        "trashed": {},
        "trashed-archived": {"is_archived": True},
        "pinned": {"is_pinned": True},
        "tag": {"tags": ["a", "a b", "c"]},
        "notebook": {"notebooks": ["Work"]},
        "model": {"model": "gpt-5", "metadata": {"k": {"deep": 1, "more": 2}}},
    }.items():
        id = post(as_alice, body={"title": title, **more})["id"]
        post(as_bob, body={"title": "of a stranger", **more})
        if title.startswith("trashed"):
            as_alice("DELETE", f"conversations/{id}/", status=204)
    assert sorted(titles(as_alice, query)) == sorted(found.split())


def test_a_time_filter_is_exact_to_the_microsecond(as_alice: ApiClient) -> None:
    created = post(as_alice)
    moment = created["updated_at"]
    assert titles(as_alice, f"?updated_after={moment}") == titles(as_alice, f"?updated_before={moment}") == []
    earlier = datetime.fromisoformat(moment) - timedelta(microseconds=1)
    assert len(titles(as_alice, f"?updated_after={earlier:%Y-%m-%dT%H:%M:%S.%f}Z")) == 1


@pytest.mark.parametrize(
    "query",
    [
        "archived=maybe", "trashed=1", "pinned=True", "metadata=%5B1%5D", "metadata=junk", "metadata=%7B%22a%22:NaN%7D",
        "updated_after=yesterday", "updated_before=2026-13-01T00:00:00Z", "updated_after=0000-01-01T00:00:00Z",
        "tag=%00", "external_id=a%00b", "shoe_size=44", "user=1", "ordering=title", "metadata=" + "%5B" * 2000,
    ],
)  # fmt: skip
def test_an_invalid_filter_is_a_400_with_its_name(query: str, as_alice: ApiClient) -> None:
    assert as_alice.refusal("GET", f"conversations/?{query}", status=400)[1] == query.partition("=")[0]


# --- Pages ------------------------------------------------------------------------------------------


def fill(as_alice: ApiClient, count: int) -> list[str]:
    """Create conversations, of which every three have the same active_at. Return their ids, newest first."""
    user = as_alice.token.user
    now = timezone.now()
    rows = [
        Conversation(user=user, title=str(i), created_at=now, updated_at=now, active_at=now - timedelta(seconds=i // 3))
        for i in range(count)
    ]
    Conversation.objects.bulk_create(rows)
    rows.sort(key=lambda row: (row.active_at, row.id), reverse=True)
    return [str(row.id) for row in rows]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 20, 100])
def test_pages_have_each_row_once_in_order_with_equal_times(limit: int, as_alice: ApiClient) -> None:
    ids = fill(as_alice, 23)
    assert [row["id"] for row in as_alice.pages(f"conversations/?limit={limit}")] == ids


def test_a_full_last_page_has_no_next(as_alice: ApiClient) -> None:
    fill(as_alice, 20)
    assert as_alice("GET", "conversations/")["next"] is None


def test_new_rows_do_not_change_the_following_pages(as_alice: ApiClient) -> None:
    ids = fill(as_alice, 9)
    page = as_alice("GET", "conversations/?limit=4")
    post(as_alice)
    as_alice("DELETE", f"conversations/{ids[5]}/", status=204)
    rest = as_alice.pages(page["next"])
    assert [row["id"] for row in [*page["results"], *rest]] == [id for id in ids if id != ids[5]]


def test_next_keeps_the_filters(as_alice: ApiClient) -> None:
    fill(as_alice, 5)
    for title in "abc":
        post(as_alice, body={"title": title, "tags": ["é&x"]})
    found = [row["title"] for row in as_alice.pages("conversations/?tag=%C3%A9%26x&limit=1")]
    assert found == ["c", "b", "a"]


@pytest.mark.parametrize(
    "limit", ["0", "-1", "101", "1000000000", "abc", "", "1.5", "%31%00", "%D9%A3", "1e1", "0" * 9 + "1" + "9" * 30,
              "0" * 9 + "1" + "0" * 5000, "0000000001000"],
)  # fmt: skip
def test_a_limit_out_of_range_is_a_400(limit: str, as_alice: ApiClient) -> None:
    assert as_alice.refusal("GET", f"conversations/?limit={limit}", status=400) == ("invalid", "limit")
