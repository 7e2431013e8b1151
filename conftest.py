"""Fixtures for every test. The embedded server runs while the tests run, unless DATABASE_URL names another server.

The users in the tests are Alice, who owns conversations; Bob, who may not see them; and Sam, who is staff. `as_alice`
and `as_bob` are clients of the API.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test.utils import setup_databases, teardown_databases
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings

from chatstore import database

# The default profile repeats the same sequences in each run. `pytest --hypothesis-profile=long` generates many new
# sequences and does not shrink them. A failure prints the data with which it can be repeated.
hypothesis_settings.register_profile(
    "default",
    max_examples=15,
    stateful_step_count=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
hypothesis_settings.register_profile(
    "long",
    hypothesis_settings.get_profile("default"),
    max_examples=2_500,
    derandomize=False,
    print_blob=True,
    phases=[Phase.reuse, Phase.generate],
)
hypothesis_settings.load_profile("default")


# The fixtures import inside their functions, because Django is not set up when pytest loads this file.


@pytest.fixture
def alice(db: None) -> Any:
    from testing.api_client import create_user

    return create_user("Alice")


@pytest.fixture
def bob(db: None) -> Any:
    from testing.api_client import create_user

    return create_user("Bob")


@pytest.fixture
def sam(db: None) -> Any:
    from testing.api_client import create_user

    return create_user("Sam", is_staff=True)


@pytest.fixture
def back_end(db: None) -> Any:
    """A user that manages other users."""
    from testing.api_client import create_user

    return create_user("Backend")


@pytest.fixture
def as_alice(alice: Any) -> Any:
    from testing.api_client import ApiClient

    return ApiClient(alice)


@pytest.fixture
def as_bob(bob: Any) -> Any:
    from testing.api_client import ApiClient

    return ApiClient(bob)


@pytest.fixture(params=["token", "session"])
def as_either(request: pytest.FixtureRequest, alice: Any) -> Any:
    """Alice as a program with a token, and as a browser with a session."""
    from testing.api_client import ApiClient

    return ApiClient(alice, by=request.param)


@pytest.fixture
def provider(settings: Any) -> Iterator[Any]:
    """A fake provider that answers for the model `groq`."""
    from testing.fake_provider import running

    with running() as provider:
        settings.MODELS = {"groq": provider.route()}
        yield provider


@pytest.fixture(autouse=True)
def answers_at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer questions in the transaction of the test, which no generator can see. See testing/answers.py."""
    marker = request.node.get_closest_marker("django_db")
    is_committed = "transactional_db" in request.fixturenames or (marker and marker.kwargs.get("transaction"))
    if not is_committed:
        from replies.following import Follower
        from testing import answers

        monkeypatch.setattr(Follower, "until", answers.read_log)


@pytest.fixture(autouse=True)
def no_language() -> Iterator[None]:
    """Deactivate the language that the last request of a test activated.

    Django keeps the language of a request in the thread until the next request. The test client handles requests in
    the thread of the tests, so without this, a test that calls services would get the texts of an earlier test's
    request in German.
    """
    from django.utils import translation

    yield
    translation.deactivate()


@pytest.fixture(autouse=True)
def no_models(settings: Any) -> None:
    """Configure no models, so that only the built-in echo answers. Tests must not call a model that costs money."""
    settings.MODELS = {}


@pytest.fixture(autouse=True)
def no_single_user(settings: Any) -> None:
    """Requests without credentials are refused, also if the person who runs the tests uses single-user mode."""
    settings.SINGLE_USER, settings.CORS_ALLOWED_ORIGINS = "", []


@pytest.fixture(autouse=True)
def no_rate(settings: Any) -> None:
    """Switch off the rate limits, because some tests send a thousand requests a minute. Tests of limits set them.

    The requests of other tests do not count. One of them stops the clock, so its requests can lie in the future.
    """
    from chatstore.api import throttling

    throttling.requests.forget()
    settings.API_RATE = settings.ACT_AS_RATE = settings.TOKEN_RATE = 0


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    """Use a fast password hasher. Django's default is slow on purpose, and would take longer than most tests."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def audit_shown_to_users(settings: Any) -> None:
    """Switch the route of the audit on, because the tests of all routes expect an answer from each."""
    settings.SHOW_AUDIT_TO_USERS = True


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> Iterator[None]:
    # pytest-django requests this fixture before it creates the test database, and only if a test needs a database.
    with database.server_running():
        yield


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_modify_db_settings: None, django_db_blocker: Any
) -> Iterator[None]:
    # pytest-django's own fixture creates no test database if no test requests `db`. If the tests then request only the
    # live server, they write to the real database, and empty it.
    from testing import fast_django

    fast_django.install()
    with django_db_blocker.unblock():
        databases = setup_databases(verbosity=0, interactive=False)
    yield
    from replies import hub

    hub.stop()  # its connections would keep the test database
    with django_db_blocker.unblock():
        teardown_databases(databases, verbosity=0)


@pytest.fixture(scope="session")
def live_port(django_db_setup: None, django_db_blocker: Any) -> Iterator[int]:
    """The port of the server in testing/live_server.py. It starts once, because a start takes seconds."""
    from django.db import connection

    from testing.live_server import gunicorn

    with django_db_blocker.unblock(), gunicorn(str(connection.settings_dict["NAME"])) as port:
        yield port
