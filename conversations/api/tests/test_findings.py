"""A request with very many errors costs no more than one with a few: validation stops."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from rest_framework import serializers

from accounts.models import User
from chatstore.api import fields
from chatstore.api.fields import Many
from chatstore.api.findings import MOST_FINDINGS
from compat.sessions.schemas import SessionHistory
from compat.storage.schemas import ChatSessions
from testing.api_client import ApiClient, is_error

UNKNOWN = {f"field {number}": number for number in range(100)}


@pytest.fixture
def validated(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return the items of lists that are validated, as they are."""
    items: list[Any] = []
    validate: Callable[..., Any] = Many.run_child_validation

    def note(self: Any, data: Any) -> Any:
        items.append(data)
        return validate(self, data)

    monkeypatch.setattr(Many, "run_child_validation", note)
    return items


@pytest.fixture
def path(alice: User) -> str:
    caller = ApiClient(alice)
    return f"conversations/{caller('POST', 'conversations/', {}, status=201)['id']}/messages/"


def details(caller: ApiClient) -> list[Any]:
    assert is_error(caller.answer)
    return list(json.loads(caller.text)["error"]["details"])


def says_that_there_are_more(found: list[Any]) -> bool:
    assert len(found) == MOST_FINDINGS + 1
    assert [each["code"] for each in found].index("more_errors") == MOST_FINDINGS
    assert found[-1]["message"] == "There are more errors; these are the first 20." and found[-1]["field"] is None
    return True


def test_ten_thousand_messages_of_a_hundred_unknown_fields_stop_at_the_first(
    alice: User, path: str, validated: list[Any]
) -> None:
    caller = ApiClient(alice)
    caller("PUT", path, [UNKNOWN] * 10_000, status=400)
    found = details(caller)
    assert says_that_there_are_more(found)
    assert (found[0]["code"], found[0]["field"]) == ("unknown_field", "[0].field 0")
    assert len(caller.content) < 10_000
    assert len(validated) == 1


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_a_list_of_bad_messages_is_validated_up_to_the_limit(
    method: str, alice: User, path: str, validated: list[Any]
) -> None:
    caller = ApiClient(alice)
    caller(method, path, [{"role": "king", "content": "x"}] * 1_000, status=400)
    assert says_that_there_are_more(details(caller))
    assert len(validated) == MOST_FINDINGS + 1


def test_as_many_errors_as_the_limit_are_all_listed(alice: User, path: str) -> None:
    caller = ApiClient(alice)
    bad = {"role": "king", "content": "x"}
    caller("POST", path, [{"role": "user", "content": "x"}, *[bad] * MOST_FINDINGS], status=400)
    found = details(caller)
    assert [each["field"] for each in found] == [f"[{index}].role" for index in range(1, MOST_FINDINGS + 1)]


def test_the_messages_of_a_new_conversation_are_bounded_too(alice: User, validated: list[Any]) -> None:
    caller = ApiClient(alice)
    caller("POST", "conversations/", {"messages": [5] * 1_000}, status=400)
    assert says_that_there_are_more(details(caller))
    assert len(validated) == MOST_FINDINGS + 1


@pytest.mark.parametrize(
    ("path", "body"),
    [("conversations/", {"tags": [5] * 100_000}), ("tokens/", {"name": "x", "scopes": ["x"] * 100_000})],
)
def test_the_length_of_a_list_of_values_is_checked_before_the_values(
    path: str, body: Any, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = ApiClient(alice)
    monkeypatch.setattr(fields, "validate_each", None)
    caller("POST", path, body, status=400)
    (found,) = details(caller)
    assert found["code"] == "max_length"


def test_a_long_value_and_a_long_name_are_shortened_in_the_answer(alice: User, path: str) -> None:
    caller = ApiClient(alice)
    caller("POST", path, {"role": "x" * 1_000_000, "content": "x"}, status=400)
    assert len(caller.content) < 3_000
    caller("POST", path, {"y" * 1_000_000: 1}, status=400)
    assert len(caller.content) < 5_000


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        (SessionHistory, {"messages": [{}] * 10_000}),
        (ChatSessions, {"chatSessions": [{"id": "x", "messages": [{}] * 10_000}] * 100}),
    ],
)
def test_a_contract_stops_at_the_first_bad_message(shape: Any, body: Any) -> None:
    with pytest.raises(serializers.ValidationError) as refused:
        shape.of(body)
    assert len(refused.value.detail) <= 3


@pytest.mark.parametrize("name", ["parts", "tool_calls"])
def test_parts_and_tool_calls_have_a_limit(name: str, alice: User, path: str, settings: Any) -> None:
    caller = ApiClient(alice)
    large = ["x" * settings.PARTS_LIMIT]
    caller("POST", path, {"role": "user", name: large}, status=400)
    (found,) = details(caller)
    assert (found["code"], found["field"]) == ("bytes", name)
    assert found["message"] == "Has 1,000,004 bytes as JSON; the limit is 1,000,000."
    id = caller("POST", path, {"role": "user", name: ["x" * (settings.PARTS_LIMIT - 4)]}, status=201)["id"]
    assert caller.refusal("PATCH", f"messages/{id}/", {name: large}, status=400) == ("bytes", name)


def test_the_tool_calls_of_a_storage_service_have_the_same_limit(alice: User, settings: Any) -> None:
    caller = ApiClient(alice)
    message = {"role": "assistant", "tool_calls": ["x" * settings.PARTS_LIMIT]}
    body = {"chatSessions": [{"id": "a", "messages": [message]}]}
    answer = caller("POST", "/api/v1/storage/chat-sessions/", body, status=400)
    assert answer["error"].endswith("Has 1,000,004 bytes as JSON; the limit is 1,000,000.")
