"""Saves of the storage contract. Its client saves all sessions about a second after each change."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from accounts.models import User
from conversations.models import Message
from conversations.services import conversations, reactions
from testing.api_client import ApiClient
from testing.statements import executed_statements
from testing.storage_client import assistant, every_message, load, messages_of, native, save, session, snapshot, user

ONLY_READ = ["SELECT"] * 5  # the token, the user (locked), the known ids, the conversations, the digests


def test_a_streamed_reply_is_one_message(as_alice: ApiClient) -> None:
    question = user("1747036240001", "What time is it?")
    for text in ("", "It", "It is", "It is noon."):
        save(as_alice, session("1747036238000", question, assistant("1747036240002", text)))
        assert messages_of(as_alice, "1747036238000") == [question, assistant("1747036240002", text)]
    assert len(every_message(as_alice, "1747036238000")) == 2


def test_a_question_and_its_reply_can_have_the_same_id(as_alice: ApiClient) -> None:
    for text in ("", "No", "Noon."):
        save(as_alice, session("s", user("5", "What time is it?"), assistant("5", text)))
    again = [user("5", "What time is it?"), assistant("5", "Noon."), user("6", "Sure?"), assistant("6", "Yes.")]
    save(as_alice, session("s", *again))
    assert messages_of(as_alice, "s") == again
    assert len(every_message(as_alice, "s")) == 4


def test_an_id_that_ends_like_a_stored_duplicate_is_read_back_unchanged(as_alice: ApiClient) -> None:
    odd = [user("5", "a"), user("5␟2", "b"), user("5", "c"), user("5␟2", "d"), user("␟1", "e")]
    save(as_alice, session("s", *odd))
    assert messages_of(as_alice, "s") == odd


def test_an_edited_question_becomes_a_branch_and_the_old_one_is_kept(as_alice: ApiClient) -> None:
    save(as_alice, session("s", user("1", "Noon in Rome?"), assistant("2", "Eleven.")))
    edited = [user("1", "Noon in Oslo?"), assistant("3", "Eleven, too.")]
    save(as_alice, session("s", *edited))
    assert messages_of(as_alice, "s") == edited
    is_active = {row["content"]: row["is_active"] for row in every_message(as_alice, "s")}
    assert is_active == {"Noon in Rome?": False, "Eleven.": False, "Noon in Oslo?": True, "Eleven, too.": True}


def test_regenerating_a_reply_keeps_the_first_one(as_alice: ApiClient) -> None:
    """To regenerate, the client cuts the history, saves it, and sends the question with a new id."""
    first = [user("1", "Hi"), assistant("2", "Hello"), user("3", "Tell me more"), assistant("4", "No.")]
    save(as_alice, session("s", *first))
    save(as_alice, session("s", *first[:2]))
    assert messages_of(as_alice, "s") == first[:2]
    again = [*first[:2], user("5", "Tell me more"), assistant("6", "All right.")]
    save(as_alice, session("s", *again))
    assert messages_of(as_alice, "s") == again
    assert {row["content"] for row in every_message(as_alice, "s")} >= {"No.", "All right."}


def test_returning_to_an_older_branch_writes_no_message(as_alice: ApiClient) -> None:
    older, newer = [user("1", "Hi"), assistant("2", "Hello")], [user("1", "Hi"), assistant("3", "Good day")]
    for branch in (older, newer, older):
        save(as_alice, session("s", *branch))
        assert messages_of(as_alice, "s") == branch
    assert len(every_message(as_alice, "s")) == 3


def test_a_changed_system_prompt_is_edited_in_place(as_alice: ApiClient) -> None:
    prompt = {"id": "0", "role": "system"}
    for text in ("Be brief.", "Be long."):
        save(as_alice, session("s", {**prompt, "content": text}, user("1", "Hi")))
    assert [row["content"] for row in every_message(as_alice, "s")] == ["Be long.", "Hi"]


def test_clearing_a_chat_keeps_its_messages_in_the_store(as_alice: ApiClient) -> None:
    save(as_alice, session("s", user("1", "Hi")))
    save(as_alice, session("s"))
    assert messages_of(as_alice, "s") == []
    assert len(every_message(as_alice, "s")) == 1


def test_an_omitted_session_goes_to_the_trash_and_is_restored_by_its_id(as_alice: ApiClient) -> None:
    save(as_alice, session("s", user("1", "Hi")), session("other"))
    before = native(as_alice, "s")
    save(as_alice, session("other"))
    assert [each["id"] for each in load(as_alice)] == ["other"]
    assert [row["external_id"] for row in as_alice.pages("/api/v1/conversations/?trashed=true")] == ["s"]
    save(as_alice, session("s", user("1", "Hi"), assistant("2", "Hello")), session("other"))
    assert native(as_alice, "s")["id"] == before["id"]
    assert messages_of(as_alice, "s") == [user("1", "Hi"), assistant("2", "Hello")]


def made_elsewhere(client: ApiClient) -> str:
    body = {"messages": [{"role": "user", "content": "Made elsewhere"}]}
    id: str = client("POST", "/api/chat/sessions", body, status=201)["id"]
    return id


def test_a_stale_tab_does_not_delete_a_conversation_that_it_does_not_know(as_alice: ApiClient) -> None:
    save(as_alice, session("s"))
    load(as_alice)
    elsewhere = made_elsewhere(as_alice)
    save(as_alice, session("s", user("1", "Hi")))
    assert {each["id"] for each in load(as_alice)} == {"s", elsewhere}


def test_a_client_that_has_listed_nothing_deletes_nothing(as_alice: ApiClient) -> None:
    elsewhere = made_elsewhere(as_alice)
    save(as_alice)
    assert [each["id"] for each in load(as_alice)] == [elsewhere]


def test_a_client_can_delete_a_conversation_that_it_has_listed(as_alice: ApiClient) -> None:
    made_elsewhere(as_alice)
    load(as_alice)
    save(as_alice)
    assert load(as_alice) == []


@pytest.mark.parametrize("way", ["archive", "trash"])
def test_a_conversation_restored_after_the_listing_is_not_deleted(way: str, as_alice: ApiClient) -> None:
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


def test_the_second_message_with_an_id_keeps_its_stored_id_when_the_first_is_deleted(as_alice: ApiClient) -> None:
    save(as_alice, session("s", user("5", "Hi"), assistant("5", "Hello")))
    question, reply = every_message(as_alice, "s")
    as_alice("DELETE", f"/api/v1/messages/{question['id']}/", status=204)
    save(as_alice, *load(as_alice))
    now = as_alice("GET", f"/api/v1/messages/{reply['id']}/")
    assert (now["external_id"], now["updated_at"]) == (reply["external_id"], reply["updated_at"])
    as_alice("POST", f"/api/v1/messages/{question['id']}/restore/")


def test_token_counts_that_the_client_read_earlier_do_not_overwrite_newer_ones(as_alice: ApiClient) -> None:
    spent = {"role": "assistant", "content": "Hi", "prompt_tokens": 5, "completion_tokens": 7}
    body = {"external_id": "s", "messages": [spent]}
    id = as_alice("POST", "/api/v1/conversations/", body, status=201)["id"]
    read = load(as_alice)
    as_alice("POST", f"/api/v1/conversations/{id}/messages/", spent, status=201)
    save(as_alice, *read)
    assert load(as_alice)[0]["tokenUsage"] == {"prompt_tokens": 10, "completion_tokens": 14, "total_tokens": 24}


def test_an_archived_conversation_is_not_listed_and_not_deleted(as_alice: ApiClient) -> None:
    save(as_alice, session("s"))
    path = f"/api/v1/conversations/{native(as_alice, 's')['id']}/"
    as_alice("PATCH", path, {"is_archived": True})
    assert load(as_alice) == []
    save(as_alice)
    assert as_alice("GET", path)["is_archived"] is True


def test_a_stale_tab_with_a_shorter_history_loses_nothing(as_alice: ApiClient) -> None:
    long = [user("1", "Hi"), assistant("2", "Hello"), user("3", "More"), assistant("4", "Well")]
    save(as_alice, session("s", *long))
    save(as_alice, session("s", *long[:2]))
    assert len(every_message(as_alice, "s")) == 4
    save(as_alice, session("s", *long))
    assert messages_of(as_alice, "s") == long
    assert len(every_message(as_alice, "s")) == 4


@pytest.mark.parametrize("sign_in", ["live"], indirect=True)
def test_no_history_is_lost_when_tabs_save_at_once(as_alice: ApiClient) -> None:
    start = [user("1", "Hi"), assistant("2", "Hello")]
    save(as_alice, session("s", *start), session("other"))
    tabs = [[*start, user(f"{tab}", f"Tab {tab}")] for tab in range(3, 11)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda tab: save(as_alice, session("s", *tab), session("other")), tabs))
    texts = {row["content"] for row in every_message(as_alice, "s")}
    assert texts == {"Hi", "Hello", *(f"Tab {tab}" for tab in range(3, 11))}
    assert messages_of(as_alice, "s") in tabs


@pytest.mark.parametrize("sign_in", ["live"], indirect=True)
def test_one_of_many_simultaneous_saves_wins_completely(as_alice: ApiClient) -> None:
    worlds = [[session(f"{tab}-{n}", user("1", "Hi")) for n in range(5)] for tab in range(8)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda world: save(as_alice, *world), worlds))
    listed = {each["id"] for each in load(as_alice)}
    assert listed in [{each["id"] for each in world} for world in worlds]
    trashed = as_alice.pages("/api/v1/conversations/?trashed=true")
    assert len(trashed) == 35


# --- SQL statements


def world_of(sessions: int, messages: int) -> list[dict[str, Any]]:
    history = [user(str(n), f"Question {n}") if n % 2 else assistant(str(n), f"Answer {n}") for n in range(messages)]
    return [session(str(n), *history, createdAt=1_747_036_238_000 + n) for n in range(sessions)]


@pytest.mark.parametrize(("sessions", "messages"), [(1, 1), (40, 50)])
def test_saving_unchanged_sessions_runs_five_reads_at_any_size(sessions: int, messages: int, alice: User) -> None:
    client, world = ApiClient(alice), world_of(sessions, messages)
    save(client, *world)
    before = snapshot(alice)
    for again in (world, load(client)):
        with executed_statements() as executed:
            save(client, *again)
        assert executed == ONLY_READ
    assert snapshot(alice) == before


def test_saving_unchanged_sessions_of_any_origin_writes_nothing(alice: User) -> None:
    client = ApiClient(alice)
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
    client("POST", "/api/chat", {"message": "Hello", "conversation_id": "c", "message_id": "m~2"})
    read, before = load(client), snapshot(alice)
    with executed_statements() as executed:
        save(client, *read)
    assert executed == ONLY_READ
    assert snapshot(alice) == before


def test_adding_a_message_to_a_thousand_writes_no_other_message(alice: User) -> None:
    client, (long, *others) = ApiClient(alice), world_of(5, 1_000)
    save(client, long, *others)
    liked = Message.objects.filter(conversation__external_id=long["id"]).earliest("seq")
    reactions.react(user=alice, message_id=liked.id, type="like")
    before = snapshot(alice)
    long["messages"].append(user("1000", "One more"))
    with executed_statements() as executed:
        save(client, long, *others)
    # Locks the conversation, reads its messages, inserts one, and updates the count and the preview.
    assert executed == [*ONLY_READ, *["SELECT"] * 2, "COPY", "UPDATE"]
    after = snapshot(alice)
    assert [row for row in after[1] if row["content"] != "One more"] == before[1]
    assert len(after[1]) == len(before[1]) + 1
    assert [row["id"] for row in after[0] if row not in before[0]] == [liked.conversation_id]
    assert liked.reactions.count() == 1
