"""Every answer, JSON made by PostgreSQL or by Python, has the shape that docs/openapi.yaml states, no key more."""

import re
from typing import Any

import jsonschema
import pytest
import yaml
from django.conf import settings

from accounts.models import User
from testing.api_client import ApiClient

from .test_every_route import ROWS, Row, SampleObjects, every_row

SCHEMA = yaml.safe_load((settings.BASE_DIR / "docs" / "openapi.yaml").read_text())
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def strict(node: Any) -> Any:
    """References followed, nothing beside what is named."""
    if isinstance(node, list):
        return [strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return strict(SCHEMA["components"]["schemas"][node["$ref"].rpartition("/")[2]])
    schema = {name: strict(value) for name, value in node.items()}
    if "properties" in schema:
        schema.setdefault("additionalProperties", False)
    return schema


def documented(row: Row) -> dict[str, Any]:
    """The responses of a row's route, by status."""
    path = "/api/v1/" + row.route.replace("<uuid:id>", "{id}")
    responses: dict[str, Any] = SCHEMA["paths"][path][row.method.lower()]["responses"]
    return responses


def check(row: Row, status: str, answer: Any) -> None:
    """Refuse an answer that the document forbids as it is written, or that has a key which it does not name."""
    schema = documented(row)[status]["content"]["application/json"]["schema"]
    for stated in ({**schema, "components": SCHEMA["components"]}, strict(schema)):
        validator = jsonschema.Draft202012Validator(stated)
        problem = jsonschema.exceptions.best_match(validator.iter_errors(answer))
        assert problem is None, f"{problem.json_path}: {problem.message}"


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
def test_answers_and_errors_have_the_documented_shape(row: Row, samples: SampleObjects, alice: User) -> None:
    check(row, "default", samples.call(ApiClient(), row, 401))
    answer = samples.call(ApiClient(alice), row, row.status)
    if row.status == 204:
        assert "content" not in documented(row)["204"]
    elif row.path == "me/export/":
        assert list(documented(row)["200"]["content"]) == ["application/zip"]
    else:
        check(row, str(row.status), answer)
    assert all(TIME.fullmatch(time) for time in times(answer))


def test_every_route_is_documented() -> None:
    named = {(row.method.lower(), "/api/v1/" + row.route.replace("<uuid:id>", "{id}")) for row in ROWS}
    paths = [path for path in SCHEMA["paths"] if path.startswith("/api/v1/") and "/storage/" not in path]
    native = {(method, path) for path in paths for method in SCHEMA["paths"][path]}
    assert native == named


def test_the_tree_has_the_documented_shape(samples: SampleObjects, alice: User) -> None:
    row = next(row for row in ROWS if str(row) == "GET conversations/<uuid:id>/messages/")
    caller = ApiClient(alice)
    caller("PATCH", f"messages/{samples.message.id}/?branch=true", {}, status=201)
    check(row, "200", caller("GET", f"conversations/{samples.conversation.id}/messages/?all=true"))


@pytest.mark.parametrize("query", ["", "?all=true"])
def test_an_empty_page_has_the_documented_shape(query: str, samples: SampleObjects, alice: User) -> None:
    row = next(row for row in ROWS if str(row) == "GET conversations/<uuid:id>/messages/")
    caller = ApiClient(alice)
    empty = caller("POST", "conversations/", {}, status=201)["id"]
    check(row, "200", caller("GET", f"conversations/{empty}/messages/{query}"))


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
def test_the_document_states_the_types_of_structured_fields(field: str) -> None:
    message = jsonschema.Draft202012Validator(strict({"$ref": "#/components/schemas/Message"})["properties"][field])
    assert not message.is_valid("text") and not message.is_valid(1)


FULL = {
    "role": "tool", "content": "é", "parts": {"b": 1, "a": [1.5]}, "tool_calls": [{}], "usage": {"n": 0},
    "prompt_tokens": 1, "metadata": {"x": None},
}  # fmt: skip


@pytest.mark.parametrize("body", [{"role": "user", "content": "x"}, FULL])
def test_a_message_made_is_the_message_read(body: Any, alice: User, samples: SampleObjects) -> None:
    """PostgreSQL writes what is read, Python what was just made: the same keys in the same order, the same values."""
    caller = ApiClient(alice)
    path = f"conversations/{samples.conversation.id}/messages/"
    made = caller("POST", path, body, status=201)
    alternative = caller("PATCH", f"messages/{made['id']}/?branch=true", {}, status=201)
    for one in (made, alternative):
        read = caller("GET", f"messages/{one['id']}/")
        hidden = {"is_active": one is alternative}
        assert read == one | hidden
        assert list(read) == list(one)
        assert {name: type(value) for name, value in read.items()} == {name: type(v) for name, v in one.items()}
    assert caller("GET", path)["results"][-1] == alternative


@pytest.mark.parametrize(
    "body", [{}, {"is_archived": True, "tags": ["b", "a"], "metadata": {"z": 1.5, "a": []}, "messages": [FULL]}]
)
def test_a_conversation_made_is_the_conversation_read(body: Any, alice: User) -> None:
    caller = ApiClient(alice)
    made = caller("POST", "conversations/", body, status=201)
    read = caller("GET", f"conversations/{made['id']}/")
    assert read == made == caller("GET", "conversations/?archived=any")["results"][0]
    assert list(read) == list(made)
    assert {name: type(value) for name, value in read.items()} == {name: type(v) for name, v in made.items()}
