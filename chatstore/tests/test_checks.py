"""Each check, set off and not."""

from typing import Any

import pytest
from django.core.checks import run_checks


def ids(**kwargs: Any) -> set[str | None]:
    return {message.id for message in run_checks(**kwargs) if str(message.id).startswith("chatstore.")}


def test_nothing_is_wrong_at_home() -> None:
    assert ids(include_deployment_checks=False) == set()


def test_debug_where_others_can_reach_it_is_an_error(settings: Any) -> None:
    settings.DEBUG, settings.LOCAL = True, False
    assert ids() == {"chatstore.E001"}


def test_debug_at_home_is_fine(settings: Any) -> None:
    settings.DEBUG, settings.LOCAL = True, True
    assert ids() == set()


def test_plain_http_beyond_loopback_is_a_warning(settings: Any) -> None:
    settings.HTTPS, settings.HOST = False, "0.0.0.0"
    assert ids() == {"chatstore.W002"}


APP = "https://app.example"


@pytest.mark.parametrize(("may_read", "may_write"), [([APP], []), ([APP], ["https://app.example:8443"])])
def test_a_front_end_that_may_read_and_not_write_is_an_error(
    may_read: list[str], may_write: list[str], settings: Any
) -> None:
    settings.CORS_ALLOWED_ORIGINS, settings.CSRF_TRUSTED_ORIGINS = may_read, may_write
    assert ids() == {"chatstore.E004"}


def test_one_more_origin_that_may_write_than_may_read_is_an_error(settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS, settings.CSRF_TRUSTED_ORIGINS = [APP], [APP, "https://other.example"]
    assert ids() == {"chatstore.E004"}


def test_a_front_end_named_in_both_is_fine_and_so_is_an_origin_that_only_sends_forms(settings: Any) -> None:
    settings.CSRF_TRUSTED_ORIGINS = [APP]
    assert ids() == set()
    settings.CORS_ALLOWED_ORIGINS = [APP]
    assert ids() == set()


@pytest.mark.django_db
def test_a_database_that_folds_case_is_fine() -> None:
    assert ids(databases=["default"]) == set()
