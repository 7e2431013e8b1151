"""Each response has the shape that docs/openapi.yaml documents, without additional keys."""

from typing import Any

import jsonschema
import pytest

from accounts.models import User
from testing.api_client import ApiClient
from testing.routes import ROWS, Row, SampleObjects, every_row
from testing.shapes import SCHEMA, TIME, assert_matches, responses_of, strict


def documented(row: Row) -> dict[str, Any]:
    """Return the documented responses of a row's route, by status code."""
    return responses_of(row.method, "/api/v1/" + row.route.replace("<uuid:", "{").replace(">", "}"))


def check(row: Row, status: str, answer: Any) -> None:
    assert_matches(answer, documented(row)[status])


def times(node: Any) -> list[str]:
    if isinstance(node, list):
        return [time for item in node for time in times(item)]
    if not isinstance(node, dict):
        return []
    found = [value for name, value in node.items() if name.endswith("_at") and value is not None]
    return found + [time for value in node.values() for time in times(value)]


@pytest.fixture
def samples(alice: User) -> SampleObjects:
    return SampleObjects(alice)


@every_row
def test_responses_and_errors_have_the_documented_shape(row: Row, samples: SampleObjects, alice: User) -> None:
    check(row, "default", samples.request(ApiClient(), row, 401))
    answer = samples.request(ApiClient(alice), row, row.status)
    if row.status == 204:
        assert "content" not in documented(row)["204"]
    elif row.path.endswith("/stream/"):
        assert list(documented(row)["200"]["content"]) == ["text/event-stream"]
    elif row.path.endswith("/export/"):
        media_type = "application/zip" if row.path == "me/export/" else "application/jsonl"
        assert media_type in documented(row)["200"]["content"]
    else:
        check(row, str(row.status), answer)
    assert all(TIME.fullmatch(time) for time in times(answer))


def test_every_route_is_documented() -> None:
    named = {(row.method.lower(), "/api/v1/" + row.route.replace("<uuid:", "{").replace(">", "}")) for row in ROWS}
    paths = [path for path in SCHEMA["paths"] if path.startswith("/api/v1/") and "/storage/" not in path]
    native = {(method, path) for path in paths for method in SCHEMA["paths"][path]}
    assert native == named


def test_the_tree_has_the_documented_shape(samples: SampleObjects, alice: User) -> None:
    row = next(row for row in ROWS if str(row) == "GET conversations/<uuid:id>/messages/")
    client = ApiClient(alice)
    client("PATCH", f"messages/{samples.message.id}/?branch=true", {}, status=201)
    check(row, "200", client("GET", f"conversations/{samples.conversation.id}/messages/?all=true"))


@pytest.mark.parametrize("query", ["", "?all=true"])
def test_an_empty_page_has_the_documented_shape(query: str, samples: SampleObjects, alice: User) -> None:
    row = next(row for row in ROWS if str(row) == "GET conversations/<uuid:id>/messages/")
    client = ApiClient(alice)
    empty = client("POST", "conversations/", {}, status=201)["id"]
    check(row, "200", client("GET", f"conversations/{empty}/messages/{query}"))


@pytest.mark.parametrize("parts", [{"a": [1]}, [{"type": "text"}], [], {}, None])
@pytest.mark.parametrize("tool_calls", [[{"id": "1"}], [], None])
@pytest.mark.parametrize("usage", [{"n": 0}, {}, None])
def test_a_message_with_structured_fields_has_the_documented_shape(
    parts: Any, tool_calls: Any, usage: Any, samples: SampleObjects, alice: User
) -> None:
    row = next(row for row in ROWS if str(row) == "POST conversations/<uuid:id>/messages/")
    body = {"role": "user", "content": "c", "parts": parts, "tool_calls": tool_calls, "usage": usage}
    check(row, "201", ApiClient(alice)("POST", f"conversations/{samples.conversation.id}/messages/", body, status=201))


@pytest.mark.parametrize("field", ["parts", "tool_calls", "usage", "metadata"])
def test_openapi_states_the_types_of_structured_fields(field: str) -> None:
    message = jsonschema.Draft202012Validator(strict({"$ref": "#/components/schemas/Message"})["properties"][field])
    assert not message.is_valid("text") and not message.is_valid(1)


FULL = {
    "role": "tool", "content": "é", "parts": {"b": 1, "a": [1.5]}, "tool_calls": [{}], "usage": {"n": 0},
    "prompt_tokens": 1, "metadata": {"x": None},
}  # fmt: skip


@pytest.mark.parametrize("body", [{"role": "user", "content": "x"}, FULL])
def test_the_response_of_a_creation_equals_the_stored_message(body: Any, alice: User, samples: SampleObjects) -> None:
    """PostgreSQL serializes stored messages, Python serializes created messages. The results have the same keys, in the
    same order, and the same values."""
    client = ApiClient(alice)
    path = f"conversations/{samples.conversation.id}/messages/"
    created = client("POST", path, body, status=201)
    alternative = client("PATCH", f"messages/{created['id']}/?branch=true", {}, status=201)
    for one in (created, alternative):
        read = client("GET", f"messages/{one['id']}/")
        hidden = {"is_active": one is alternative, "sibling_ids": [created["id"], alternative["id"]]}
        assert read == one | hidden
        assert list(read) == list(one)
        assert {name: type(value) for name, value in read.items()} == {name: type(v) for name, v in one.items()}
    assert client("GET", path)["results"][-1] == alternative


@pytest.mark.parametrize(
    "body", [{}, {"is_archived": True, "tags": ["b", "a"], "metadata": {"z": 1.5, "a": []}, "messages": [FULL]}]
)
def test_the_response_of_a_creation_equals_the_stored_conversation(body: Any, alice: User) -> None:
    client = ApiClient(alice)
    created = client("POST", "conversations/", body, status=201)
    read = client("GET", f"conversations/{created['id']}/")
    assert read == created == client("GET", "conversations/?archived=any")["results"][0]
    assert list(read) == list(created)
    assert {name: type(value) for name, value in read.items()} == {name: type(v) for name, v in created.items()}
