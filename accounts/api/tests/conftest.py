import pytest

from accounts.models import User
from testing.api_client import AUTHENTICATION_KINDS, ApiClient


@pytest.fixture(params=AUTHENTICATION_KINDS)
def as_alice(request: pytest.FixtureRequest, alice: User) -> ApiClient:
    """The same tests as a browser and as a program."""
    return ApiClient(alice, by=request.param)
