"""/messages/{id}/ with its sub-resources, and /conversations/{id}/branch/."""

from typing import Any

import pytest

from conversations.models import Message
from testing.api_client import ApiClient

SAID = [
    {"role": "user", "content": "Question", "metadata": {"k": 1}, "prompt_tokens": 5},
    {"role": "assistant", "content": "Answer", "model": "m", "completion_tokens": 7},
]


@pytest.fixture
def rows(as_alice: ApiClient) -> Any:
    id = as_alice("POST", "conversations/", {"messages": SAID}, status=201)["id"]
    return as_alice("GET", f"conversations/{id}/messages/")["results"]


def active_contents(client: ApiClient, rows: Any) -> list[str]:
    path = f"conversations/{rows[0]['conversation_id']}/messages/"
    return [row["content"] for row in client("GET", path)["results"]]


def conversation(client: ApiClient, rows: Any) -> Any:
    return client("GET", f"conversations/{rows[0]['conversation_id']}/")


def test_a_message_equals_its_row_in_the_list(as_either: ApiClient, rows: Any) -> None:
    assert [as_either("GET", f"messages/{row['id']}/") for row in rows] == rows


# --- Edits in place -----------------------------------------------------------------------------------------


def test_a_patch_edits_in_place(as_either: ApiClient, rows: Any) -> None:
    path = f"messages/{rows[1]['id']}/"
    changes = {"content": "Better", "metadata": {"n": 2}, "status": "failed", "completion_tokens": 9}
    changed = as_either("PATCH", path, changes)
    assert changed == rows[1] | changes | {"updated_at": changed["updated_at"]}
    assert changed["updated_at"] > rows[1]["updated_at"]
    assert as_either("GET", path) == changed
    row = conversation(as_either, rows)
    assert (row["preview"], row["completion_tokens"], row["message_count"]) == ("Better", 9, 2)
    assert row["active_at"] == rows[1]["created_at"]


def test_read_only_fields_are_ignored(as_alice: ApiClient, rows: Any) -> None:
    junk = {"id": "x", "seq": 9, "role": "king", "external_id": 5, "item_type": [], "created_at": "!", "reactions": 1}
    changed = as_alice("PATCH", f"messages/{rows[0]['id']}/", junk)
    assert changed | {"updated_at": ""} == rows[0] | {"updated_at": ""}


def test_an_edit_that_empties_a_message_is_refused(as_alice: ApiClient, rows: Any) -> None:
    assert as_alice.refusal("PATCH", f"messages/{rows[0]['id']}/", {"content": None}, status=400) == (
        "invalid",
        "content",
    )
    assert active_contents(as_alice, rows) == ["Question", "Answer"]


@pytest.mark.parametrize("branch", ["", "?branch=false", "?branch=true"])
def test_the_error_names_an_unknown_field(branch: str, as_alice: ApiClient, rows: Any) -> None:
    path = f"messages/{rows[0]['id']}/{branch}"
    assert as_alice.refusal("PATCH", path, {"text": "x"}, status=400) == ("unknown_field", "text")


# --- Edits as an alternative --------------------------------------------------------------------------------


def test_a_branch_replaces_the_message_on_the_active_path(as_either: ApiClient, rows: Any) -> None:
    created = as_either("PATCH", f"messages/{rows[0]['id']}/?branch=true", {"content": "Else?"}, status=201)
    assert (created["content"], created["seq"], created["parent_seq"], created["metadata"]) == (
        "Else?",
        3,
        None,
        {"k": 1},
    )
    assert created["prompt_tokens"] is None and created["is_active"]
    assert as_either("GET", f"messages/{created['id']}/") == created
    assert active_contents(as_either, rows) == ["Else?"]


def test_a_switch_activates_a_branch_down_to_its_newest_message(as_either: ApiClient, rows: Any) -> None:
    other = as_either("PATCH", f"messages/{rows[0]['id']}/?branch=true", {"content": "Else?"}, status=201)
    path = f"conversations/{rows[0]['conversation_id']}/branch/"
    switched = as_either("POST", path, {"message_id": rows[0]["id"]})
    assert active_contents(as_either, rows) == ["Question", "Answer"]
    assert switched == conversation(as_either, rows)
    assert (switched["message_count"], switched["preview"]) == (2, "Answer")
    as_either("POST", path, {"message_id": other["id"]})
    assert active_contents(as_either, rows) == ["Else?"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "message_id"),
        ({"message_id": None}, "message_id"),
        ({"message_id": "x"}, "message_id"),
        ({"message_id": 5}, "message_id"),
        ({"message_id": True}, "message_id"),
        ({"message_id": []}, "message_id"),
        ({"message": "x"}, "message"),
        ([], None),
        (None, None),
    ],
)
def test_a_switch_without_a_message_id_is_refused(body: Any, field: str | None, as_alice: ApiClient, rows: Any) -> None:
    path = f"conversations/{rows[0]['conversation_id']}/branch/"
    assert as_alice.refusal("POST", path, body, status=400)[1] == field


def test_a_switch_to_a_trashed_message_or_one_of_another_conversation_is_a_404(as_alice: ApiClient, rows: Any) -> None:
    path = f"conversations/{rows[0]['conversation_id']}/branch/"
    as_alice("DELETE", f"messages/{rows[1]['id']}/", status=204)
    as_alice.refusal("POST", path, {"message_id": rows[1]["id"]}, status=404)
    other = as_alice("POST", "conversations/", {"messages": SAID}, status=201)["id"]
    path = f"conversations/{other}/branch/"
    as_alice.refusal("POST", path, {"message_id": rows[0]["id"]}, status=404)


# --- The trash ----------------------------------------------------------------------------------------


def test_a_trashed_message_is_not_found_until_it_is_restored(as_either: ApiClient, rows: Any) -> None:
    path = f"messages/{rows[0]['id']}/"
    as_either("DELETE", path, status=204)
    assert active_contents(as_either, rows) == ["Answer"]
    assert conversation(as_either, rows)["message_count"] == 1
    for method, route, body in [
        ("GET", path, {}),
        ("PATCH", path, {"content": "x"}),
        ("PATCH", f"{path}?branch=true", {}),
        ("DELETE", path, {}),
        ("GET", f"{path}reactions/", {}),
        ("POST", f"{path}reactions/", {"type": "like"}),
        ("DELETE", f"{path}reactions/?type=like", {}),
    ]:
        assert as_either.refusal(method, route, body, status=404) == ("not_found", None)
    restored = as_either("POST", f"{path}restore/")
    assert restored == rows[0] | {"updated_at": restored["updated_at"]}
    assert active_contents(as_either, rows) == ["Question", "Answer"]
    assert as_either.refusal("POST", f"{path}restore/", status=404) == ("not_found", None)


def test_messages_of_a_trashed_conversation_are_not_found(as_alice: ApiClient, rows: Any) -> None:
    as_alice("DELETE", f"messages/{rows[1]['id']}/", status=204)
    as_alice("DELETE", f"conversations/{rows[0]['conversation_id']}/", status=204)
    path = f"messages/{rows[0]['id']}/"
    as_alice.refusal("GET", path, status=404)
    as_alice.refusal("PATCH", path, {"content": "x"}, status=404)
    as_alice.refusal("DELETE", path, status=404)
    as_alice.refusal("GET", f"{path}reactions/", status=404)
    as_alice.refusal("POST", f"messages/{rows[1]['id']}/restore/", status=404)
    assert Message.objects.get(id=rows[0]["id"]).content == "Question"


def test_restoring_a_message_whose_external_id_is_taken_is_a_conflict(as_alice: ApiClient, rows: Any) -> None:
    path = f"conversations/{rows[0]['conversation_id']}/messages/"
    created = as_alice("POST", path, {"role": "user", "content": "a", "external_id": "m"}, status=201)
    as_alice("DELETE", f"messages/{created['id']}/", status=204)
    as_alice("POST", path, {"role": "user", "content": "b", "external_id": "m"}, status=201)
    as_alice.refusal("POST", f"messages/{created['id']}/restore/", status=409)
