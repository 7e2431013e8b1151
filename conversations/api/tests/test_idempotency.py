"""Idempotency-Key, on everything that creates: carried out once, answered again."""

from dataclasses import replace
from typing import Any

import pytest

from accounts.models import Idempotency, User
from conversations.models import Conversation, Message
from testing.api_client import ApiClient

from .test_every_route import ROWS, Row, SampleObjects

CREATING = [row for row in ROWS if row.status == 201]
OTHER = {
    "chat/": {"content": "Other"},
    "conversations/": {"title": "Other"},
    "conversations/<uuid:id>/messages/": {"role": "user", "content": "Other"},
    "messages/<uuid:id>/?branch=true": {"content": "Other"},
    "messages/<uuid:id>/reactions/": {"type": "other"},
    "tokens/": {"name": "other"},
}
every_creating = pytest.mark.parametrize("row", CREATING, ids=str)


@pytest.fixture
def samples(alice: User) -> SampleObjects:
    return SampleObjects(alice)


def keyed(caller: ApiClient, key: str = "k") -> ApiClient:
    caller.headers = caller.headers | {"Idempotency-Key": key}
    return caller


def without_secret(answer: Any) -> Any:
    return answer | {"token": None} if "token" in answer else answer


def test_every_creating_route_is_here() -> None:
    assert {row.path for row in CREATING} == OTHER.keys()


@pytest.mark.parametrize("by", ["token", "session"])
@every_creating
def test_the_same_again_is_answered_with_the_same(row: Row, by: str, samples: SampleObjects, alice: User) -> None:
    caller = keyed(ApiClient(alice, by=by))
    made = samples.call(caller, row, 201)
    assert samples.call(caller, row, 200) == without_secret(made)
    without_slash = replace(row, path=row.path.replace("/?", "?").rstrip("/"))
    assert samples.call(caller, without_slash, 200) == without_secret(made)


@every_creating
def test_another_request_with_that_key_is_a_conflict(row: Row, samples: SampleObjects, alice: User) -> None:
    caller = keyed(ApiClient(alice))
    made = samples.call(caller, row, 201)
    other = replace(row, body=OTHER[row.path])
    assert samples.refuse(caller, other, 409) == "idempotency_key_reused"
    assert samples.call(caller, row, 200) == without_secret(made)
    samples.call(keyed(ApiClient(alice), "another"), other, 201)


@every_creating
def test_a_key_is_its_users_own(row: Row, samples: SampleObjects, alice: User, bob: User) -> None:
    samples.call(keyed(ApiClient(alice)), row, 201)
    his = keyed(ApiClient(bob))
    if row.thing:
        samples.refuse(his, row, 404)
    else:
        samples.call(his, row, 201)


@every_creating
def test_a_failed_request_leaves_the_key_free(row: Row, samples: SampleObjects, alice: User) -> None:
    caller = keyed(ApiClient(alice))
    for body in ({"shoe": 1}, [], b"{"):
        samples.refuse(caller, replace(row, body=body), 400)
    assert not Idempotency.objects.exists()
    samples.call(caller, row, 201)


def test_a_conflict_leaves_the_key_free(alice: User, samples: SampleObjects) -> None:
    caller = keyed(ApiClient(alice))
    ApiClient(alice)("POST", "conversations/", {"external_id": "x"}, status=201)
    caller.refusal("POST", "conversations/", {"external_id": "x", "title": "Other"}, status=409)
    caller("POST", "conversations/", {"title": "Other"}, status=201)


@pytest.mark.parametrize("key", ["", "x" * 256])
@every_creating
def test_a_key_has_1_to_255_characters(row: Row, key: str, samples: SampleObjects, alice: User) -> None:
    caller = keyed(ApiClient(alice), key)
    assert samples.call(caller, row, 400)["error"]["field"] == "Idempotency-Key"
    samples.call(keyed(caller, "x" * 255), row, 201)


def test_keys_are_of_one_route(alice: User, samples: SampleObjects) -> None:
    caller = keyed(ApiClient(alice))
    caller("POST", "conversations/", {}, status=201)
    caller.refusal("POST", "tokens/", {"name": "x"}, status=409)
    other = caller.refusal("POST", f"conversations/{samples.conversation.id}/messages/", ROWS[10].body, status=409)
    assert other == ("idempotency_key_reused", None)


def test_what_was_made_is_answered_as_it_is_now(as_alice: ApiClient) -> None:
    caller = keyed(as_alice)
    made = caller("POST", "conversations/", {"title": "A"}, status=201)
    changed = caller("PATCH", f"conversations/{made['id']}/", {"title": "B"})
    assert caller("POST", "conversations/", {"title": "A"}) == changed
    caller("DELETE", f"conversations/{made['id']}/", status=204)
    caller.refusal("POST", "conversations/", {"title": "A"}, status=404)
    assert Conversation.objects.count() == 1


def test_an_array_is_answered_again_whole_in_its_order(as_alice: ApiClient) -> None:
    id = as_alice("POST", "conversations/", {}, status=201)["id"]
    path = f"conversations/{id}/messages/"
    old = {"role": "user", "content": "old", "external_id": "old"}
    as_alice("POST", path, old, status=201)
    caller, sent = keyed(as_alice), [{"role": "user", "content": "new"}, old]
    made = caller("POST", path, sent, status=201)
    assert caller("POST", path, sent) == made
    assert [row["content"] for row in made] == ["new", "old"]
    assert Message.objects.count() == 2


def test_a_key_and_a_client_id_together(as_alice: ApiClient) -> None:
    body = {"external_id": "x"}
    made = as_alice("POST", "conversations/", body, status=201)
    caller = keyed(as_alice)
    assert caller("POST", "conversations/", body) == made
    assert caller("POST", "conversations/", body) == made
    caller.refusal("POST", "conversations/", {"external_id": "y"}, status=409)


def test_other_query_parameters_are_another_request(alice: User, samples: SampleObjects) -> None:
    caller = keyed(ApiClient(alice))
    caller("POST", "conversations/?a=1", {}, status=201)
    caller.refusal("POST", "conversations/?a=2", {}, status=409)
