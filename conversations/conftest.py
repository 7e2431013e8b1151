from collections.abc import Iterator
from typing import Any

import pytest

from accounts.api.tests.callers import person
from accounts.models import User
from conversations.tests.fake_provider import FakeProvider, running


@pytest.fixture
def back_end(db: None) -> User:
    """Who acts for users of its own."""
    return person("Backend")


@pytest.fixture(autouse=True)
def nobody_answers(settings: Any) -> None:
    """But the echo: no test asks, or pays, the models of whoever runs it."""
    settings.MODELS = {}


@pytest.fixture
def provider(settings: Any) -> Iterator[FakeProvider]:
    """The model `groq`."""
    with running() as provider:
        settings.MODELS = {"groq": provider.route()}
        yield provider
