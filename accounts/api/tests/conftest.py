import pytest

from accounts.models import User
from testing.api_client import AUTHENTICATION_KINDS, ApiClient


@pytest.fixture(params=AUTHENTICATION_KINDS)
def as_alice(request: pytest.FixtureRequest, alice: User) -> ApiClient:
    """Alice as a program with a token, and as a browser with a session."""
    return ApiClient(alice, by=request.param)
