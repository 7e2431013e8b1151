"""A client of the API: a browser with a session cookie, or a program with a bearer token."""

import json
import time
from typing import Any

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from django.contrib.auth.hashers import make_password
from django.test import Client

from accounts import services
from accounts.models import User

NO_BODY = object()
BROWSER = {"Sec-Fetch-Site": "same-origin"}
AUTHENTICATION_KINDS = ("token", "session")


PASSWORD = "correct horse battery"


def create_user(name: str, **fields: Any) -> User:
    fields = {"email": f"{name.lower()}@example.com", "name": name, "password": make_password(PASSWORD)} | fields
    return User.objects.create(**fields)


def sign_in(client: Client, user: User, seconds_ago: float = 0) -> None:
    """Sign the user in with a session, as allauth does. `seconds_ago` is the age of the sign-in."""
    client.force_login(user)
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "socialaccount", "at": time.time() - seconds_ago}]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()


class ApiClient:
    """Call a client to send JSON, assert the status code and get the decoded body. `answer` is the last response."""

    answer: Any
    content: bytes

    def __init__(self, user: User | None = None, by: str = "token", **token: Any) -> None:
        self.client = Client(enforce_csrf_checks=True, raise_request_exception=False)
        self.headers: dict[str, str] = {}
        if user and by == "session":
            sign_in(self.client, user)
            self.headers = BROWSER
        elif user:
            self.token, secret = services.create_token(user=user, name="a test", **token)
            self.headers = {"Authorization": f"Bearer {secret}"}

    def __call__(self, method: str, path: str, body: Any = NO_BODY, *, status: int = 200, **headers: str) -> Any:
        found = self.status_of(method, path, body, **headers)
        assert found == status, f"{method} {path}: {found} {self.text[:2000]}"
        return json.loads(self.text) if self.text.startswith(("{", "[")) else None

    def status_of(self, method: str, path: str, body: Any = NO_BODY, **headers: str) -> int:
        """Send the request and return the status code. A path without "/" or "http" at its start is below /api/v1/."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = b"" if body is NO_BODY else body if isinstance(body, bytes) else json.dumps(body).encode()
        url = path if path.startswith(("/", "http")) else f"/api/v1/{path}"
        # The query string is sent unchanged, so that tests can send malformed ones.
        path, _, query = url.removeprefix("http://testserver").partition("?")
        self.answer = self.send(method, path, query, sent, self.headers | named)
        streams = getattr(self.answer, "streaming", False)
        self.content = b"".join(self.answer.streaming_content) if streams else self.answer.content
        return int(self.answer.status_code)

    def send(self, method: str, path: str, query: str, body: bytes, headers: dict[str, str]) -> Any:
        return self.client.generic(method, path, body, "application/json", headers=headers, QUERY_STRING=query)

    @property
    def text(self) -> str:
        return str(self.content.decode(errors="replace"))

    def refusal(self, method: str, path: str, body: Any = NO_BODY, *, status: int, **headers: str) -> Any:
        """Send a request that is refused, and return the code and the field of the error."""
        error = self(method, path, body, status=status, **headers)["error"]
        return error["code"], error["field"]

    def pages(self, path: str) -> list[Any]:
        """Return the rows of all pages, starting with the first."""
        rows: list[Any] = []
        url: str | None = path
        while url:
            page = self("GET", url)
            rows += page["results"]
            url = page["next"]
        return rows


def acting_client(back_end: User, id: str, **token: Any) -> ApiClient:
    """Return a client that has a token of the back end and sends this id in `X-Act-As`."""
    client = ApiClient(back_end, **{"scopes": ["read", "write", "act_as"], **token})
    client.headers |= {"X-Act-As": id}
    return client


def acting_client_for(back_end: User, id: str, **token: Any) -> ApiClient:
    """Create the managed user. Return a client that acts as this user."""
    services.managed_user(manager=back_end, external_id=id.encode("latin-1").decode())
    return acting_client(back_end, id, **token)


def is_error(answer: Any) -> bool:
    """Assert that the body of a response has the error format of the native API. Return True."""
    body = json.loads(answer.content)
    error = body["error"]
    details = error["details"]
    assert list(body) == ["error"]
    assert list(error) == ["code", "message", "field", "details"]
    assert details and all(list(detail) == ["code", "message", "field"] for detail in details)
    assert all(isinstance(detail[name], str) and detail[name] for detail in details for name in ("code", "message"))
    assert all(detail["field"] is None or isinstance(detail["field"], str) for detail in details)
    assert {name: error[name] for name in details[0]} == details[0]
    return True
