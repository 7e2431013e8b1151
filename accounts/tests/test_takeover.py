"""Attacks on the account of another user: guessed passwords, an unattended browser, and floods of mails."""

import json
import time
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client

from accounts import headless as description
from accounts.models import User
from testing.api_client import BROWSER

from .conftest import PASSWORD


def json_call(client: Client, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
    url = f"/_allauth/browser/v1/{path}"
    answer = client.generic(method, url, json.dumps(body or {}), "application/json", **more)
    return answer.status_code, answer.json()


# --- Guessed passwords ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vary", ["port", "case", "address"])
def test_another_port_case_or_ip_address_does_not_restart_the_count_of_failed_sign_ins(vary: str, alice: User) -> None:
    answers = []
    for number in range(7):
        host = f"localhost:{10_000 + number}" if vary == "port" else "localhost"
        login = alice.email.upper() if vary == "case" and number % 2 else alice.email
        address = f"192.0.2.{number}" if vary == "address" else "192.0.2.1"
        form = {"login": login, "password": f"wrong {number}"}
        answers.append(Client().post("/accounts/login/", form, HTTP_HOST=host, REMOTE_ADDR=address).status_code)
    assert answers == [200] * 5 + [429] * 2
    form = {"login": alice.email, "password": PASSWORD}
    assert Client().post("/accounts/login/", form, HTTP_HOST="localhost:31337").status_code == 429


def test_addresses_of_one_ipv6_network_are_counted_together(db: None) -> None:
    """Ten sign-ins a minute can fail from each /64 network. One customer of an internet provider has 2^64 addresses."""
    for number in range(10):
        form = {"login": f"{number}@example.com", "password": "wrong"}
        assert Client().post("/accounts/login/", form, REMOTE_ADDR=f"2001:db8::{number:x}").status_code == 200
    form = {"login": "another@example.com", "password": "wrong"}
    assert Client().post("/accounts/login/", form, REMOTE_ADDR="2001:db8::ffff:1").status_code == 429
    assert Client().post("/accounts/login/", form, REMOTE_ADDR="2001:db8:0:1::1").status_code == 200


def test_the_cache_keys_of_rate_limits_contain_no_email_address(alice: User) -> None:
    Client().post("/accounts/login/", {"login": alice.email, "password": "wrong"})
    json_call(Client(), "POST", "auth/password/request", {"email": alice.email})
    with connection.cursor() as cursor:
        cursor.execute("SELECT cache_key FROM cache")
        keys = [key for (key,) in cursor.fetchall()]
    assert keys and not any("alice" in key for key in keys)


# --- An unattended browser --------------------------------------------------------------------------------


@pytest.fixture
def stale_browser(alice: User) -> Client:
    """A browser in which Alice signed in ten minutes ago."""
    client = Client()
    client.post("/accounts/login/", {"login": alice.email, "password": PASSWORD})
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time() - 600}]
    session.save()
    return client


def test_a_session_without_a_recent_sign_in_cannot_change_addresses(stale_browser: Client, alice: User) -> None:
    EmailAddress.objects.create(user=alice, email="second@example.com", verified=True)
    body = {"email": "evil@example.com"}
    assert json_call(stale_browser, "POST", "account/email", body)[0] == 401
    for sent, method in (({"email": "second@example.com", "primary": True}, "PATCH"), (body, "POST")):
        status, response = json_call(stale_browser, method, "account/email", sent)
        assert (status, response["data"]["flows"][0]["id"]) == (401, "reauthenticate")
    assert json_call(stale_browser, "DELETE", "account/email", {"email": "second@example.com"})[0] == 401
    for action, email in (("add", "evil@"), ("remove", "second@"), ("primary", "second@")):
        form = {f"action_{action}": "", "email": f"{email}example.com"}
        answer = stale_browser.post("/accounts/email/", form, headers=BROWSER)
        assert answer.status_code == 302 and answer.url.startswith("/accounts/reauthenticate/")
    rows = EmailAddress.objects.filter(user=alice).values_list("email", "primary").order_by("email")
    assert list(rows) == [("alice@example.com", True), ("second@example.com", False)]


def test_a_session_can_change_addresses_after_confirming_the_password(stale_browser: Client, alice: User) -> None:
    assert json_call(stale_browser, "POST", "auth/reauthenticate", {"password": PASSWORD})[0] == 200
    EmailAddress.objects.create(user=alice, email="second@example.com", verified=True)
    assert (
        json_call(stale_browser, "PATCH", "account/email", {"email": "second@example.com", "primary": True})[0] == 200
    )


def test_a_session_without_a_recent_sign_in_cannot_create_a_token(stale_browser: Client, alice: User) -> None:
    def create_token() -> Any:
        return stale_browser.post("/api/v1/tokens/", {"name": "mine"}, "application/json", headers=BROWSER)

    answer = create_token()
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "reauthentication_required")
    assert not alice.tokens.exists()
    json_call(stale_browser, "POST", "auth/reauthenticate", {"password": PASSWORD})
    assert create_token().status_code == 201


def test_a_repeated_request_for_a_token_also_needs_a_recent_sign_in(stale_browser: Client, alice: User) -> None:
    """The second request has the same Idempotency-Key as the first, and is refused in the same way."""
    headers = BROWSER | {"Idempotency-Key": "k"}
    for _ in range(2):
        answer = stale_browser.post("/api/v1/tokens/", {"name": "mine"}, "application/json", headers=headers)
        assert answer.status_code == 403


# --- A sign-up with a known address --------------------------------------------------------------------


def test_a_sign_up_computes_as_many_hashes_for_a_known_address_as_for_a_new_one(
    alice: User, unlimited: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes: list[str] = []
    encode = MD5PasswordHasher.encode

    def counting(self: MD5PasswordHasher, password: str, salt: str) -> str:
        hashes.append(password)
        return str(encode(self, password, salt))

    monkeypatch.setattr(MD5PasswordHasher, "encode", counting)
    counts = []
    for email in (alice.email, "new@example.com"):
        hashes.clear()
        mail.outbox.clear()
        assert json_call(Client(), "POST", "auth/signup", {"email": email, "password": PASSWORD})[0] == 401
        counts.append((len(hashes), len(mail.outbox)))
    assert counts == [(1, 1), (1, 1)]


# --- Mails --------------------------------------------------------------------------------------------------------


def test_at_most_ten_mails_an_hour_are_sent_to_one_address(alice: User, unlimited: None) -> None:
    def send_request(number: int, email: str = "alice@example.com") -> int:
        client = Client(REMOTE_ADDR=f"192.0.2.{number}")
        path = "auth/signup" if number % 2 else "auth/password/request"
        return json_call(client, "POST", path, {"email": email, "password": PASSWORD})[0]

    assert [send_request(number) for number in range(12)] == [401] * 10 + [429] * 2
    assert len(mail.outbox) == 10
    assert [send_request(number, "bob@example.com") for number in (20, 21)] == [401] * 2
    cache.clear()
    assert send_request(13) == 401


def test_a_429_of_the_limit_of_mails_has_retry_after(alice: User, unlimited: None) -> None:
    for _ in range(11):
        answer = Client().post("/accounts/password/reset/", {"email": alice.email}, headers=BROWSER)
    assert answer.status_code == 429 and int(answer.headers["Retry-After"]) > 3000


def test_mails_do_not_contain_the_host_header_of_the_request(alice: User, unlimited: None) -> None:
    host = {"HTTP_HOST": "localhost:31337"}
    for email in (alice.email, "new@example.com"):
        json_call(Client(), "POST", "auth/signup", {"email": email, "password": PASSWORD}, **host)
    for email in (alice.email, "unknown@example.com"):
        json_call(Client(), "POST", "auth/password/request", {"email": email}, **host)
    browser = Client()
    browser.post("/accounts/login/", {"login": alice.email, "password": PASSWORD}, **host)
    form = {"oldpassword": PASSWORD, "password1": "another horse, as correct", "password2": "another horse, as correct"}
    browser.post("/accounts/password/change/", form, **host)
    assert len(mail.outbox) == 5
    for message in mail.outbox:
        assert message.subject.startswith("[chatstore] ")
        assert "31337" not in message.subject + message.body and "localhost" not in message.body
    assert "/accounts/password/reset/" in mail.outbox[0].body


# --- Public routes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["json", "yaml"])
def test_the_schema_of_the_sign_in_routes_is_generated_once(
    name: str, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    views: list[str] = []
    view = {"json": description.OpenAPIJSONView, "yaml": description.OpenAPIYAMLView}[name]
    get = view.get

    def counting(self: Any, request: Any) -> Any:
        views.append(name)
        return get(self, request)

    monkeypatch.setattr(view, "get", counting)
    answers = [client.get(f"/_allauth/openapi.{name}") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert len({answer.content for answer in answers}) == 1 and "/auth/login" in answers[0].text
    assert len(views) <= 1
