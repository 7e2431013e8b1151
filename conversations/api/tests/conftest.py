import pytest

from accounts.api.tests.callers import KINDS, Caller
from accounts.models import User


@pytest.fixture
def as_alice(alice: User) -> Caller:
    return Caller(alice)


@pytest.fixture(params=KINDS)
def as_either(request: pytest.FixtureRequest, alice: User) -> Caller:
    """Alice, as a program and as a browser."""
    return Caller(alice, by=request.param)


@pytest.fixture
def as_bob(bob: User) -> Caller:
    return Caller(bob)
