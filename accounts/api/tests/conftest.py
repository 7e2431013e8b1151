import pytest

from accounts.models import User

from .callers import KINDS, Caller, person


@pytest.fixture
def alice(db: None) -> User:
    return person("Alice")


@pytest.fixture
def bob(db: None) -> User:
    return person("Bob")


@pytest.fixture(params=KINDS)
def as_alice(request: pytest.FixtureRequest, alice: User) -> Caller:
    """The same tests as a browser and as a program."""
    return Caller(alice, by=request.param)
