"""Idempotency-Key, on each route that creates an object: the first request runs, a retry returns the same object."""

from dataclasses import replace
from typing import Any

import pytest

from accounts.models import Idempotency, User
from conversations.models import Conversation, Message
from testing.api_client import ApiClient
from testing.routes import ROWS, Row, SampleObjects

CREATING = [row for row in ROWS if row.status == 201]
OTHER = {
    "chat/": {"content": "Other"},
    "conversations/": {"title": "Other"},
    "conversations/<uuid:id>/messages/": {"role": "user", "content": "Other"},
    "conversations/<uuid:id>/reply/": {"content": "Other"},
    "conversations/<uuid:id>/shares/": {"sign_in_required": True},
    "messages/<uuid:id>/?branch=true": {"content": "Other"},
    "messages/<uuid:id>/reactions/": {"type": "other"},
    "tokens/": {"name": "other"},
}
every_creating = pytest.mark.parametrize("row", CREATING, ids=str)


@pytest.fixture
def samples(alice: User) -> SampleObjects:
    return SampleObjects(alice)


def with_key(client: ApiClient, key: str = "k") -> ApiClient:
    client.headers = client.headers | {"Idempotency-Key": key}
    return client


def without_secret(answer: Any) -> Any:
    """Return the answer without the secret of an API token, which only the first answer has."""
    return answer | {"token": None} if "scopes" in answer else answer


def test_every_creating_route_is_in_the_table() -> None:
    assert {row.path for row in CREATING} == OTHER.keys()


@pytest.mark.parametrize("by", ["token", "session"])
@every_creating
def test_a_retry_returns_the_same_body(row: Row, by: str, samples: SampleObjects, alice: User) -> None:
    client = with_key(ApiClient(alice, by=by))
    created = samples.request(client, row, 201)
    assert samples.request(client, row, 200) == without_secret(created)
    without_slash = replace(row, path=row.path.replace("/?", "?").rstrip("/"))
    assert samples.request(client, without_slash, 200) == without_secret(created)


@every_creating
def test_another_request_with_the_same_key_is_a_conflict(row: Row, samples: SampleObjects, alice: User) -> None:
    client = with_key(ApiClient(alice))
    created = samples.request(client, row, 201)
    other = replace(row, body=OTHER[row.path])
    assert samples.error_code(client, other, 409) == "idempotency_key_reused"
    assert samples.request(client, row, 200) == without_secret(created)
    samples.request(with_key(ApiClient(alice), "another"), other, 201)


@every_creating
def test_two_users_can_use_the_same_key(row: Row, samples: SampleObjects, alice: User, bob: User) -> None:
    samples.request(with_key(ApiClient(alice)), row, 201)
    his = with_key(ApiClient(bob))
    if row.target:
        samples.error_code(his, row, 404)
    else:
        samples.request(his, row, 201)


@every_creating
def test_the_key_of_an_invalid_request_can_be_used_again(row: Row, samples: SampleObjects, alice: User) -> None:
    client = with_key(ApiClient(alice))
    for body in ({"shoe": 1}, [], b"{"):
        samples.error_code(client, replace(row, body=body), 400)
    assert not Idempotency.objects.exists()
    samples.request(client, row, 201)


def test_the_key_of_a_conflict_can_be_used_again(alice: User, samples: SampleObjects) -> None:
    client = with_key(ApiClient(alice))
    ApiClient(alice)("POST", "conversations/", {"external_id": "x"}, status=201)
    client.refusal("POST", "conversations/", {"external_id": "x", "title": "Other"}, status=409)
    client("POST", "conversations/", {"title": "Other"}, status=201)


@pytest.mark.parametrize("key", ["", "x" * 256])
@every_creating
def test_a_key_has_1_to_255_characters(row: Row, key: str, samples: SampleObjects, alice: User) -> None:
    client = with_key(ApiClient(alice), key)
    assert samples.request(client, row, 400)["error"]["field"] == "Idempotency-Key"
    samples.request(with_key(client, "x" * 255), row, 201)


def test_a_key_used_on_another_route_is_a_conflict(alice: User, samples: SampleObjects) -> None:
    client = with_key(ApiClient(alice))
    client("POST", "conversations/", {}, status=201)
    client.refusal("POST", "tokens/", {"name": "x"}, status=409)
    message = {"role": "user", "content": "x"}
    other = client.refusal("POST", f"conversations/{samples.conversation.id}/messages/", message, status=409)
    assert other == ("idempotency_key_reused", None)


def test_a_retry_returns_the_current_state_of_the_object(as_alice: ApiClient) -> None:
    client = with_key(as_alice)
    created = client("POST", "conversations/", {"title": "A"}, status=201)
    changed = client("PATCH", f"conversations/{created['id']}/", {"title": "B"})
    assert client("POST", "conversations/", {"title": "A"}) == changed
    client("DELETE", f"conversations/{created['id']}/", status=204)
    client.refusal("POST", "conversations/", {"title": "A"}, status=404)
    assert Conversation.objects.count() == 1


def test_a_retry_of_an_array_returns_all_messages_in_order(as_alice: ApiClient) -> None:
    id = as_alice("POST", "conversations/", {}, status=201)["id"]
    path = f"conversations/{id}/messages/"
    old = {"role": "user", "content": "old", "external_id": "old"}
    as_alice("POST", path, old, status=201)
    client, sent = with_key(as_alice), [{"role": "user", "content": "new"}, old]
    created = client("POST", path, sent, status=201)
    assert client("POST", path, sent) == created
    assert [row["content"] for row in created] == ["new", "old"]
    assert Message.objects.count() == 2


def test_a_key_can_be_combined_with_an_external_id(as_alice: ApiClient) -> None:
    body = {"external_id": "x"}
    created = as_alice("POST", "conversations/", body, status=201)
    client = with_key(as_alice)
    assert client("POST", "conversations/", body) == created
    assert client("POST", "conversations/", body) == created
    client.refusal("POST", "conversations/", {"external_id": "y"}, status=409)


def test_a_key_used_with_other_query_parameters_is_a_conflict(alice: User, samples: SampleObjects) -> None:
    client = with_key(ApiClient(alice))
    client("POST", "conversations/?a=1", {}, status=201)
    client.refusal("POST", "conversations/?a=2", {}, status=409)
