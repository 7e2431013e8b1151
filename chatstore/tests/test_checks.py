"""The system checks, with settings that cause an error or a warning, and with settings that pass."""

from typing import Any

import pytest
from django.core.checks import run_checks


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


@pytest.mark.django_db
def test_a_database_that_folds_case_passes_the_checks() -> None:
    assert check_ids(databases=["default"]) == set()
