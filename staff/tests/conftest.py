import pytest
from django.test import Client

from accounts.models import User
from testing.api_client import create_user


@pytest.fixture
def root(client: Client, db: None) -> User:
    """A superuser who is signed in to the admin."""
    root = create_user("Root", is_staff=True, is_superuser=True)
    client.force_login(root)
    return root
