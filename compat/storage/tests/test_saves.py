"""What its client is known to do, saving its whole world about a second after each change."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from accounts.models import User
from conversations.models import Conversation, Message
from conversations.services import conversations, reactions
from testing.callers import Caller
from testing.statements import statements

from .worlds import asked, every_message, load, messages_of, native, replied, save, session

ONLY_READ = ["SELECT"] * 5  # the token, the user's lock, what is known, the conversations, their messages


def test_an_empty_reply_grows_under_its_id(as_alice: Caller) -> None:
    question = asked("1747036240001", "What time is it?")
    for text in ("", "It", "It is", "It is noon."):
        save(as_alice, session("1747036238000", question, replied("1747036240002", text)))
        assert messages_of(as_alice, "1747036238000") == [question, replied("1747036240002", text)]
    assert len(every_message(as_alice, "1747036238000")) == 2


def test_a_question_and_its_reply_of_the_same_millisecond_have_the_same_id(as_alice: Caller) -> None:
    for text in ("", "No", "Noon."):
        save(as_alice, session("s", asked("5", "What time is it?"), replied("5", text)))
    again = [asked("5", "What time is it?"), replied("5", "Noon."), asked("6", "Sure?"), replied("6", "Yes.")]
    save(as_alice, session("s", *again))
    assert messages_of(as_alice, "s") == again
    assert len(every_message(as_alice, "s")) == 4


def test_an_id_that_looks_told_apart_comes_back_as_it_was(as_alice: Caller) -> None:
    odd = [asked("5", "a"), asked("5␟2", "b"), asked("5", "c"), asked("5␟2", "d"), asked("␟1", "e")]
    save(as_alice, session("s", *odd))
    assert messages_of(as_alice, "s") == odd


def test_an_edited_question_under_its_id_is_a_branch_and_the_old_one_is_kept(as_alice: Caller) -> None:
    save(as_alice, session("s", asked("1", "Noon in Rome?"), replied("2", "Eleven.")))
    edited = [asked("1", "Noon in Oslo?"), replied("3", "Eleven, too.")]
    save(as_alice, session("s", *edited))
    assert messages_of(as_alice, "s") == edited
    told = {row["content"]: row["is_active"] for row in every_message(as_alice, "s")}
    assert told == {"Noon in Rome?": False, "Eleven.": False, "Noon in Oslo?": True, "Eleven, too.": True}


def test_a_question_asked_again_leaves_the_first_reply_where_it_was(as_alice: Caller) -> None:
    """The client cuts the history, saves, and sends the question under a new id."""
    first = [asked("1", "Hi"), replied("2", "Hello"), asked("3", "Tell me more"), replied("4", "No.")]
    save(as_alice, session("s", *first))
    save(as_alice, session("s", *first[:2]))
    assert messages_of(as_alice, "s") == first[:2]
    again = [*first[:2], asked("5", "Tell me more"), replied("6", "All right.")]
    save(as_alice, session("s", *again))
    assert messages_of(as_alice, "s") == again
    assert {row["content"] for row in every_message(as_alice, "s")} >= {"No.", "All right."}


def test_a_return_to_an_older_branch_shows_it_and_writes_no_message(as_alice: Caller) -> None:
    older, newer = [asked("1", "Hi"), replied("2", "Hello")], [asked("1", "Hi"), replied("3", "Good day")]
    for branch in (older, newer, older):
        save(as_alice, session("s", *branch))
        assert messages_of(as_alice, "s") == branch
    assert len(every_message(as_alice, "s")) == 3


def test_a_rewritten_system_prompt_is_edited_in_place(as_alice: Caller) -> None:
    prompt = {"id": "0", "role": "system"}
    for text in ("Be brief.", "Be long."):
        save(as_alice, session("s", {**prompt, "content": text}, asked("1", "Hi")))
    assert [row["content"] for row in every_message(as_alice, "s")] == ["Be long.", "Hi"]


def test_a_cleared_chat_is_empty_and_its_history_is_kept(as_alice: Caller) -> None:
    save(as_alice, session("s", asked("1", "Hi")))
    save(as_alice, session("s"))
    assert messages_of(as_alice, "s") == []
    assert len(every_message(as_alice, "s")) == 1


def test_a_session_left_out_goes_to_the_trash_and_comes_back_with_its_id(as_alice: Caller) -> None:
    save(as_alice, session("s", asked("1", "Hi")), session("other"))
    before = native(as_alice, "s")
    save(as_alice, session("other"))
    assert [each["id"] for each in load(as_alice)] == ["other"]
    assert [row["external_id"] for row in as_alice.pages("/api/v1/conversations/?trashed=true")] == ["s"]
    save(as_alice, session("s", asked("1", "Hi"), replied("2", "Hello")), session("other"))
    assert native(as_alice, "s")["id"] == before["id"]
    assert messages_of(as_alice, "s") == [asked("1", "Hi"), replied("2", "Hello")]


def made_elsewhere(caller: Caller) -> str:
    body = {"messages": [{"role": "user", "content": "Made elsewhere"}]}
    id: str = caller("POST", "/api/chat/sessions", body, status=201)["id"]
    return id


def test_a_stale_tab_does_not_sweep_away_what_was_made_elsewhere(as_alice: Caller) -> None:
    save(as_alice, session("s"))
    load(as_alice)
    elsewhere = made_elsewhere(as_alice)
    save(as_alice, session("s", asked("1", "Hi")))
    assert {each["id"] for each in load(as_alice)} == {"s", elsewhere}


def test_who_never_listed_sweeps_away_nothing_that_was_made_elsewhere(as_alice: Caller) -> None:
    elsewhere = made_elsewhere(as_alice)
    save(as_alice)
    assert [each["id"] for each in load(as_alice)] == [elsewhere]


def test_who_has_listed_it_deletes_what_was_made_elsewhere(as_alice: Caller) -> None:
    made_elsewhere(as_alice)
    load(as_alice)
    save(as_alice)
    assert load(as_alice) == []


@pytest.mark.parametrize("way", ["archive", "trash"])
def test_what_came_back_after_it_was_listed_is_not_swept_away(way: str, as_alice: Caller) -> None:
    save(as_alice, session("s"), session("other"))
    path = f"/api/v1/conversations/{native(as_alice, 's')['id']}/"
    if way == "archive":
        as_alice("PATCH", path, {"is_archived": True})
    else:
        as_alice("DELETE", path, status=204)
    assert [each["id"] for each in load(as_alice)] == ["other"]
    if way == "archive":
        as_alice("PATCH", path, {"is_archived": False})
    else:
        as_alice("POST", f"{path}restore/")
    save(as_alice, session("other"))
    assert {each["id"] for each in load(as_alice)} == {"s", "other"}


def test_what_is_told_apart_stays_so_when_the_first_of_it_is_gone(as_alice: Caller) -> None:
    save(as_alice, session("s", asked("5", "Hi"), replied("5", "Hello")))
    question, reply = every_message(as_alice, "s")
    as_alice("DELETE", f"/api/v1/messages/{question['id']}/", status=204)
    save(as_alice, *load(as_alice))
    now = as_alice("GET", f"/api/v1/messages/{reply['id']}/")
    assert (now["external_id"], now["updated_at"]) == (reply["external_id"], reply["updated_at"])
    as_alice("POST", f"/api/v1/messages/{question['id']}/restore/")


def test_tokens_read_some_time_ago_are_no_report(as_alice: Caller) -> None:
    spent = {"role": "assistant", "content": "Hi", "prompt_tokens": 5, "completion_tokens": 7}
    body = {"external_id": "s", "messages": [spent]}
    id = as_alice("POST", "/api/v1/conversations/", body, status=201)["id"]
    read = load(as_alice)
    as_alice("POST", f"/api/v1/conversations/{id}/messages/", spent, status=201)
    save(as_alice, *read)
    assert load(as_alice)[0]["tokenUsage"] == {"prompt_tokens": 10, "completion_tokens": 14, "total_tokens": 24}


def test_an_archived_conversation_is_neither_listed_nor_swept_away(as_alice: Caller) -> None:
    save(as_alice, session("s"))
    path = f"/api/v1/conversations/{native(as_alice, 's')['id']}/"
    as_alice("PATCH", path, {"is_archived": True})
    assert load(as_alice) == []
    save(as_alice)
    assert as_alice("GET", path)["is_archived"] is True


def test_a_stale_tab_with_a_shorter_history_loses_nothing(as_alice: Caller) -> None:
    long = [asked("1", "Hi"), replied("2", "Hello"), asked("3", "More"), replied("4", "Well")]
    save(as_alice, session("s", *long))
    save(as_alice, session("s", *long[:2]))
    assert len(every_message(as_alice, "s")) == 4
    save(as_alice, session("s", *long))
    assert messages_of(as_alice, "s") == long
    assert len(every_message(as_alice, "s")) == 4


@pytest.mark.parametrize("sign_in", ["live"], indirect=True)
def test_two_tabs_that_save_at_once_lose_neither_history(as_alice: Caller) -> None:
    start = [asked("1", "Hi"), replied("2", "Hello")]
    save(as_alice, session("s", *start), session("other"))
    tabs = [[*start, asked(f"{tab}", f"Tab {tab}")] for tab in range(3, 11)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda tab: save(as_alice, session("s", *tab), session("other")), tabs))
    told = {row["content"] for row in every_message(as_alice, "s")}
    assert told == {"Hi", "Hello", *(f"Tab {tab}" for tab in range(3, 11))}
    assert messages_of(as_alice, "s") in tabs


@pytest.mark.parametrize("sign_in", ["live"], indirect=True)
def test_worlds_saved_at_once_by_many_tabs_end_as_one_of_them(as_alice: Caller) -> None:
    worlds = [[session(f"{tab}-{n}", asked("1", "Hi")) for n in range(5)] for tab in range(8)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda world: save(as_alice, *world), worlds))
    listed = {each["id"] for each in load(as_alice)}
    assert listed in [{each["id"] for each in world} for world in worlds]
    trashed = as_alice.pages("/api/v1/conversations/?trashed=true")
    assert len(trashed) == 35


# What it costs.


def snapshot(user: User) -> list[Any]:
    tables = (Conversation, Message)
    return [list(table.objects.owned_by(user).order_by("id").values()) for table in tables]


def world_of(sessions: int, messages: int) -> list[dict[str, Any]]:
    said = [asked(str(n), f"Question {n}") if n % 2 else replied(str(n), f"Answer {n}") for n in range(messages)]
    return [session(str(n), *said, createdAt=1_747_036_238_000 + n) for n in range(sessions)]


@pytest.mark.parametrize(("sessions", "messages"), [(1, 1), (40, 50)])
def test_a_world_saved_again_unchanged_is_only_read_however_large(sessions: int, messages: int, alice: User) -> None:
    caller, world = Caller(alice), world_of(sessions, messages)
    save(caller, *world)
    before = snapshot(alice)
    for again in (world, load(caller)):
        with statements() as asked_of_database:
            save(caller, *again)
        assert asked_of_database == ONLY_READ
    assert snapshot(alice) == before


def test_what_was_read_is_written_back_without_a_write_whatever_made_it(alice: User) -> None:
    caller = Caller(alice)
    tool = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [
        {"role": "developer", "content": "Hidden."},
        {"role": "user", "content": "Hi", "parts": [{"type": "text", "text": "Hi"}]},
        {"role": "user", "content": None, "parts": [{"type": "image_url"}]},
        {"role": "assistant", "content": None, "tool_calls": [tool], "metadata": {"a": 1}, "prompt_tokens": 5},
        {"role": "tool", "content": "", "tool_call_id": "c", "name": "f"},
    ]
    conversations.create(user=alice, fields={"title": "Native", "external_id": "n~7"}, drafts=messages)
    conversations.create(user=alice, fields={}, drafts=[])
    caller("POST", "/api/chat", {"message": "Hello", "conversation_id": "c", "message_id": "m~2"})
    read, before = load(caller), snapshot(alice)
    with statements() as asked_of_database:
        save(caller, *read)
    assert asked_of_database == ONLY_READ
    assert snapshot(alice) == before


def test_one_more_message_after_a_thousand_is_one_message_written(alice: User) -> None:
    caller, (long, *others) = Caller(alice), world_of(5, 1_000)
    save(caller, long, *others)
    liked = Message.objects.filter(conversation__external_id=long["id"]).earliest("seq")
    reactions.react(user=alice, message_id=liked.id, type="like")
    before = snapshot(alice)
    long["messages"].append(asked("1000", "One more"))
    with statements() as asked_of_database:
        save(caller, long, *others)
    # Its conversation is locked and its messages read; one is inserted; the count and the preview are read anew.
    assert asked_of_database == [*ONLY_READ, *["SELECT"] * 2, "INSERT", *["SELECT"] * 2, "UPDATE"]
    after = snapshot(alice)
    assert [row for row in after[1] if row["content"] != "One more"] == before[1]
    assert len(after[1]) == len(before[1]) + 1
    assert [row["id"] for row in after[0] if row not in before[0]] == [liked.conversation_id]
    assert liked.reactions.count() == 1
