"""Ways to somebody else's account: guessing its password, finding its browser open, flooding its mailbox."""

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

PASSWORD = "a horse that is correct"


@pytest.fixture(autouse=True)
def mails_are_kept(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture
def unlimited(settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = False


@pytest.fixture
def alice(db: None) -> User:
    user = User.objects.create_user("alice@example.com", PASSWORD, name="Alice")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def json_call(client: Client, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
    url = f"/_allauth/browser/v1/{path}"
    answer = client.generic(method, url, json.dumps(body or {}), "application/json", **more)
    return answer.status_code, answer.json()


# --- Guessing ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vary", ["port", "case", "address"])
def test_guesses_are_counted_by_the_login_alone(vary: str, alice: User) -> None:
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


def test_addresses_of_one_ipv6_network_are_one(db: None) -> None:
    """Ten failures a minute of each address; a customer of a provider has 2^64 of them."""
    for number in range(10):
        form = {"login": f"{number}@example.com", "password": "wrong"}
        assert Client().post("/accounts/login/", form, REMOTE_ADDR=f"2001:db8::{number:x}").status_code == 200
    form = {"login": "another@example.com", "password": "wrong"}
    assert Client().post("/accounts/login/", form, REMOTE_ADDR="2001:db8::ffff:1").status_code == 429
    assert Client().post("/accounts/login/", form, REMOTE_ADDR="2001:db8:0:1::1").status_code == 200


def test_no_address_is_in_the_keys_of_the_limits(alice: User) -> None:
    Client().post("/accounts/login/", {"login": alice.email, "password": "wrong"})
    json_call(Client(), "POST", "auth/password/request", {"email": alice.email})
    with connection.cursor() as cursor:
        cursor.execute("SELECT cache_key FROM cache")
        keys = [key for (key,) in cursor.fetchall()]
    assert keys and not any("alice" in key for key in keys)


# --- A browser that is found open -----------------------------------------------------------------------------


@pytest.fixture
def stale(alice: User) -> Client:
    """A browser in which Alice signed in ten minutes ago."""
    client = Client()
    client.post("/accounts/login/", {"login": alice.email, "password": PASSWORD})
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time() - 600}]
    session.save()
    return client


def test_a_stale_session_changes_no_address(stale: Client, alice: User) -> None:
    EmailAddress.objects.create(user=alice, email="second@example.com", verified=True)
    body = {"email": "evil@example.com"}
    assert json_call(stale, "POST", "account/email", body)[0] == 401
    for sent, method in (({"email": "second@example.com", "primary": True}, "PATCH"), (body, "POST")):
        status, told = json_call(stale, method, "account/email", sent)
        assert (status, told["data"]["flows"][0]["id"]) == (401, "reauthenticate")
    assert json_call(stale, "DELETE", "account/email", {"email": "second@example.com"})[0] == 401
    for action, email in (("add", "evil@"), ("remove", "second@"), ("primary", "second@")):
        form = {f"action_{action}": "", "email": f"{email}example.com"}
        answer = stale.post("/accounts/email/", form, headers=BROWSER)
        assert answer.status_code == 302 and answer.url.startswith("/accounts/reauthenticate/")
    rows = EmailAddress.objects.filter(user=alice).values_list("email", "primary").order_by("email")
    assert list(rows) == [("alice@example.com", True), ("second@example.com", False)]


def test_with_the_password_it_does(stale: Client, alice: User) -> None:
    assert json_call(stale, "POST", "auth/reauthenticate", {"password": PASSWORD})[0] == 200
    EmailAddress.objects.create(user=alice, email="second@example.com", verified=True)
    assert json_call(stale, "PATCH", "account/email", {"email": "second@example.com", "primary": True})[0] == 200


def test_a_stale_session_makes_no_token(stale: Client, alice: User) -> None:
    def make() -> Any:
        return stale.post("/api/v1/tokens/", {"name": "mine"}, "application/json", headers=BROWSER)

    answer = make()
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "reauthentication_required")
    assert not alice.tokens.exists()
    json_call(stale, "POST", "auth/reauthenticate", {"password": PASSWORD})
    assert make().status_code == 201


def test_a_token_that_is_asked_for_again_needs_a_recent_sign_in_too(stale: Client, alice: User) -> None:
    """An Idempotency-Key answers what was stored, to whoever may ask."""
    headers = BROWSER | {"Idempotency-Key": "k"}
    for _ in range(2):
        answer = stale.post("/api/v1/tokens/", {"name": "mine"}, "application/json", headers=headers)
        assert answer.status_code == 403


# --- A stranger who signs up with an address that is known -------------------------------------------------------


def test_a_sign_up_costs_as_many_hashes_where_the_address_is_known(
    alice: User, unlimited: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes: list[str] = []
    encode = MD5PasswordHasher.encode

    def counting(self: MD5PasswordHasher, password: str, salt: str) -> str:
        hashes.append(password)
        return str(encode(self, password, salt))

    monkeypatch.setattr(MD5PasswordHasher, "encode", counting)
    costs = []
    for email in (alice.email, "new@example.com"):
        hashes.clear()
        mail.outbox.clear()
        assert json_call(Client(), "POST", "auth/signup", {"email": email, "password": PASSWORD})[0] == 401
        costs.append((len(hashes), len(mail.outbox)))
    assert costs == [(1, 1), (1, 1)]


# --- Mails --------------------------------------------------------------------------------------------------------


def test_strangers_have_ten_mails_an_hour_sent_to_one_address_and_no_more(alice: User, unlimited: None) -> None:
    def ask(number: int, email: str = "alice@example.com") -> int:
        client = Client(REMOTE_ADDR=f"192.0.2.{number}")
        path = "auth/signup" if number % 2 else "auth/password/request"
        return json_call(client, "POST", path, {"email": email, "password": PASSWORD})[0]

    assert [ask(number) for number in range(12)] == [401] * 10 + [429] * 2
    assert len(mail.outbox) == 10
    assert [ask(number, "bob@example.com") for number in (20, 21)] == [401] * 2
    cache.clear()
    assert ask(13) == 401


def test_the_limit_of_mails_says_when_to_come_back(alice: User, unlimited: None) -> None:
    for _ in range(11):
        answer = Client().post("/accounts/password/reset/", {"email": alice.email}, headers=BROWSER)
    assert answer.status_code == 429 and int(answer.headers["Retry-After"]) > 3000


def test_no_mail_carries_the_host_that_its_request_named(alice: User, unlimited: None) -> None:
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


# --- What anybody can ask for ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["json", "yaml"])
def test_the_description_of_the_sign_in_routes_is_made_once(
    name: str, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    view = {"json": description.OpenAPIJSONView, "yaml": description.OpenAPIYAMLView}[name]
    get = view.get

    def counting(self: Any, request: Any) -> Any:
        made.append(name)
        return get(self, request)

    monkeypatch.setattr(view, "get", counting)
    answers = [client.get(f"/_allauth/openapi.{name}") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert len({answer.content for answer in answers}) == 1 and "/auth/login" in answers[0].text
    assert len(made) <= 1
