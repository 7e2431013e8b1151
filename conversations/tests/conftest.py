import pytest
from hypothesis import HealthCheck, Phase, settings

from accounts.models import User

from .cast import person

# The same sequences each time. `pytest --hypothesis-profile=long` makes others, and many, and shortens none: a failure
# is printed with what it takes to repeat it.
settings.register_profile(
    "default",
    max_examples=15,
    stateful_step_count=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
settings.register_profile(
    "long",
    settings.get_profile("default"),
    max_examples=2_500,
    derandomize=False,
    print_blob=True,
    phases=[Phase.reuse, Phase.generate],
)
settings.load_profile("default")


@pytest.fixture
def sam(db: None) -> User:
    return person("Sam", is_staff=True)
