"""Clients of the contracts. Each test with `as_alice` or `as_bob` runs three times: in this process with a token, in
this process with a browser session, and over HTTP against a real gunicorn with a session cookie."""

from collections.abc import Callable
from http.client import HTTPResponse
from typing import Any

import pytest

from accounts.models import User
from chatstore.ids import new_id
from testing.api_client import BROWSER, ApiClient, create_user
from testing.generator import generator_thread
from testing.live_server import Live, live

__all__ = ["generator_thread", "live"]

SignIn = Callable[[str], ApiClient]


class LiveApiClient(ApiClient):
    def __init__(self, live: Live, user: User) -> None:
        super().__init__(user, by="session")
        self.live = live
        self.headers = BROWSER | {"Cookie": f"sessionid={self.client.cookies['sessionid'].value}"}

    def send(self, method: str, path: str, query: str, body: bytes, headers: dict[str, str]) -> Any:
        return LiveResponse(self.live.call(method, f"{path}?{query}" if query else path, body, **headers))


class LiveResponse:
    def __init__(self, answer: HTTPResponse) -> None:
        self.status_code, self.headers = answer.status, answer.headers
        self.content: bytes = answer.body  # type: ignore[attr-defined]


@pytest.fixture(params=["token", "session", "live"])
def sign_in(request: pytest.FixtureRequest) -> SignIn:
    if request.param == "live":
        request.getfixturevalue("generator_thread")
        live, blocker = request.getfixturevalue("live"), request.getfixturevalue("django_db_blocker")

        def sign_in_live(name: str) -> ApiClient:
            with blocker.unblock():
                return LiveApiClient(live, create_user(f"{name}-{new_id()}"))

        return sign_in_live
    request.getfixturevalue("db")
    return lambda name: ApiClient(create_user(name), by=request.param)


@pytest.fixture
def as_alice(sign_in: SignIn) -> ApiClient:
    return sign_in("Alice")


@pytest.fixture
def as_bob(sign_in: SignIn) -> ApiClient:
    return sign_in("Bob")
