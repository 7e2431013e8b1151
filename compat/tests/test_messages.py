"""Error messages for invalid bodies. Each error that Pydantic can raise has a message of ours, which is translated."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chatstore.env import BASE_DIR
from compat.contract import MESSAGES, Schema
from testing.api_client import ApiClient

# For each kind of node in a Pydantic core schema: its possible errors, by the key of the node that causes them.
# For example, a node with `max_length` can raise "too_long". Every node has the key `type`.
ERRORS: dict[str, dict[str, str]] = {
    "any": {},
    "datetime": {},  # a validator of ours runs first and returns a datetime
    "dict": {"type": "dict_type"},
    "list": {"type": "list_type", "max_length": "too_long"},
    "literal": {"type": "literal_error"},
    "model": {"type": "model_type"},
    "model-field": {"type": "missing"},
    "typed-dict": {"type": "dict_type"},
    "typed-dict-field": {"type": "missing"},
    "str": {"type": "string_type", "min_length": "string_too_short", "max_length": "string_too_long"},
    **dict.fromkeys(("default", "function-after", "function-before", "model-fields", "no-info", "nullable"), {}),
}
NO_NODES = ("cls", "config", "default", "expected", "metadata")


def request_schemas() -> Iterator[type[Schema]]:
    """Yield the schemas with which a view reads a request."""
    for views in sorted((BASE_DIR / "compat").glob("*/views.py")):
        module = importlib.import_module(f"compat.{views.parent.name}.schemas")
        for by_read, by_of in re.findall(r"read\(schemas\.(\w+)\)|schemas\.(\w+)\.of\(", views.read_text()):
            yield getattr(module, by_read or by_of)


def error_types(node: Any) -> Iterator[str]:
    """Yield the types of the errors that a Pydantic core schema can raise."""
    if isinstance(node, dict) and isinstance(kind := node.get("type"), str):
        assert kind in ERRORS, f"Add the errors of {kind!r} to ERRORS, and their messages to MESSAGES."
        yield from (error for constraint, error in ERRORS[kind].items() if constraint in node)
    for name, part in node.items() if isinstance(node, dict) else ():
        if name not in NO_NODES:
            yield from error_types(part)


def test_every_error_that_pydantic_can_raise_has_a_message() -> None:
    found = {error for schema in request_schemas() for error in error_types(schema.__pydantic_core_schema__)}
    assert found == MESSAGES.keys()


def test_every_error_of_ours_is_made_by_refusal() -> None:
    """Only `refusal` marks a message as translated, so no other code may create a PydanticCustomError."""
    for path in Path(BASE_DIR / "compat").rglob("*.py"):
        count = path.read_text().count("PydanticCustomError(")
        assert count == (path.name == "contract.py") or path.parent.name == "tests", path


A, B, C = "/api/chat/sessions/", "/api/chat/", "/api/messages/"
D, E = "/api/v1/storage/chat-sessions/", "/api/conversations/chat-1/title/"


def stored(**fields: Any) -> Any:
    return {"chatSessions": [{"id": "s", "messages": [], **fields}]}


@pytest.mark.parametrize(
    ("method", "path", "body", "english", "german"),
    [
        ("POST", A, {}, "messages: This field is required.", "messages: Dieses Feld ist erforderlich."),
        ("POST", A, {"messages": 5}, "messages: Must be an array.", "messages: Muss ein Array sein."),
        ("POST", A, {"messages": [5]}, "messages[0]: Must be an object.", "messages[0]: Muss ein Objekt sein."),
        ("POST", B, {"message": 5}, "message: Must be a string.", "message: Muss ein Text sein."),
        ("POST", B, {"message": " "}, "message: Must not be empty.", "message: Darf nicht leer sein."),
        ("POST", B, {"message": "Hello", "model": "x" * 256},
         "model: Must have at most 255 characters.", "model: Darf höchstens 255 Zeichen haben."),
        ("POST", B, {"message": "x" * 1_000_001},
         "message: Has 1,000,001 bytes; the limit is 1,000,000.",
         "message: Hat 1,000,001 Bytes; erlaubt sind 1,000,000."),
        ("POST", A, {"messages": [{"role": "user", "content": ""}] * 10_001},
         "messages: Must have at most 10,000 entries.", "messages: Darf höchstens 10,000 Einträge haben."),
        ("POST", A, {"messages": [{"role": "king", "content": ""}]},
         "messages[0].role: Must be one of 'user', 'assistant', 'system'.",
         "messages[0].role: Muss eines von diesen sein: 'user', 'assistant', 'system'."),
        ("POST", D, stored(id=""),
         "chatSessions[0].id: Must not be empty.", "chatSessions[0].id: Darf nicht leer sein."),
        ("POST", D, stored(tokenUsage=5),
         "chatSessions[0].tokenUsage: Must be an object.", "chatSessions[0].tokenUsage: Muss ein Objekt sein."),
        ("POST", D, stored(tokenUsage={"x": "y" * 16_000}),
         "chatSessions[0].tokenUsage: Has 16,008 bytes as JSON; the limit is 16,000.",
         "chatSessions[0].tokenUsage: Hat als JSON 16,008 Bytes; erlaubt sind 16,000."),
        ("POST", D, stored(createdAt="yesterday"),
         "chatSessions[0].createdAt: Must be a time between 1970 and 2200, in milliseconds or ISO 8601.",
         "chatSessions[0].createdAt: Muss eine Zeit zwischen 1970 und 2200 sein, in Millisekunden oder nach ISO 8601."),
        ("POST", D, stored(messages=[{"role": "user", "content": None}]),
         "chatSessions[0].messages[0]: content can be null only if tool_calls is given.",
         "chatSessions[0].messages[0]: content darf nur null sein, wenn tool_calls angegeben ist."),
        ("PUT", f"{E}?title=a%00b", {},
         "title: A NUL character cannot be stored.", "title: Ein NUL-Zeichen kann nicht gespeichert werden."),
    ],
    ids=lambda value: str(value)[:60],
)  # fmt: skip
def test_a_refused_body_is_explained_in_the_language_of_the_browser(
    method: str, path: str, body: Any, english: str, german: str, as_either: ApiClient
) -> None:
    assert as_either(method, path, body, status=400)["error"] == english
    assert as_either(method, path, body, status=400, Accept_Language="de")["error"] == german


def test_contract_c_has_the_same_code_in_every_language(as_either: ApiClient) -> None:
    body = {"chat_id": "chat-1", "role": "king", "content": "Hello"}
    (plain,) = as_either("POST", C, body, status=422)["detail"]
    (local,) = as_either("POST", C, body, status=422, Accept_Language="de")["detail"]
    assert plain["msg"] == "Must be one of 'user', 'ai', 'system'."
    assert local == plain | {"msg": "Muss eines von diesen sein: 'user', 'ai', 'system'."}
    assert plain["type"] == "literal_error"
