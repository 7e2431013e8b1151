"""What every test shares: the embedded server, for as long as the tests run, unless DATABASE_URL names another."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test.utils import setup_databases, teardown_databases

from chatstore import database

# Who the tests are about: Alice owns conversations, Bob is a stranger to them. Imported late: Django is not set up yet.


@pytest.fixture
def alice(db: None) -> Any:
    from accounts.api.tests.callers import person

    return person("Alice")


@pytest.fixture
def bob(db: None) -> Any:
    from accounts.api.tests.callers import person

    return person("Bob")


@pytest.fixture(autouse=True)
def no_rate(settings: Any) -> None:
    """All tests come from one address, and some ask a thousand times a minute. Those of the rate set one."""
    settings.API_RATE = 0


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    """Hashing that is slow on purpose would take longer than most tests."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> Iterator[None]:
    # pytest-django asks for this fixture before it creates the test database, and not for tests without one.
    with database.running():
        yield


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_modify_db_settings: None, django_db_blocker: Any
) -> Iterator[None]:
    # pytest-django's own makes no test database where no test names `db`: those over a live server alone would write
    # to the real one, and flush it.
    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False)
    yield
    with django_db_blocker.unblock():
        teardown_databases(made, verbosity=0)
