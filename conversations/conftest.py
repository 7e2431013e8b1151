from collections.abc import Iterator
from typing import Any

import pytest

from conversations.tests.fake_provider import FakeProvider, running


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
