import pytest

from accounts.models import User
from testing.api_client import AUTHENTICATION_KINDS, ApiClient


@pytest.fixture(params=AUTHENTICATION_KINDS)
def as_alice(request: pytest.FixtureRequest, alice: User) -> ApiClient:
    """Run the test twice: Alice is a program with a token, then a browser with a session."""
    return ApiClient(alice, by=request.param)
