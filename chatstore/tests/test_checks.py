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


@pytest.mark.django_db
def test_a_database_that_folds_case_is_fine() -> None:
    assert ids(databases=["default"]) == set()
