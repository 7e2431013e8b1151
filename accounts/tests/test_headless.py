"""Signing in by JSON alone, over real HTTP: a browser's cookie, or a native app's X-Session-Token."""

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.account.models import EmailAddress

from accounts.models import User
from chatstore.ids import new_id
from testing.authenticator import totp_code
from testing.live_server import Live, json_body, random_ip_address, read_response, serving
from testing.outbox import Outbox, outbox

PASSWORD = "four words to remember"
KINDS = ("browser", "app")


@pytest.fixture(scope="module")
def mails() -> Iterator[Outbox]:
    with outbox() as mails:
        yield mails


@pytest.fixture(scope="module")
def live(mails: Outbox, django_db_setup: None, django_db_blocker: Any) -> Iterator[Live]:
    with django_db_blocker.unblock(), serving(EMAIL_URL=mails.url, PROXIES="1") as live:
        yield live


@pytest.fixture
def quick_passwords() -> None:
    """The server hashes as it does in production."""


class Client:
    """One of allauth's two kinds, which keeps what it is given: a cookie, or a token."""

    def __init__(self, live: Live, kind: str) -> None:
        self.live, self.kind = live, kind
        self.kept = {"X-Forwarded-For": random_ip_address()}
        if kind == "browser":
            self.kept["Sec-Fetch-Site"] = "same-origin"

    def asks(self, method: str, path: str, **body: Any) -> tuple[int, Any]:
        return self.call(method, f"/_allauth/{self.kind}/v1/{path}", body)

    def call(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        sent = json.dumps(body) if body else None
        with self.live.connection() as connection:
            connection.request(method, path, sent, {"Content-Type": "application/json", **self.kept})
            answer = read_response(connection)
        told = json_body(answer)
        self._keep(answer, told.get("meta", {}))
        return answer.status, told

    def _keep(self, answer: http.client.HTTPResponse, meta: dict[str, Any]) -> None:
        if self.kind == "app":
            self.kept |= {"X-Session-Token": meta["session_token"]} if meta.get("session_token") else {}
            return
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            if name == "sessionid":
                self.kept["Cookie"] = f"sessionid={value}"

    def signs_in(self, email: str, password: str = PASSWORD) -> tuple[int, Any]:
        return self.asks("POST", "auth/login", email=email, password=password)

    def signs_out(self) -> int:
        status = self.asks("DELETE", "auth/session")[0]
        self.kept.pop("X-Session-Token", None)
        return status

    def who(self) -> str | None:
        """As which address, asked of our own API."""
        status, told = self.call("GET", "/api/v1/me/", {})
        return told["email"] if status == 200 else None


@pytest.fixture(params=KINDS)
def client(request: pytest.FixtureRequest, live: Live) -> Client:
    return Client(live, request.param)


def pending(told: Any) -> list[str]:
    return [flow["id"] for flow in told["data"]["flows"] if flow.get("is_pending")]


def somebody() -> str:
    return f"{new_id()}@example.com"


@pytest.fixture
def email(live: Live) -> str:
    """Of an account with a verified address."""
    user = User.objects.create_user(somebody(), PASSWORD)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user.email


def test_signing_up_is_complete_with_the_code_of_the_mail(client: Client, mails: Outbox) -> None:
    email = somebody()
    status, told = client.asks("POST", "auth/signup", email=email, password=PASSWORD)
    assert (status, pending(told)) == (401, ["verify_email"])
    assert client.who() is None
    assert client.asks("POST", "auth/email/verify", key="WRONG1")[0] == 400
    status, told = client.asks("POST", "auth/email/verify", key=mails.code(email))
    assert (status, told["data"]["user"]["email"]) == (200, email)
    assert client.who() == email


def test_a_sign_up_counts_as_a_recent_sign_in(client: Client, mails: Outbox) -> None:
    email = somebody()
    client.asks("POST", "auth/signup", email=email, password=PASSWORD)
    client.asks("POST", "auth/email/verify", key=mails.code(email))
    assert client.call("POST", "/api/v1/tokens/", {"name": "a program"})[0] == 201


def test_the_mail_of_a_sign_up_names_chatstore(client: Client, mails: Outbox) -> None:
    email = somebody()
    client.asks("POST", "auth/signup", email=email, password=PASSWORD)
    mails.code(email)
    (mail,) = mails.to(email)
    assert "account on chatstore" in " ".join(str(mail.get_payload(decode=True), "utf-8").split())


def test_signing_in_seeing_the_sessions_and_out(client: Client, email: str) -> None:
    assert client.signs_in(email, "not the password")[0] == 400
    assert client.signs_in(email)[0] == 200
    status, told = client.asks("GET", "auth/sessions")
    assert (status, [session["is_current"] for session in told["data"]]) == (200, [True])
    assert client.signs_out() == 401
    assert client.asks("GET", "auth/session")[0] == 401
    assert client.who() is None


def test_a_session_token_is_worth_nothing_after_signing_out(live: Live, email: str) -> None:
    app = Client(live, "app")
    app.signs_in(email)
    assert app.who() == email
    app.asks("DELETE", "auth/session")
    assert app.asks("GET", "auth/session")[0] == 410
    assert app.who() is None


def test_a_session_elsewhere_is_ended(live: Live, client: Client, email: str) -> None:
    elsewhere = Client(live, "browser")
    for each in (elsewhere, client):
        each.signs_in(email)
    sessions = client.asks("GET", "auth/sessions")[1]["data"]
    others = [session["id"] for session in sessions if not session["is_current"]]
    assert client.asks("DELETE", "auth/sessions", sessions=others)[0] == 200
    assert (client.who(), elsewhere.who()) == (email, None)


def test_a_session_token_writes_as_its_user_does(live: Live, email: str) -> None:
    app = Client(live, "app")
    app.signs_in(email)
    assert app.call("PATCH", "/api/v1/preferences/", {"theme": "light"})[0] == 200
    assert app.call("POST", "/api/v1/conversations/", {"title": "From an app"})[0] == 201


@pytest.mark.parametrize("token", ["junk", "é", "x" * 5_000])
def test_a_session_token_that_is_none_is_a_401(token: str, live: Live) -> None:
    answer = live.call("GET", "/api/v1/me/", X_Session_Token=token.encode())
    assert (answer.status, json_body(answer)["error"]["code"]) == (401, "not_authenticated")


def test_a_browser_client_of_another_site_is_refused(live: Live, email: str) -> None:
    browser = Client(live, "browser")
    browser.kept = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    with live.connection() as connection:
        body = json.dumps({"email": email, "password": PASSWORD})
        connection.request("POST", "/_allauth/browser/v1/auth/login", body, browser.kept)
        assert read_response(connection).status == 403


def test_a_forgotten_password_is_replaced_by_a_code(client: Client, email: str, mails: Outbox) -> None:
    status, told = client.asks("POST", "auth/password/request", email=email)
    assert (status, pending(told)) == (401, ["password_reset_by_code"])
    code = mails.code(email)
    assert client.asks("POST", "auth/password/reset", key="WRONG1", password="another to remember")[0] == 400
    assert client.asks("POST", "auth/password/reset", key=code, password="another to remember")[0] == 401
    assert client.signs_in(email)[0] == 400
    assert client.signs_in(email, "another to remember")[0] == 200


def with_second_factor(client: Client, email: str) -> tuple[str, str]:
    """A new authenticator's secret, and a recovery code; signed out."""
    client.signs_in(email)
    assert client.asks("POST", "auth/reauthenticate", password=PASSWORD)[0] == 200
    status, told = client.asks("GET", "account/authenticators/totp")
    assert status == 404
    secret = told["meta"]["secret"]
    assert client.asks("POST", "account/authenticators/totp", code=totp_code(secret))[0] == 200
    recovery = client.asks("GET", "account/authenticators/recovery-codes")[1]["data"]["unused_codes"][0]
    client.signs_out()
    return secret, recovery


def test_with_a_second_factor_a_password_is_not_enough(client: Client, email: str) -> None:
    secret, recovery = with_second_factor(client, email)
    for code in (totp_code(secret), recovery):
        status, told = client.signs_in(email)
        assert (status, pending(told)) == (401, ["mfa_authenticate"])
        assert client.who() is None
        assert client.asks("POST", "auth/2fa/authenticate", code="000000")[0] == 400
        assert client.asks("POST", "auth/2fa/authenticate", code=code)[0] == 200
        assert client.who() == email
        client.signs_out()


def test_a_second_factor_is_set_up_by_whoever_knows_the_password(client: Client, email: str) -> None:
    client.signs_in(email)
    secret = client.asks("GET", "account/authenticators/totp")[1]["meta"]["secret"]
    status, told = client.asks("POST", "account/authenticators/totp", code=totp_code(secret))
    assert (status, told["data"]["flows"][0]["id"]) == (401, "reauthenticate")


def test_the_description_of_these_routes_is_there(live: Live) -> None:
    paths = json_body(live.call("GET", "/_allauth/openapi.json"))["paths"]
    assert any(path.endswith("/auth/login") for path in paths)


def test_a_session_of_either_kind_makes_tokens_that_may_anything(client: Client, email: str) -> None:
    client.signs_in(email)
    scopes = ["read", "write", "act_as"]
    status, told = client.call("POST", "/api/v1/tokens/", {"name": "a program", "scopes": scopes})
    assert (status, told["scopes"]) == (201, scopes)


def test_a_session_of_neither_kind_acts_for_another(client: Client, email: str) -> None:
    client.signs_in(email)
    client.kept["X-Act-As"] = "somebody"
    status, told = client.call("GET", "/api/v1/me/", {})
    assert (status, told["error"]["code"]) == (403, "permission_denied")


def test_a_session_of_either_kind_ends_with_its_user(client: Client, email: str) -> None:
    client.signs_in(email)
    User.objects.filter(email=email).update(is_active=False)
    assert client.who() is None


@pytest.mark.parametrize("body", [{}, {"password": PASSWORD}], ids=["just signed in", "by the password"])
def test_a_session_of_either_kind_erases_its_account(body: Any, client: Client, email: str) -> None:
    client.signs_in(email)
    assert client.call("DELETE", "/api/v1/me/", body)[0] == 200
    assert not User.objects.filter(email=email).exists()
