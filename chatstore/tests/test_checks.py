"""The system checks, with settings that cause an error or a warning, and with settings that pass."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import connection, connections


def check_ids(**kwargs: Any) -> set[str | None]:
    return {message.id for message in run_checks(**kwargs) if str(message.id).startswith("chatstore.")}


def test_the_default_settings_pass_all_checks() -> None:
    assert check_ids(include_deployment_checks=False) == set()


def test_debug_on_an_address_that_others_can_reach_is_an_error(settings: Any) -> None:
    settings.DEBUG, settings.LOCAL = True, False
    assert check_ids() == {"chatstore.E001"}


def test_debug_on_loopback_is_allowed(settings: Any) -> None:
    settings.DEBUG, settings.LOCAL = True, True
    assert check_ids() == set()


def test_plain_http_on_an_address_other_than_loopback_is_a_warning(settings: Any) -> None:
    settings.HTTPS, settings.HOST = False, "0.0.0.0"
    assert check_ids() == {"chatstore.W002"}


APP = "https://app.example"


@pytest.mark.parametrize(("read_origins", "write_origins"), [([APP], []), ([APP], ["https://app.example:8443"])])
def test_a_front_end_that_can_read_but_not_write_is_an_error(
    read_origins: list[str], write_origins: list[str], settings: Any
) -> None:
    settings.CORS_ALLOWED_ORIGINS, settings.CSRF_TRUSTED_ORIGINS = read_origins, write_origins
    assert check_ids() == {"chatstore.E004"}


def test_a_second_origin_that_can_write_but_not_read_is_an_error(settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS, settings.CSRF_TRUSTED_ORIGINS = [APP], [APP, "https://other.example"]
    assert check_ids() == {"chatstore.E004"}


def test_equal_settings_or_an_empty_cors_allowed_origins_are_allowed(settings: Any) -> None:
    settings.CSRF_TRUSTED_ORIGINS = [APP]
    assert check_ids() == set()
    settings.CORS_ALLOWED_ORIGINS = [APP]
    assert check_ids() == set()


@pytest.fixture
def single_user(settings: Any) -> Any:
    """Single-user mode with the settings of a local run."""
    settings.SINGLE_USER, settings.LOCAL, settings.HTTPS, settings.PROXIES = "ada@localhost", True, False, 0
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
    return settings


def test_single_user_mode_on_this_machine_is_allowed(single_user: Any) -> None:
    assert check_ids() == set()


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"LOCAL": False}, "HOST is not loopback or DATABASE_URL is set"),
        ({"HTTPS": True}, "HTTPS or PROXIES is set"),
        ({"PROXIES": 1}, "HTTPS or PROXIES is set"),
        ({"ALLOWED_HOSTS": ["localhost", "chat.example"]}, "ALLOWED_HOSTS contains chat.example"),
        ({"ALLOWED_HOSTS": ["*"]}, r"ALLOWED_HOSTS contains \*"),
        ({"ALLOWED_HOSTS": [".localhost"]}, "ALLOWED_HOSTS contains .localhost"),
        ({"CORS_ALLOWED_ORIGINS": [APP, "null"]}, "CORS_ALLOWED_ORIGINS contains null"),
        ({"SINGLE_USER": "ada"}, "it is no e-mail address"),
    ],
)
def test_single_user_mode_is_an_error_where_others_may_get_in(
    changes: dict[str, Any], problem: str, single_user: Any
) -> None:
    for name, value in changes.items():
        setattr(single_user, name, value)
    (error,) = [message for message in run_checks() if message.id == "chatstore.E005"]
    assert re.match(f"SINGLE_USER is set, and {problem}", error.msg)
    single_user.SINGLE_USER = ""
    assert "chatstore.E005" not in check_ids()


def test_in_single_user_mode_a_front_end_needs_only_cors_allowed_origins(single_user: Any) -> None:
    single_user.CORS_ALLOWED_ORIGINS = [APP]
    assert check_ids() == set()


@pytest.mark.django_db
def test_a_database_that_folds_case_passes_the_checks() -> None:
    assert check_ids(databases=["default"]) == set()


@pytest.fixture
def database_with_locale_c() -> Iterator[str]:
    """Create an empty database with the locale C. Return the alias of its connection."""
    other = connection.copy("locale_c")
    other.settings_dict["NAME"] = "chatstore_locale_c"
    with connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE chatstore_locale_c TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
    connections["locale_c"] = other
    yield "locale_c"
    other.close()
    del connections["locale_c"]
    with connection.cursor() as cursor:
        cursor.execute("DROP DATABASE chatstore_locale_c")


@pytest.mark.django_db(transaction=True)
def test_a_database_with_the_locale_c_is_a_warning(database_with_locale_c: str) -> None:
    assert check_ids(tags=["database"], databases=[database_with_locale_c]) == {"chatstore.W003"}
