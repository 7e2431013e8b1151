import pytest
from django.contrib.auth.models import Group
from django.test import Client

from accounts.models import User
from staff.models import Label
from testing.api_client import create_user


@pytest.fixture
def root(client: Client, db: None) -> User:
    """A superuser who is signed in to the admin."""
    root = create_user("Root", is_staff=True, is_superuser=True)
    client.force_login(root)
    return root


@pytest.fixture
def labels(db: None) -> dict[str, Label]:
    return {label.name: label for label in Label.objects.all()}


@pytest.fixture
def carla(client: Client, db: None) -> User:
    """A curator who is signed in to the admin."""
    carla = create_user("Carla", is_staff=True)
    carla.groups.add(Group.objects.get(name="Curators"))
    client.force_login(carla)
    return carla
