import pytest

from accounts.models import User
from testing.callers import KINDS, Caller


@pytest.fixture(params=KINDS)
def as_alice(request: pytest.FixtureRequest, alice: User) -> Caller:
    """The same tests as a browser and as a program."""
    return Caller(alice, by=request.param)
