"""/service/: the settings that a client must know."""

from pytest_django import Settings

from testing.api_client import ApiClient
from testing.statements import assert_statement_count


def test_a_client_gets_the_settings_that_it_must_know(as_either: ApiClient, settings: Settings) -> None:
    settings.TRASH_DAYS, settings.KEEP_CONVERSATIONS = 7, 10
    settings.RETENTION_DAYS, settings.RETENTION_DAYS_BY_TAG = 90, {"legal": 0}
    settings.SHOW_AUDIT_TO_USERS = True
    settings.MODELS = {}
    assert as_either("GET", "service/") == {
        "version": "1",
        "single_user": False,
        "trash_days": 7,
        "keep_conversations": 10,
        "retention_days": 90,
        "retention_days_by_tag": {"legal": 0},
        "content_limit": 1_000_000,
        "messages_limit": 1_000,
        "audit_shown": True,
        "languages": [{"code": "en", "name": "English"}, {"code": "de", "name": "Deutsch"}],
        "is_echo": True,
    }


def test_with_a_model_the_service_is_no_echo(as_alice: ApiClient, settings: Settings) -> None:
    settings.MODELS = {"groq": {"kind": "openai", "base_url": "http://localhost:9/v1", "api_key": "x", "model": "m"}}
    assert as_alice("GET", "service/")["is_echo"] is False


def test_the_settings_cost_no_statement(as_alice: ApiClient) -> None:
    as_alice("GET", "me/")
    with assert_statement_count(1):  # it finds the user of the token
        as_alice("GET", "service/")
