"""Sign-in with allauth's headless API over real HTTP, with the cookie of a browser or the X-Session-Token of an app."""

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
    """Override the fixture of the other tests: keep the password hasher of production, because the server uses it."""


class Client:
    """A client of one of allauth's two kinds. It keeps the session cookie or the session token that it receives."""

    def __init__(self, live: Live, kind: str) -> None:
        self.live, self.kind = live, kind
        self.headers = {"X-Forwarded-For": random_ip_address()}
        if kind == "browser":
            self.headers["Sec-Fetch-Site"] = "same-origin"

    def allauth(self, method: str, path: str, **body: Any) -> tuple[int, Any]:
        return self.call(method, f"/_allauth/{self.kind}/v1/{path}", body)

    def call(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        sent = json.dumps(body) if body else None
        with self.live.connection() as connection:
            connection.request(method, path, sent, {"Content-Type": "application/json", **self.headers})
            answer = read_response(connection)
        body = json_body(answer)
        self._store_session(answer, body.get("meta", {}))
        return answer.status, body

    def _store_session(self, answer: http.client.HTTPResponse, meta: dict[str, Any]) -> None:
        if self.kind == "app":
            self.headers |= {"X-Session-Token": meta["session_token"]} if meta.get("session_token") else {}
            return
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            if name == "sessionid":
                self.headers["Cookie"] = f"sessionid={value}"

    def sign_in(self, email: str, password: str = PASSWORD) -> tuple[int, Any]:
        return self.allauth("POST", "auth/login", email=email, password=password)

    def sign_out(self) -> int:
        status = self.allauth("DELETE", "auth/session")[0]
        self.headers.pop("X-Session-Token", None)
        return status

    def signed_in_as(self) -> str | None:
        """Return the user's address from the native API, or None if the client is not signed in."""
        status, body = self.call("GET", "/api/v1/me/", {})
        return body["email"] if status == 200 else None


@pytest.fixture(params=KINDS)
def client(request: pytest.FixtureRequest, live: Live) -> Client:
    return Client(live, request.param)


def pending_flows(body: Any) -> list[str]:
    return [flow["id"] for flow in body["data"]["flows"] if flow.get("is_pending")]


def new_email() -> str:
    return f"{new_id()}@example.com"


@pytest.fixture
def email(live: Live) -> str:
    """The verified address of a new account."""
    user = User.objects.create_user(new_email(), PASSWORD)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user.email


def test_a_new_user_is_signed_in_only_after_sending_the_code_from_the_mail(client: Client, mails: Outbox) -> None:
    email = new_email()
    status, body = client.allauth("POST", "auth/signup", email=email, password=PASSWORD)
    assert (status, pending_flows(body)) == (401, ["verify_email"])
    assert client.signed_in_as() is None
    assert client.allauth("POST", "auth/email/verify", key="WRONG1")[0] == 400
    status, body = client.allauth("POST", "auth/email/verify", key=mails.code(email))
    assert (status, body["data"]["user"]["email"]) == (200, email)
    assert client.signed_in_as() == email


def test_a_sign_up_counts_as_a_recent_sign_in(client: Client, mails: Outbox) -> None:
    email = new_email()
    client.allauth("POST", "auth/signup", email=email, password=PASSWORD)
    client.allauth("POST", "auth/email/verify", key=mails.code(email))
    assert client.call("POST", "/api/v1/tokens/", {"name": "a program"})[0] == 201


def test_the_mail_of_a_sign_up_names_chatstore(client: Client, mails: Outbox) -> None:
    email = new_email()
    client.allauth("POST", "auth/signup", email=email, password=PASSWORD)
    mails.code(email)
    (mail,) = mails.to(email)
    assert "account on chatstore" in " ".join(str(mail.get_payload(decode=True), "utf-8").split())


def test_a_user_can_sign_in_list_sessions_and_sign_out(client: Client, email: str) -> None:
    assert client.sign_in(email, "not the password")[0] == 400
    assert client.sign_in(email)[0] == 200
    status, body = client.allauth("GET", "auth/sessions")
    assert (status, [session["is_current"] for session in body["data"]]) == (200, [True])
    assert client.sign_out() == 401
    assert client.allauth("GET", "auth/session")[0] == 401
    assert client.signed_in_as() is None


def test_a_session_token_is_invalid_after_the_sign_out(live: Live, email: str) -> None:
    app = Client(live, "app")
    app.sign_in(email)
    assert app.signed_in_as() == email
    app.allauth("DELETE", "auth/session")
    assert app.allauth("GET", "auth/session")[0] == 410
    assert app.signed_in_as() is None


def test_a_user_can_end_the_other_sessions(live: Live, client: Client, email: str) -> None:
    elsewhere = Client(live, "browser")
    for each in (elsewhere, client):
        each.sign_in(email)
    sessions = client.allauth("GET", "auth/sessions")[1]["data"]
    others = [session["id"] for session in sessions if not session["is_current"]]
    assert client.allauth("DELETE", "auth/sessions", sessions=others)[0] == 200
    assert (client.signed_in_as(), elsewhere.signed_in_as()) == (email, None)


def test_a_session_token_can_write(live: Live, email: str) -> None:
    app = Client(live, "app")
    app.sign_in(email)
    assert app.call("PATCH", "/api/v1/preferences/", {"theme": "light"})[0] == 200
    assert app.call("POST", "/api/v1/conversations/", {"title": "From an app"})[0] == 201


@pytest.mark.parametrize("token", ["junk", "é", "x" * 5_000])
def test_an_invalid_session_token_is_a_401(token: str, live: Live) -> None:
    answer = live.call("GET", "/api/v1/me/", X_Session_Token=token.encode())
    assert (answer.status, json_body(answer)["error"]["code"]) == (401, "not_authenticated")


def test_sign_in_from_another_site_is_refused(live: Live, email: str) -> None:
    browser = Client(live, "browser")
    browser.headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    with live.connection() as connection:
        body = json.dumps({"email": email, "password": PASSWORD})
        connection.request("POST", "/_allauth/browser/v1/auth/login", body, browser.headers)
        assert read_response(connection).status == 403


def test_a_forgotten_password_is_reset_with_a_code_from_the_mail(client: Client, email: str, mails: Outbox) -> None:
    status, body = client.allauth("POST", "auth/password/request", email=email)
    assert (status, pending_flows(body)) == (401, ["password_reset_by_code"])
    code = mails.code(email)
    assert client.allauth("POST", "auth/password/reset", key="WRONG1", password="another to remember")[0] == 400
    assert client.allauth("POST", "auth/password/reset", key=code, password="another to remember")[0] == 401
    assert client.sign_in(email)[0] == 400
    assert client.sign_in(email, "another to remember")[0] == 200


def set_up_second_factor(client: Client, email: str) -> tuple[str, str]:
    """Set up an authenticator and sign out. Return its secret and a recovery code."""
    client.sign_in(email)
    assert client.allauth("POST", "auth/reauthenticate", password=PASSWORD)[0] == 200
    status, body = client.allauth("GET", "account/authenticators/totp")
    assert status == 404
    secret = body["meta"]["secret"]
    assert client.allauth("POST", "account/authenticators/totp", code=totp_code(secret))[0] == 200
    recovery = client.allauth("GET", "account/authenticators/recovery-codes")[1]["data"]["unused_codes"][0]
    client.sign_out()
    return secret, recovery


def test_with_a_second_factor_a_password_is_not_enough(client: Client, email: str) -> None:
    secret, recovery = set_up_second_factor(client, email)
    for code in (totp_code(secret), recovery):
        status, body = client.sign_in(email)
        assert (status, pending_flows(body)) == (401, ["mfa_authenticate"])
        assert client.signed_in_as() is None
        assert client.allauth("POST", "auth/2fa/authenticate", code="000000")[0] == 400
        assert client.allauth("POST", "auth/2fa/authenticate", code=code)[0] == 200
        assert client.signed_in_as() == email
        client.sign_out()


def test_setting_up_a_second_factor_needs_the_password_again(client: Client, email: str) -> None:
    client.sign_in(email)
    secret = client.allauth("GET", "account/authenticators/totp")[1]["meta"]["secret"]
    status, body = client.allauth("POST", "account/authenticators/totp", code=totp_code(secret))
    assert (status, body["data"]["flows"][0]["id"]) == (401, "reauthenticate")


def test_the_schema_of_the_headless_api_is_served(live: Live) -> None:
    paths = json_body(live.call("GET", "/_allauth/openapi.json"))["paths"]
    assert any(path.endswith("/auth/login") for path in paths)


def test_a_session_of_either_kind_can_create_tokens_with_all_scopes(client: Client, email: str) -> None:
    client.sign_in(email)
    scopes = ["read", "write", "act_as"]
    status, body = client.call("POST", "/api/v1/tokens/", {"name": "a program", "scopes": scopes})
    assert (status, body["scopes"]) == (201, scopes)


def test_a_session_of_either_kind_cannot_act_for_another_user(client: Client, email: str) -> None:
    client.sign_in(email)
    client.headers["X-Act-As"] = "somebody"
    status, body = client.call("GET", "/api/v1/me/", {})
    assert (status, body["error"]["code"]) == (403, "permission_denied")


def test_a_session_of_either_kind_ends_when_its_user_is_deactivated(client: Client, email: str) -> None:
    client.sign_in(email)
    User.objects.filter(email=email).update(is_active=False)
    assert client.signed_in_as() is None


@pytest.mark.parametrize("body", [{}, {"password": PASSWORD}], ids=["just signed in", "by the password"])
def test_a_session_of_either_kind_can_erase_its_account(body: Any, client: Client, email: str) -> None:
    client.sign_in(email)
    assert client.call("DELETE", "/api/v1/me/", body)[0] == 200
    assert not User.objects.filter(email=email).exists()
