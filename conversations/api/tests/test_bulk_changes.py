"""/conversations/bulk/: one action on several conversations."""

from typing import Any

import pytest
from django.conf import settings

from accounts.models import User
from conversations.models import Conversation
from conversations.querysets import PURGING
from conversations.services import conversations, holds
from conversations.services.bulk_changes import Action, change_all
from testing.api_client import ApiClient
from testing.cast import create_conversation, stored_rows
from testing.parallel import repeat, run_concurrently
from testing.statements import assert_statement_count

PATH = "conversations/bulk/"


@pytest.fixture
def chats(alice: User) -> list[Conversation]:
    return [create_conversation(alice, str(number)) for number in range(3)]


def ids_of(chats: list[Conversation]) -> list[str]:
    return [str(chat.id) for chat in chats]


def send(client: ApiClient, action: str, ids: list[str], **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = client("POST", PATH, {"action": action, "ids": ids, **more})
    return answer


def assert_all_done(answer: dict[str, Any], ids: list[str]) -> None:
    assert answer == {"results": ids, "not_found": [], "conflicts": []}


@pytest.mark.parametrize(
    ("action", "opposite", "field"),
    [("pin", "unpin", "is_pinned"), ("archive", "unarchive", "is_archived")],
)
def test_an_action_sets_a_flag_and_its_opposite_clears_it(
    action: str, opposite: str, field: str, as_either: ApiClient, chats: list[Conversation]
) -> None:
    ids = ids_of(chats)
    for name, value in (action, True), (action, True), (opposite, False), (opposite, False):
        assert_all_done(send(as_either, name, ids), ids)
        assert [as_either("GET", f"conversations/{id}/")[field] for id in ids] == [value] * 3


def test_the_trash_takes_conversations_and_gives_them_back(as_either: ApiClient, chats: list[Conversation]) -> None:
    ids = ids_of(chats)
    for _ in range(2):
        assert_all_done(send(as_either, "trash", ids), ids)
        assert as_either("GET", "conversations/")["results"] == []
    assert {row["id"] for row in as_either("GET", "conversations/?trashed=true")["results"]} == set(ids)
    for _ in range(2):
        assert_all_done(send(as_either, "restore", ids), ids)
        assert len(as_either("GET", "conversations/")["results"]) == 3


def test_a_tag_is_added_once_and_removed(as_either: ApiClient, chats: list[Conversation], alice: User) -> None:
    conversations.update(user=alice, conversation_id=chats[0].id, changes={"tags": ["a", "b"]})
    ids = ids_of(chats)
    for _ in range(2):
        assert_all_done(send(as_either, "add_tag", ids, tag="a"), ids)
        assert [as_either("GET", f"conversations/{id}/")["tags"] for id in ids] == [["a", "b"], ["a"], ["a"]]
    assert_all_done(send(as_either, "remove_tag", ids, tag="a"), ids)
    assert [as_either("GET", f"conversations/{id}/")["tags"] for id in ids] == [["b"], [], []]


@pytest.mark.parametrize("action", ["pin", "unpin", "archive", "unarchive", "remove_tag", "restore"])
def test_a_conversation_that_is_so_already_is_not_written(
    action: str, as_alice: ApiClient, chats: list[Conversation]
) -> None:
    ids = ids_of(chats)
    send(as_alice, action, ids, tag="a")
    before = list(map(stored_rows, chats))
    assert_all_done(send(as_alice, action, ids, tag="a"), ids)
    assert list(map(stored_rows, chats)) == before


def test_an_action_changes_the_time_of_the_change_and_not_that_of_the_activity(
    as_alice: ApiClient, chats: list[Conversation]
) -> None:
    before = as_alice("GET", f"conversations/{chats[0].id}/")
    send(as_alice, "pin", ids_of(chats))
    after = as_alice("GET", f"conversations/{chats[0].id}/")
    assert after["updated_at"] > before["updated_at"]
    assert after | {"updated_at": "", "is_pinned": False} == before | {"updated_at": ""}


# --- What cannot change -------------------------------------------------------------------------------


@pytest.mark.parametrize("action", list(Action))
def test_the_conversations_of_a_stranger_are_not_found_and_stay_as_they_are(
    action: str, bob: User, alice: User, chats: list[Conversation]
) -> None:
    own = create_conversation(bob, "His")
    if action == Action.RESTORE:
        for chat in (*chats, own):
            conversations.trash(user=chat.user, conversation_id=chat.id)
    before = list(map(stored_rows, chats))
    absent = "00000000-0000-7000-8000-000000000000"
    answer = send(ApiClient(bob), action, [*ids_of(chats), str(own.id), absent], tag="a")
    assert answer == {"results": [str(own.id)], "not_found": [*ids_of(chats), absent], "conflicts": []}
    assert list(map(stored_rows, chats)) == before


@pytest.mark.parametrize("action", sorted(set(Action) - {Action.TRASH, Action.RESTORE}))
def test_a_conversation_in_the_trash_can_only_be_restored(
    action: str, as_alice: ApiClient, chats: list[Conversation], alice: User
) -> None:
    conversations.trash(user=alice, conversation_id=chats[1].id)
    answer = send(as_alice, action, ids_of(chats), tag="a")
    assert answer["not_found"] == [str(chats[1].id)]


def test_a_conversation_whose_purge_has_begun_is_not_found(as_alice: ApiClient, chats: list[Conversation]) -> None:
    Conversation.objects.filter(id=chats[0].id).update(deleted_at=PURGING)
    for action in ("trash", "restore"):
        assert send(as_alice, action, ids_of(chats))["not_found"] == [str(chats[0].id)]


def test_a_conversation_whose_external_id_is_taken_stays_in_the_trash(as_alice: ApiClient, alice: User) -> None:
    taken, free = (create_conversation(alice, external_id=name) for name in ("a", "b"))
    ids = ids_of([taken, free])
    send(as_alice, "trash", ids)
    create_conversation(alice, external_id="a")
    answer = send(as_alice, "restore", ids)
    assert (answer["results"], answer["not_found"]) == ([ids[1]], [])
    (conflict,) = answer["conflicts"]
    assert (conflict["id"], conflict["code"]) == (ids[0], "conflict")
    assert "'a'" in conflict["message"]
    assert as_alice.refusal("POST", f"conversations/{ids[0]}/restore/", status=409)[0] == "conflict"


def test_of_two_with_the_same_external_id_one_is_restored(as_alice: ApiClient, alice: User) -> None:
    ids = []
    for _ in range(2):
        chat = create_conversation(alice, external_id="a")
        ids.append(str(chat.id))
        send(as_alice, "trash", ids[-1:])
    answer = send(as_alice, "restore", ids)
    assert answer["results"] == ids[:1]
    assert [row["id"] for row in answer["conflicts"]] == ids[1:]


def test_an_id_that_is_the_external_id_of_another_conversation_is_a_conflict(
    as_alice: ApiClient, alice: User, chats: list[Conversation]
) -> None:
    """Two live conversations do not share a name, and a name is an external_id or an id."""
    first, second = create_conversation(alice), create_conversation(alice)
    send(as_alice, "trash", ids_of([first]))
    create_conversation(alice, external_id=str(first.id))
    assert [row["id"] for row in send(as_alice, "restore", ids_of([first]))["conflicts"]] == ids_of([first])
    send(as_alice, "trash", ids_of([second]))
    third = create_conversation(alice, external_id=str(second.id))
    send(as_alice, "trash", ids_of([third]))
    answer = send(as_alice, "restore", ids_of([second, third]))
    assert (answer["results"], [row["id"] for row in answer["conflicts"]]) == (ids_of([second]), ids_of([third]))


def test_a_conversation_with_the_most_tags_gets_no_other(
    as_alice: ApiClient, alice: User, chats: list[Conversation]
) -> None:
    tags = [str(number) for number in range(settings.LABELS_LIMIT)]
    conversations.update(user=alice, conversation_id=chats[0].id, changes={"tags": tags})
    answer = send(as_alice, "add_tag", ids_of(chats), tag="a")
    assert answer["results"] == ids_of(chats[1:])
    assert [(row["id"], row["code"]) for row in answer["conflicts"]] == [(str(chats[0].id), "invalid")]
    assert_all_done(send(as_alice, "add_tag", ids_of(chats), tag="1"), ids_of(chats))


def test_a_conversation_on_hold_can_go_to_the_trash_and_back(
    as_alice: ApiClient, alice: User, sam: User, chats: list[Conversation]
) -> None:
    holds.place(user=alice, conversation_id=chats[0].id, reason="Case 7", by=sam)
    for action in ("trash", "restore"):
        assert_all_done(send(as_alice, action, ids_of(chats)), ids_of(chats))


# --- The request --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"action": "pin"}, "ids"),
        ({"action": "pin", "ids": []}, "ids"),
        ({"action": "pin", "ids": "x"}, "ids"),
        ({"action": "pin", "ids": ["x"]}, "ids[0]"),
        ({"action": "pin", "ids": ["0190163d-8694-739b-aea5-966c26f8ad90"] * 101}, "ids"),
        ({"action": "purge", "ids": ["0190163d-8694-739b-aea5-966c26f8ad90"]}, "action"),
        ({"ids": ["0190163d-8694-739b-aea5-966c26f8ad90"]}, "action"),
        ({"action": "add_tag", "ids": ["0190163d-8694-739b-aea5-966c26f8ad90"]}, "tag"),
        ({"action": "remove_tag", "ids": ["0190163d-8694-739b-aea5-966c26f8ad90"], "tag": "x" * 101}, "tag"),
        ({"action": "add_tag", "ids": ["0190163d-8694-739b-aea5-966c26f8ad90"], "tag": ""}, "tag"),
        ({"action": "pin", "ids": ["0190163d-8694-739b-aea5-966c26f8ad90"], "shoe": 5}, "shoe"),
    ],
)
def test_an_invalid_request_is_refused(body: Any, field: str, as_alice: ApiClient) -> None:
    assert as_alice.refusal("POST", PATH, body, status=400)[1] == field


def test_an_id_that_is_sent_twice_is_answered_once(as_alice: ApiClient, chats: list[Conversation]) -> None:
    ids = ids_of(chats)
    assert_all_done(send(as_alice, "pin", ids * 2), ids)


@pytest.mark.parametrize("count", [2, 100])
def test_the_number_of_statements_does_not_depend_on_the_number_of_conversations(
    count: int, as_alice: ApiClient, alice: User
) -> None:
    ids = [str(create_conversation(alice, external_id=str(number)).id) for number in range(count)]
    as_alice("GET", "me/")  # stores the use of the token, which happens at most once an hour
    for action, statements in ("pin", 2), ("add_tag", 2), ("trash", 2), ("restore", 3), ("pin", 1):
        with assert_statement_count(1 + statements):  # one finds the user of the token
            assert len(send(as_alice, action, ids, tag="a")["results"]) == count


@pytest.mark.django_db(transaction=True)
def test_parallel_actions_on_the_same_conversations_do_not_deadlock(alice: User) -> None:
    chats = [create_conversation(alice, str(number)) for number in range(20)]
    ids = [chat.id for chat in chats]

    def run(number: int) -> None:
        order = ids if number % 2 else ids[::-1]
        for action in (Action.PIN, Action.ADD_TAG):
            assert len(change_all(user=alice, ids=order, action=action, tag=str(number)).done) == 20

    run_concurrently(*repeat(8, run))
    assert all(sorted(row.tags) == sorted(map(str, range(8))) for row in Conversation.objects.all())
