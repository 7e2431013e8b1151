from typing import Any

import pytest
from allauth.account.models import EmailAddress

from accounts.models import User

PASSWORD = "a horse that is correct"


@pytest.fixture
def unlimited(settings: Any) -> None:
    """Switch off allauth's rate limits."""
    settings.ACCOUNT_RATE_LIMITS = False


@pytest.fixture
def alice(db: None) -> User:
    """Alice, who signs in with PASSWORD and has a verified address."""
    user = User.objects.create_user("alice@example.com", PASSWORD, name="Alice")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user
