"""Saving whole histories in contract A: stored messages are kept, and the saved history is displayed."""

import copy
from itertools import chain
from typing import Any

import pytest

from testing.api_client import ApiClient
from testing.parallel import run_concurrently

from .helpers import HELLO, SESSIONS, Json, assistant, post, put, read, stored, system, texts, user

LONGER = [*HELLO, user("How are you?"), assistant("Well")]
OTHER = [*HELLO, user("Who are you?"), assistant("A program")]
TABS = 4


def times(rows: list[Any]) -> list[str]:
    return [row["created_at"] for row in rows]


def test_saving_an_unchanged_history_changes_nothing(as_alice: ApiClient) -> None:
    made = post(as_alice, [system("Be kind."), *LONGER, assistant("Very well", "Hm.")])
    before = stored(as_alice, made["id"])
    assert put(as_alice, made["id"], read(as_alice, made["id"])) == made
    assert as_alice("GET", SESSIONS) == [made]
    assert stored(as_alice, made["id"]) == before


def test_an_added_message_does_not_change_the_others(as_alice: ApiClient) -> None:
    id = post(as_alice, HELLO)["id"]
    as_alice("POST", f"messages/{stored(as_alice, id)[1]['id']}/reactions/", {"type": "like"}, status=201)
    before = stored(as_alice, id)
    assert before[1]["reactions"] == ["like"]
    put(as_alice, id, [*HELLO, user("How are you?")])
    assert stored(as_alice, id)[:2] == before
    assert texts(read(as_alice, id)) == ["Hello", "Hi there!", "How are you?"]


def test_a_history_that_differs_in_the_middle_becomes_a_branch(as_alice: ApiClient) -> None:
    id = post(as_alice, LONGER)["id"]
    was = stored(as_alice, id)
    assert put(as_alice, id, OTHER)["messageCount"] == 4
    assert read(as_alice, id) == OTHER
    rows = stored(as_alice, id)
    assert texts(rows) == ["Hello", "Hi there!", "How are you?", "Well", "Who are you?", "A program"]
    assert [row["is_active"] for row in rows] == [True, True, False, False, True, True]
    assert times(rows[:4]) == times(was)


def test_returning_to_an_older_branch_reuses_its_messages(as_alice: ApiClient) -> None:
    id = post(as_alice, LONGER)["id"]
    for history in (OTHER, LONGER, OTHER, LONGER):
        put(as_alice, id, history)
        assert read(as_alice, id) == history
    assert len(stored(as_alice, id)) == 6


@pytest.mark.parametrize("length", range(4))
def test_a_shorter_history_is_displayed_and_deletes_nothing(as_alice: ApiClient, length: int) -> None:
    id = post(as_alice, LONGER)["id"]
    assert put(as_alice, id, LONGER[:length])["messageCount"] == length
    assert read(as_alice, id) == LONGER[:length]
    assert texts(stored(as_alice, id)) == texts(LONGER)
    put(as_alice, id, LONGER)
    assert read(as_alice, id) == LONGER
    assert len(stored(as_alice, id)) == 4


def test_a_changed_system_prompt_is_edited_in_place(as_alice: ApiClient) -> None:
    id = post(as_alice, [system("Be kind."), *HELLO])["id"]
    before = stored(as_alice, id)
    rewritten = [system("Be brief."), *HELLO, user("How are you?")]
    put(as_alice, id, rewritten)
    assert read(as_alice, id) == rewritten
    rows = stored(as_alice, id)
    assert [row["id"] for row in rows[:3]] == [row["id"] for row in before] and len(rows) == 4
    assert rows[0]["content"] == "Be brief." and rows[1:3] == before[1:]


def test_a_streamed_reply_is_read_back_at_every_length(as_alice: ApiClient) -> None:
    id = post(as_alice, [user("Tell me")])["id"]
    for text, thinking in (("", ""), ("", "Hm"), ("Once", "Hm."), ("Once upon a time", "Hm.")):
        history = [user("Tell me"), assistant(text, thinking)]
        put(as_alice, id, history)
        assert read(as_alice, id) == history
    assert as_alice("GET", SESSIONS)[0]["messageCount"] == 2


def test_a_reply_with_other_thinking_is_another_message(as_alice: ApiClient) -> None:
    id = post(as_alice, [user("Hello"), assistant("Hi", "Short.")])["id"]
    put(as_alice, id, [user("Hello"), assistant("Hi", "Shorter.")])
    assert [row["reasoning"] for row in stored(as_alice, id)] == ["", "Short.", "Shorter."]


@pytest.mark.parametrize("sign_in", ["live"], indirect=True)
@pytest.mark.parametrize("first", [HELLO, []], ids=["a history", "an empty one"])
def test_no_history_is_lost_when_tabs_save_different_histories_at_once(as_alice: ApiClient, first: list[Json]) -> None:
    id = post(as_alice, first)["id"]
    ends = [[user(f"Tab {tab}"), assistant(f"Reply {tab}")] for tab in range(TABS)]
    histories = [first + end for end in ends]
    run_concurrently(
        *[lambda history=history: put(copy.copy(as_alice), id, history) for history in histories], connect=False
    )
    rows = stored(as_alice, id)
    assert sorted(texts(rows)) == sorted(texts([*first, *chain(*ends)]))
    assert read(as_alice, id) in histories
    for history in histories:
        put(as_alice, id, history)
        assert read(as_alice, id) == history
    assert len(stored(as_alice, id)) == len(rows)


@pytest.mark.parametrize("sign_in", ["live"], indirect=True)
def test_the_same_history_sent_by_several_tabs_at_once_is_stored_once(as_alice: ApiClient) -> None:
    id = post(as_alice, HELLO)["id"]
    run_concurrently(*[lambda: put(copy.copy(as_alice), id, LONGER)] * TABS, connect=False)
    assert texts(stored(as_alice, id)) == texts(LONGER)


# --- Messages from other APIs that this contract cannot show

CALL = {"id": "c1", "type": "function", "function": {"name": "clock", "arguments": "{}"}}
UNSEEN = [
    {"role": "developer", "content": "Be exact."},
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "content": "12:00", "tool_call_id": "c1"},
    {"role": "user", "content": None, "parts": [{"type": "image_url", "image_url": {"url": "cat.png"}}]},
]
DEVELOPER, CALLING, TOOL, PICTURE = UNSEEN
AROUND: dict[str, list[Json]] = {
    "in the middle": [user("Time?"), CALLING, TOOL, assistant("Noon.")],
    "at the head": [DEVELOPER, user("Time?"), assistant("Noon.")],
    "at the end": [user("Time?"), assistant("Noon."), PICTURE, CALLING, TOOL],
    "everywhere": [DEVELOPER, user("Time?"), CALLING, TOOL, assistant("Noon."), PICTURE],
}
SEEN = [user("Time?"), assistant("Noon.")]
around = pytest.mark.parametrize("messages", AROUND.values(), ids=AROUND)


def made_natively(caller: ApiClient, messages: list[Json]) -> str:
    """Create a conversation through the native API, which has no `thinkingContent`."""
    native = [{name: message[name] for name in message if name != "thinkingContent"} for message in messages]
    return str(caller("POST", "conversations/", {"messages": native}, status=201)["id"])


@around
def test_hidden_messages_keep_their_place_when_an_unchanged_history_is_saved(
    as_alice: ApiClient, messages: list[Json]
) -> None:
    id = made_natively(as_alice, messages)
    before, listed = stored(as_alice, id), as_alice("GET", SESSIONS)
    assert read(as_alice, id) == SEEN
    put(as_alice, id, SEEN)
    assert stored(as_alice, id) == before
    assert as_alice("GET", SESSIONS) == listed


@around
def test_hidden_messages_keep_their_place_when_a_message_is_added(as_alice: ApiClient, messages: list[Json]) -> None:
    id = made_natively(as_alice, messages)
    before = stored(as_alice, id)
    put(as_alice, id, [*SEEN, user("Thanks")])
    assert read(as_alice, id) == [*SEEN, user("Thanks")]
    *rest, last = stored(as_alice, id)
    assert rest == before
    assert (last["content"], last["parent_seq"]) == ("Thanks", before[-1]["seq"])
