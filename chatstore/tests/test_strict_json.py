"""strict_json.loads reads JSON that PostgreSQL can store, and refuses all other text."""

from typing import Any

import orjson
import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from chatstore import strict_json
from chatstore.errors import Invalid


def refusal(text: bytes) -> tuple[str, str | None]:
    with pytest.raises(Invalid) as excinfo:
        strict_json.loads(text)
    assert excinfo.value.code == "invalid_json"
    return excinfo.value.message, excinfo.value.field


@pytest.mark.parametrize(
    ("text", "data"),
    [
        (b"null", None),
        (b' {"a": [1, -2.5e3, true, "\xc3\xa9", "\\ud83d\\ude00"]}\n', {"a": [1, -2500.0, True, "é", "😀"]}),
        (b"9223372036854775807", 2**63 - 1),
        (b"-9223372036854775808", -(2**63)),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'"\\u0001\\u001f\x7f"', "\x01\x1f\x7f"),
        (b"1e-400", 0.0),
    ],
)
def test_json_that_can_be_stored_is_read(text: bytes, data: Any) -> None:
    assert strict_json.loads(text) == data


@pytest.mark.parametrize(
    "text",
    [b"", b" ", b"{", b"nul", b"NaN", b"Infinity", b"-Infinity", b"1e999", b"[1,]", b"{'a': 1}", b"1 2", b'"\\ud800"',
     b'"\\udc00\\ud800"', b'"\xff"', b'"\xed\xa0\x80"', b"\xef\xbb\xbf{}", b'"\n"', b"\0",
     b"[" * 10_000 + b"]" * 10_000],
)  # fmt: skip
def test_text_that_cannot_be_parsed_is_refused(text: bytes) -> None:
    message, field = refusal(text)
    assert message.startswith("This is not JSON: ")
    assert field is None


@pytest.mark.parametrize(
    ("text", "problem", "field"),
    [
        (b'"\\u0000"', "NUL", None),
        (b'["a", ["\\u0000"]]', "NUL", "[1][0]"),
        (b'{"messages": [{}, {"role": "a\\u0000"}]}', "NUL", "messages[1].role"),
        (b'{"a": {"\\u0000": 1}}', "NUL", "a"),
        (b'{"\\u0000": 1}', "NUL", None),
        (b"9223372036854775808", "64 bits", None),
        (b'{"a": [-9223372036854775809]}', "64 bits", "a[0]"),
        (b'{"a": 1e19}', "64 bits", "a"),
        (b'{"a": [1e19], "b": "\\u0000"}', "64 bits", "a[0]"),
    ],
)
def test_the_error_names_the_field_of_a_value_that_cannot_be_stored(
    text: bytes, problem: str, field: str | None
) -> None:
    message, error_field = refusal(text)
    assert problem in message
    assert error_field == field


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_the_depth_is_limited(opening: bytes, closing: bytes) -> None:
    def nested(depth: int) -> bytes:
        inner = b"1" if opening.startswith(b"{") else b""
        return b'{"deep":' + opening * (depth - 1) + inner + closing * (depth - 1) + b"}"

    strict_json.loads(nested(settings.JSON_DEPTH_LIMIT))
    message, field = refusal(nested(settings.JSON_DEPTH_LIMIT + 1))
    assert str(settings.JSON_DEPTH_LIMIT) in message
    assert field == "deep"


def test_the_depth_of_each_branch_is_counted_separately() -> None:
    branch = b"[" * 60 + b"]" * 60
    strict_json.loads(b"[" + b",".join([branch] * 50) + b"]")


STORABLE = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
)


def has_nul(data: Any) -> bool:
    if isinstance(data, dict):
        return any("\0" in key or has_nul(value) for key, value in data.items())
    return any(map(has_nul, data)) if isinstance(data, list) else isinstance(data, str) and "\0" in data


@hypothesis_settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(STORABLE)
def test_data_that_can_be_stored_is_read_unchanged(data: Any) -> None:
    text = orjson.dumps(data)
    if has_nul(data):
        refusal(text)
    else:
        assert strict_json.loads(text) == data
