"""The route /preferences/."""

from typing import Any

import pytest

from accounts.models import Preferences
from testing.api_client import ApiClient

DEFAULTS = {"default_model": "groq", "theme": "dark", "language": "en", "active_conversation": "", "extra": {}}
SET = {"default_model": "m", "theme": "t", "language": "de", "active_conversation": "unknown", "extra": {"a": [1]}}


def without_times(answer: Any) -> Any:
    return {name: value for name, value in answer.items() if not name.endswith("_at")}


def test_preferences_have_defaults_and_reading_stores_nothing(as_alice: ApiClient) -> None:
    assert as_alice("GET", "preferences/") == DEFAULTS | {"created_at": None, "updated_at": None}
    assert not Preferences.objects.exists()


def test_a_patch_changes_only_the_fields_that_it_has(as_alice: ApiClient) -> None:
    patched = as_alice("PATCH", "preferences/", {"theme": "light"})
    assert without_times(patched) == DEFAULTS | {"theme": "light"}
    assert as_alice("GET", "preferences/") == patched
    assert without_times(as_alice("PATCH", "preferences/", SET)) == SET


def test_a_put_replaces_all_fields(as_alice: ApiClient) -> None:
    first = as_alice("PUT", "preferences/", SET)
    assert without_times(first) == SET
    second = as_alice("PUT", "preferences/", {"language": "fr"})
    assert without_times(second) == DEFAULTS | {"language": "fr"}
    assert second["created_at"] == first["created_at"] < second["updated_at"]


def test_the_response_of_a_get_can_be_sent_back_without_a_change(as_alice: ApiClient) -> None:
    as_alice("PUT", "preferences/", SET)
    for method in ("PUT", "PATCH"):
        assert without_times(as_alice(method, "preferences/", as_alice("GET", "preferences/"))) == SET


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"theme": None}, "theme"),
        ({"theme": ""}, "theme"),
        ({"theme": True}, "theme"),
        ({"theme": "x" * 33}, "theme"),
        ({"active_conversation": 5}, "active_conversation"),
        ({"extra": []}, "extra"),
        ({"extra": {"x": "y" * 16_000}}, "extra"),
        ({"extra": None}, "extra"),
        ({"storage_known": None}, "storage_known"),
        ({"user": "x"}, "user"),
        ("x", None),
        ([{}], None),
    ],
)
def test_invalid_values_are_refused(body: Any, field: str | None, method: str, as_alice: ApiClient) -> None:
    assert as_alice.refusal(method, "preferences/", body, status=400)[1] == field
    assert not Preferences.objects.exists()
