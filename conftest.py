"""What every test shares: the embedded server, for as long as the tests run, unless DATABASE_URL names another."""

from collections.abc import Iterator

import pytest

from chatstore import database


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> Iterator[None]:
    # pytest-django asks for this fixture before it creates the test database, and not for tests without one.
    with database.running():
        yield
