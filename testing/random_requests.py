"""Random requests for every operation of docs/openapi.yaml, made by schemathesis."""

import copy
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch
from zoneinfo import available_timezones

import orjson
import schemathesis
from django.test.client import ClientHandler
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers

from accounts.models import ApiToken, User
from chatstore import strict_json
from chatstore.errors import Invalid
from conversations.models import Message
from conversations.services import conversations

from .shapes import SCHEMA

SEED = 20261124
CONFIG = schemathesis.Config.from_dict(
    {
        "seed": SEED,
        "suppress-health-check": ["all"],
        "generation": {"max-examples": 20, "database": "none", "with-security-parameters": False},
        "output": {"sanitization": {"enabled": False}},
        "analysis": {"constants": {"enabled": False}},
        # What earlier responses contained, such as ids and times, differs between two runs.
        "phases": {"fuzzing": {"extra-data-sources": {"responses": False}, "error-feedback": {"enabled": False}}},
    }
)
COUNTS = ("prompt_tokens", "completion_tokens", "max_tokens")
LARGE = 500  # characters or items
# Objects of Alice, and an id that names nothing.
CHAT, CONVERSATION, MESSAGE, TOKEN = "chat-1", *(f"01990000-0000-7000-8000-00000000000{n}" for n in (1, 2, 3))
KNOWN_IDS = [CHAT, CONVERSATION, MESSAGE, TOKEN]
# Formats of our own in the document, and `uri`, of which we accept only addresses of web pages.
FORMATS = {
    "json-object": st.dictionaries(st.text(st.characters(exclude_characters="\0"), max_size=5), st.booleans()).map(
        lambda value: orjson.dumps(value).decode()
    ),
    "time-zone": st.sampled_from(sorted(available_timezones() - {"localtime"})),
    "uri": st.from_regex(r"https?://[a-z]{1,9}\.example(/[a-z0-9]{0,9}){0,3}", fullmatch=True),
}


def load() -> Any:
    """Return the document as schemathesis needs it. Half of the ids in paths name an object of Alice."""
    for name, strategy in FORMATS.items():
        schemathesis.openapi.format(name, strategy)
    document = _without_large_limits(copy.deepcopy(SCHEMA))
    for parameter in _path_parameters(document):
        parameter["schema"] = {"anyOf": [{"enum": KNOWN_IDS}, parameter["schema"]]}
    schema = schemathesis.openapi.from_dict(document, config=CONFIG)
    schema.app = _application
    return schema


def _without_large_limits(node: Any) -> Any:
    """Leave out limits above LARGE: a text of a megabyte takes a second. Other tests send such texts."""
    if isinstance(node, list):
        return [_without_large_limits(item) for item in node]
    if not isinstance(node, dict):
        return node
    small = (each for each in node.items() if each[0] not in ("maxLength", "maxItems") or each[1] <= LARGE)
    return {name: _without_large_limits(value) for name, value in small}


def _path_parameters(document: dict[str, Any]) -> Iterable[dict[str, Any]]:
    operations = (operation for path in document["paths"].values() for operation in path.values())
    return (each for operation in operations for each in operation.get("parameters", ()) if each["in"] == "path")


@contextmanager
def repeatable() -> Iterator[None]:
    """Make the same requests in every run. Hypothesis also draws constants of the modules that are loaded, so other
    tests and each change of the code would change the requests."""
    with patch.object(providers, "_get_local_constants", providers.Constants):
        providers.CONSTANTS_CACHE.cache.clear()
        yield
    providers.CONSTANTS_CACHE.cache.clear()


_handler = ClientHandler(enforce_csrf_checks=True)


def _application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
    """Answer a request inside the transaction of the test. Django's own WSGI application closes the connection."""
    response = _handler(environ)
    start_response(f"{response.status_code} {response.reason_phrase}", list(response.items()))
    return [b"".join(response)]  # not the response: its close() would close the connection, too


def create_objects(alice: User) -> None:
    """Create the objects of KNOWN_IDS."""
    drafts: Any = [{"role": "user", "content": "The zebra?"}, {"role": "assistant", "content": "Striped."}]
    fields = {"id": CONVERSATION, "external_id": CHAT, "title": "Zebras"}
    conversations.create(user=alice, fields=fields, drafts=drafts)
    Message.objects.filter(seq=1).update(id=MESSAGE)
    ApiToken.objects.create(id=TOKEN, user=alice, name="a program", digest=b"unused")


def may_be_refused(case: Any) -> bool:
    """Return whether the document refuses the request only in words, because JSON Schema cannot express the rule."""
    return any(rule(case) for rule in RULES_IN_WORDS)


def _is_unstorable(case: Any) -> bool:
    """Return whether a value has NUL characters, lone surrogates, numbers outside 64 bits or deep nesting."""
    body = case.body if isinstance(case.body, dict | list) else None
    try:
        strict_json.loads(orjson.dumps([body, case.query]))
    except (Invalid, TypeError):  # orjson raises TypeError for what it cannot represent
        return True
    return False


def _has_float(case: Any) -> bool:
    """Return whether the body has a whole number as a float. 5.0 is an integer in JSON Schema, but not in chatstore."""
    bodies = case.body if isinstance(case.body, list) else [case.body]
    objects = [each for each in bodies if isinstance(each, dict)]
    objects += [each["model_options"] for each in objects if isinstance(each.get("model_options"), dict)]
    return any(isinstance(each.get(name), float) for each in objects for name in COUNTS)


def _has_made_up_cursor(case: Any) -> bool:
    """Return whether the request has a cursor. Only the cursor of a previous page is valid."""
    return "cursor" in (case.query or {})


def _expires(case: Any) -> bool:
    """Return whether the request creates a token that expires: it must do so in the future."""
    return isinstance(case.body, dict) and bool(case.body.get("expires_at"))


def _empties_message(case: Any) -> bool:
    """Return whether a change of a message removes its content. It must keep content, parts or tool calls."""
    return case.method == "PATCH" and isinstance(case.body, dict) and case.body.get("content", "") is None


def _names_edited_question(case: Any) -> bool:
    """Return whether an edited question gets an external_id. Only a new question can have one."""
    return isinstance(case.body, dict) and bool(case.body.get("message_id") and case.body.get("external_id"))


def _names_no_tag(case: Any) -> bool:
    """Return whether an action on several conversations needs a tag, and has none."""
    return isinstance(case.body, dict) and str(case.body.get("action")).endswith("_tag") and "tag" not in case.body


def _repeats_id(case: Any) -> bool:
    """Return whether contract D saves two sessions with the same id."""
    sessions = case.body.get("chatSessions") if isinstance(case.body, dict) else None
    ids = [each.get("id") for each in sessions or () if isinstance(each, dict)] if isinstance(sessions, list) else []
    return any(ids.count(id) > 1 for id in ids)


def _asks_with_history(case: Any) -> bool:
    """Return whether a contract's chat gets a history: one message has a text, or the last one is of the user."""
    return (
        case.path in ("/api/chat/", "/api/chat/completion/")
        and case.method == "POST"
        and isinstance(case.body, dict)
        and "messages" in case.body
    )


RULES_IN_WORDS = (
    _asks_with_history,
    _is_unstorable,
    _has_float,
    _has_made_up_cursor,
    _expires,
    _empties_message,
    _names_edited_question,
    _names_no_tag,
    _repeats_id,
)
