"""Malformed bodies for each writing route and malformed values for each query parameter.

The response is never a 500, all errors have the documented format, and a refused request stores nothing.
"""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from django.apps import apps
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.api.serializers import ErasureSerializer, MeSerializer, PreferencesSerializer, TokenSerializer
from accounts.models import User
from conversations.api.serializers import (
    BranchSerializer,
    BulkSerializer,
    MessageSerializer,
    NewConversationSerializer,
    NewShareSerializer,
    ReactionSerializer,
)
from replies.api.serializers import QuestionSerializer, ReplySerializer, StopSerializer
from testing.api_client import NO_BODY, ApiClient, is_error
from testing.routes import READING, ROWS, WRITING, Row, SampleObjects

DEEP = b"[" * 10_000 + b"]" * 10_000
JUNK: list[Any] = [
    None, True, False, 0, -1, 1.5, -0.0, 2**31, -(2**31) - 1, 2**63 - 1, -(2**63), 1e300, 5e-324, "", " ", "x", "1",
    "true", "null", "x" * 300, "y" * 1_000_001, "é😀\u2028\ufeff\ufffe\uffff\u202e", "0000-01-01T00:00:00Z",
    "10000-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2026-02-30", "NaN",
    "' OR 1=1 --", "%s %(x)s {0}", "<script>", "../../etc/passwd", "\r\nX: y", "\x1b[31m\x7f",
    [], [None], [[]], [1, "a", None, {}], ["x"] * 2_000, ["x", "x"], {}, {"": ""}, {"a": {"b": [None]}},
    {"x" * 300: 1}, {"__proto__": 1}, {"$ref": "#"}, [{"role": "user", "content": "x"}], {"role": "king"},
]  # fmt: skip
# Values that are not JSON, or JSON that cannot be stored
RAW = [
    b"", b"nul", b"NaN", b"Infinity", b"-Infinity", b"1e999", b"18446744073709551616", b"9" * 5_000, b'"\\u0000"',
    b'"a\\u0000b"', b'{"\\u0000":1}', b'"\\ud800"', b'"\\udc00\\ud800"', b'"\xff"', b'"\xed\xa0\x80"', b"\xff\xfe",
    b"\xef\xbb\xbf1", b"[1,]", b"{,}", b"'x'", b"01", b"1 2", b"//c\n1", b'{"a":1', b'"\n"', b"\0", DEEP,
    b'{"a":' * 10_000 + b"1" + b"}" * 10_000, b"[" * 1_000_000,
]  # fmt: skip
FIELDS = {
    "chat/": QuestionSerializer,
    "conversations/": NewConversationSerializer,
    "conversations/bulk/": BulkSerializer,
    "conversations/<uuid:id>/": NewConversationSerializer,
    "conversations/<uuid:id>/branch/": BranchSerializer,
    "conversations/<uuid:id>/messages/": MessageSerializer,
    "conversations/<uuid:id>/reply/": ReplySerializer,
    "conversations/<uuid:id>/shares/": NewShareSerializer,
    "conversations/<uuid:id>/stop/": StopSerializer,
    "messages/<uuid:id>/": MessageSerializer,
    "messages/<uuid:id>/?branch=true": MessageSerializer,
    "messages/<uuid:id>/reactions/": ReactionSerializer,
    "me/": MeSerializer,
    "DELETE me/": ErasureSerializer,
    "preferences/": PreferencesSerializer,
    "tokens/": TokenSerializer,
}


def serializer_of(row: Row) -> Any:
    return FIELDS.get(str(row)) or FIELDS[row.path]


WITH_BODY = [row for row in WRITING if row.body is not NO_BODY]
# Routes with the same fields as another one. test_junk_in_a_field_never_causes_a_500 leaves them out.
ALIKE = {
    "PUT conversations/<uuid:id>/",
    "PUT conversations/<uuid:id>/messages/",
    "PATCH messages/<uuid:id>/?branch=true",
    "PUT preferences/",
}
every_row = pytest.mark.parametrize("row", WITH_BODY, ids=str)


@pytest.fixture
def samples(alice: User) -> SampleObjects:
    return SampleObjects(alice)


class JunkSender:
    """Sends raw bodies to one route. Rolls back accepted requests, so that all requests find the same rows."""

    def __init__(self, samples: SampleObjects, alice: User, row: Row) -> None:
        self.row, self.caller = row, ApiClient(alice)
        self.path = row.path.replace("<uuid:id>", str(getattr(samples, row.target).id) if row.target else "")
        self.good = samples.body(row)
        self.caller("GET", "me/")  # stores the first use of the token
        self.before = stored()

    def send(self, body: bytes) -> int:
        url, _, query = f"/api/v1/{self.path}".partition("?")
        with transaction.atomic():
            answer = self.caller.client.generic(
                self.row.method, url, body, "application/json", headers=self.caller.headers, QUERY_STRING=query
            )
            transaction.set_rollback(answer.status_code < 300)
        about = (self.row, body[:200], getattr(answer, "content", b"a stream")[:500])
        assert answer.status_code < 500, about
        assert answer.status_code < 300 or is_error(answer), about
        return int(answer.status_code)

    def with_value(self, field: str, value: bytes) -> bytes:
        """Return the valid body with this value in one field. Of an array, return only the first message, changed."""
        one = self.good[0] if isinstance(self.good, list) else self.good
        rest = json.dumps({name: item for name, item in one.items() if name != field}).encode()[1:-1]
        body = b"{" + json.dumps(field).encode() + b":" + value + (b"," + rest if rest else b"") + b"}"
        return b"[" + body + b"]" if isinstance(self.good, list) else body


def stored() -> list[Any]:
    """Return all rows of all tables."""
    return [list(model._default_manager.order_by("pk").values()) for model in TABLES]


TABLES = [model for name in ("accounts", "conversations") for model in apps.get_app_config(name).get_models()]
ENCODED = [json.dumps(value).encode() for value in JUNK]


@pytest.fixture
def sender(row: Row, samples: SampleObjects, alice: User) -> Iterator[JunkSender]:
    sender = JunkSender(samples, alice, row)
    yield sender
    assert stored() == sender.before, "a refused request stored something"


@every_row
def test_junk_as_a_body_never_causes_a_500(row: Row, sender: JunkSender) -> None:
    for body in ENCODED:
        sender.send(body)
    for raw in RAW[1:]:
        assert sender.send(raw) == 400, raw[:100]


@pytest.mark.parametrize("row", [row for row in WITH_BODY if str(row) not in ALIKE], ids=str)
def test_junk_in_a_field_never_causes_a_500(row: Row, sender: JunkSender) -> None:
    fields = serializer_of(row)().fields.items()
    names = [name for name, field in fields if name in ("id", "created_at") or not field.read_only]
    for name in [*names, "no_such_field", "é" * 300]:
        for value in ENCODED:
            sender.send(sender.with_value(name, value))


@every_row
def test_a_value_that_cannot_be_stored_is_a_400(row: Row, sender: JunkSender) -> None:
    field = next(iter(serializer_of(row)().fields))
    for raw in RAW[:-1]:
        assert sender.send(sender.with_value(field, raw)) == 400, raw[:100]


@pytest.mark.parametrize(
    ("value", "code", "field"),
    [
        (b'{"title": "a\\u0000"}', "invalid_json", "title"),
        (b'{"metadata": {"a": [1, {"b": "\\u0000"}]}}', "invalid_json", "metadata.a[1].b"),
        (b'{"metadata": {"a": {"\\u0000": 1}}}', "invalid_json", "metadata.a"),
        (b'{"metadata": {"a": 1e19}}', "invalid_json", "metadata.a"),
        (b'{"metadata": ' + DEEP[9_900:10_100] + b"}", "invalid_json", "metadata"),
        (b'{"title": "\\ud800"}', "invalid_json", None),
        (b'{"title": 5}', "invalid", "title"),
        (b'{"shoe": 5}', "unknown_field", "shoe"),
        (b'{"messages": [{"role": "user", "content": "x"}, {"role": "x"}]}', "invalid_choice", "messages[1].role"),
        (b'{"messages": [{"role": "user", "content": "x", "shoe": 1}]}', "unknown_field", "messages[0].shoe"),
        (b'{"tags": ["a", 5]}', "invalid", "tags[1]"),
        (b"[]", "invalid", None),
    ],
)
def test_errors_name_the_field(value: bytes, code: str, field: str | None, as_alice: ApiClient) -> None:
    assert as_alice.refusal("POST", "conversations/", value, status=400) == (code, field)


def test_a_response_names_all_invalid_fields(as_alice: ApiClient) -> None:
    body = {"title": 1, "tags": {}, "messages": [{"role": "x"}], "metadata": []}
    error = as_alice("POST", "conversations/", body, status=400)["error"]
    assert {detail["field"] for detail in error["details"]} >= {"title", "tags", "messages[0].role", "metadata"}


PARAMETERS = {
    "conversations/": "limit cursor archived trashed pinned tag notebook model external_id updated_after "
    "updated_before metadata",
    "conversations/<uuid:id>/": "permanent",
    "conversations/<uuid:id>/messages/": "limit cursor all at",
    "conversations/<uuid:id>/history/": "limit",
    "conversations/<uuid:id>/shares/": "limit cursor",
    "shares/": "limit cursor",
    "messages/<uuid:id>/reactions/": "type",
    "search/": "q sort limit cursor",
    "stats/": "days tz",
}
QUERIES = [
    b"", b"0", b"-1", b"1", b"1e9", b"1000000000", b"9" * 100, b"0000000001" + b"9" * 40, b"true", b"null", b"\0",
    b"\xff", b"\xed\xa0\x80", b"{", b"{}", b"[]", b"[" * 5_000, b'{"a":"\\u0000"}', b'{"a":1e999}',
    b'{"a":' + b"9" * 30 + b"}",
    b'{"' + b"x" * 20_000 + b'":1}', b"0000-00-00", b"0001-01-01T00:00:00+14:00", b"9999-12-31T23:59:59-14:00",
    b"10000-01-01", b"2026-01-01", b"2026-01-01T00:00:00.1234567Z", b"2026-01-01T00:00:00+99:99", b"' OR 1=1 --", b"%s",
    b"\r\nX: y", b"x" * 10_000, "é😀".encode(), b"../..", b"a&b=c;d", b"W10",
]  # fmt: skip


@pytest.mark.parametrize("row", [*READING, *[row for row in ROWS if row.method == "DELETE"]], ids=str)
def test_junk_in_a_query_parameter_never_causes_a_500(row: Row, samples: SampleObjects, alice: User) -> None:
    api_client = ApiClient(alice)
    path = "/api/v1/" + row.route.replace("<uuid:id>", str(getattr(samples, row.target).id) if row.target else "")
    for name in [*PARAMETERS.get(row.route, "").split(), "unknown"]:
        for raw in QUERIES:
            query = f"{name}={quote_from_bytes(raw)}" + ("&q=x" if "search" in path and name != "q" else "")
            answer = api_client.client.generic(row.method, path, headers=api_client.headers, QUERY_STRING=query)
            assert answer.status_code < 500, (query, answer.content[:500])
            if answer.status_code >= 400:
                assert is_error(answer), query
            if answer.status_code == 400:
                assert answer.json()["error"]["field"] in (name, MISSING.get(row.path, name)), query


# Required parameters. The error names the missing one, and not the parameter with junk.
MISSING = {"messages/<uuid:id>/reactions/?type=like": "type"}


# --- Random bodies ------------------------------------------------------------------------------------

TEXTS = st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(["user", "assistant", "x" * 256])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
NESTED = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(TEXTS | st.sampled_from(sorted("abc")), inner, max_size=4)
    ),
    max_leaves=20,
)


def bodies(row: Row) -> st.SearchStrategy[Any]:
    names = sorted(serializer_of(row)().fields)
    wild = st.dictionaries(st.sampled_from(names), NESTED, max_size=6)
    good = row.body if isinstance(row.body, dict) else {"role": "user", "content": "x"}
    one = wild | wild.map(lambda fields: good | fields)
    return one | st.lists(one, max_size=3) | NESTED


@every_row
def test_random_bodies_never_cause_a_500(row: Row, sender: JunkSender) -> None:
    @settings(max_examples=40, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(bodies(row))
    def run(body: Any) -> None:
        # For some random floats, json.dumps writes NaN and Infinity, which are not JSON.
        sender.send(json.dumps(body).encode())

    run()


def test_a_body_cut_short_anywhere_is_refused(samples: SampleObjects, alice: User) -> None:
    sender = JunkSender(samples, alice, next(row for row in ROWS if str(row) == "POST conversations/"))
    text = json.dumps({"title": "é\n", "messages": [{"role": "user", "content": "x", "metadata": {"a": 1.5}}]})
    body = text.encode()
    for length in range(1, len(body)):
        assert sender.send(body[:length]) == 400
    assert sender.send(body) == 201
    assert stored() == sender.before
