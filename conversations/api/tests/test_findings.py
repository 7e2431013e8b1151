"""Validation stops soon after MAX_ERRORS errors, so that a request with very many errors is cheap to refuse."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from rest_framework import serializers

from accounts.models import User
from chatstore.api import fields
from chatstore.api.fields import Many
from chatstore.api.findings import MAX_ERRORS
from compat.sessions.schemas import SessionHistory
from compat.storage.schemas import ChatSessions
from testing.api_client import ApiClient, is_error

UNKNOWN = {f"field {number}": number for number in range(100)}


@pytest.fixture
def validated(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return a list of the items that have been validated so far."""
    items: list[Any] = []
    validate: Callable[..., Any] = Many.run_child_validation

    def record(self: Any, data: Any) -> Any:
        items.append(data)
        return validate(self, data)

    monkeypatch.setattr(Many, "run_child_validation", record)
    return items


@pytest.fixture
def path(alice: User) -> str:
    api_client = ApiClient(alice)
    return f"conversations/{api_client('POST', 'conversations/', {}, status=201)['id']}/messages/"


def details(api_client: ApiClient) -> list[Any]:
    assert is_error(api_client.answer)
    return list(json.loads(api_client.text)["error"]["details"])


def has_the_limit_of_errors(errors: list[Any]) -> bool:
    assert len(errors) == MAX_ERRORS + 1
    assert [error["code"] for error in errors].index("more_errors") == MAX_ERRORS
    assert errors[-1]["message"] == "There are more errors; these are the first 20." and errors[-1]["field"] is None
    return True


def test_validation_of_many_messages_with_many_unknown_fields_stops_at_the_first_message(
    alice: User, path: str, validated: list[Any]
) -> None:
    api_client = ApiClient(alice)
    api_client("PUT", path, [UNKNOWN] * 10_000, status=400)
    errors = details(api_client)
    assert has_the_limit_of_errors(errors)
    assert (errors[0]["code"], errors[0]["field"]) == ("unknown_field", "[0].field 0")
    assert len(api_client.content) < 10_000
    assert len(validated) == 1


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_a_list_of_bad_messages_is_validated_up_to_the_limit(
    method: str, alice: User, path: str, validated: list[Any]
) -> None:
    api_client = ApiClient(alice)
    api_client(method, path, [{"role": "king", "content": "x"}] * 1_000, status=400)
    assert has_the_limit_of_errors(details(api_client))
    assert len(validated) == MAX_ERRORS + 1


def test_a_response_lists_all_errors_up_to_the_limit(alice: User, path: str) -> None:
    api_client = ApiClient(alice)
    bad = {"role": "king", "content": "x"}
    api_client("POST", path, [{"role": "user", "content": "x"}, *[bad] * MAX_ERRORS], status=400)
    errors = details(api_client)
    assert [error["field"] for error in errors] == [f"[{index}].role" for index in range(1, MAX_ERRORS + 1)]


def test_validation_of_the_messages_of_a_new_conversation_stops_at_the_limit(alice: User, validated: list[Any]) -> None:
    api_client = ApiClient(alice)
    api_client("POST", "conversations/", {"messages": [5] * 1_000}, status=400)
    assert has_the_limit_of_errors(details(api_client))
    assert len(validated) == MAX_ERRORS + 1


@pytest.mark.parametrize(
    ("path", "body"),
    [("conversations/", {"tags": [5] * 100_000}), ("tokens/", {"name": "x", "scopes": ["x"] * 100_000})],
)
def test_the_length_of_a_list_of_values_is_checked_before_the_values(
    path: str, body: Any, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    api_client = ApiClient(alice)
    monkeypatch.setattr(fields, "validate_each", None)
    api_client("POST", path, body, status=400)
    (error,) = details(api_client)
    assert error["code"] == "max_length"


def test_long_values_and_names_are_shortened_in_the_error(alice: User, path: str) -> None:
    api_client = ApiClient(alice)
    api_client("POST", path, {"role": "x" * 1_000_000, "content": "x"}, status=400)
    assert len(api_client.content) < 3_000
    api_client("POST", path, {"y" * 1_000_000: 1}, status=400)
    assert len(api_client.content) < 5_000


@pytest.mark.parametrize(
    ("schema", "body"),
    [
        (SessionHistory, {"messages": [{}] * 10_000}),
        (ChatSessions, {"chatSessions": [{"id": "x", "messages": [{}] * 10_000}] * 100}),
    ],
)
def test_a_contract_stops_at_the_first_bad_message(schema: Any, body: Any) -> None:
    with pytest.raises(serializers.ValidationError) as excinfo:
        schema.of(body)
    assert len(excinfo.value.detail) <= 3


@pytest.mark.parametrize("name", ["parts", "tool_calls"])
def test_the_size_of_parts_and_tool_calls_is_limited(name: str, alice: User, path: str, settings: Any) -> None:
    api_client = ApiClient(alice)
    large = ["x" * settings.PARTS_LIMIT]
    api_client("POST", path, {"role": "user", name: large}, status=400)
    (error,) = details(api_client)
    assert (error["code"], error["field"]) == ("bytes", name)
    assert error["message"] == "Has 1,000,004 bytes as JSON; the limit is 1,000,000."
    id = api_client("POST", path, {"role": "user", name: ["x" * (settings.PARTS_LIMIT - 4)]}, status=201)["id"]
    assert api_client.refusal("PATCH", f"messages/{id}/", {name: large}, status=400) == ("bytes", name)


def test_tool_calls_in_the_storage_contract_have_the_same_limit(alice: User, settings: Any) -> None:
    api_client = ApiClient(alice)
    message = {"role": "assistant", "tool_calls": ["x" * settings.PARTS_LIMIT]}
    body = {"chatSessions": [{"id": "a", "messages": [message]}]}
    answer = api_client("POST", "/api/v1/storage/chat-sessions/", body, status=400)
    assert answer["error"].endswith("Has 1,000,004 bytes as JSON; the limit is 1,000,000.")
