"""Attacks on sign-in, sessions, tokens and the admin. Each test attacks, and checks that the attack fails."""

import json
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from accounts import services
from accounts.models import User
from testing.api_client import ApiClient

from .conftest import PASSWORD

EVIL = [
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    "\x00//x",
]


def sign_in(client: Client, email: str, password: str, **more: str) -> Any:
    return client.post("/accounts/login/", {"login": email, "password": password, **more})


def headless(client: Client, path: str, body: Any) -> tuple[int, Any]:
    answer = client.post(f"/_allauth/browser/v1/auth/{path}", json.dumps(body), "application/json")
    return answer.status_code, answer.json()


# Sessions


def test_sign_in_does_not_use_a_session_id_that_an_attacker_planted(client: Client, alice: User) -> None:
    client.get("/accounts/login/")
    client.cookies["sessionid"] = planted = "x" * 32
    sign_in(client, alice.email, PASSWORD)
    assert client.cookies["sessionid"].value != planted
    thief = Client()
    thief.cookies["sessionid"] = planted
    assert thief.get("/api/v1/me/").status_code == 401


def test_a_stolen_session_ends_with_the_sign_out(client: Client, alice: User) -> None:
    sign_in(client, alice.email, PASSWORD)
    thief = Client()
    thief.cookies["sessionid"] = client.cookies["sessionid"].value
    assert thief.get("/api/v1/me/").status_code == 200
    client.post("/accounts/logout/")
    assert thief.get("/api/v1/me/").status_code == 401


def test_a_changed_password_ends_all_other_sessions(client: Client, alice: User) -> None:
    elsewhere = Client()
    for browser in (client, elsewhere):
        sign_in(browser, alice.email, PASSWORD)
    new = "another horse, and as correct"
    form = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert client.post("/accounts/password/change/", form).status_code == 302
    assert client.get("/api/v1/me/").status_code == 200
    assert elsewhere.get("/api/v1/me/").status_code == 401


# Redirects


@pytest.mark.parametrize("evil", EVIL)
def test_the_parameter_next_does_not_redirect_to_another_site(evil: str, client: Client, alice: User) -> None:
    answer = sign_in(client, alice.email, PASSWORD, next=evil)
    assert answer.status_code == 302 and answer.url == "/"
    answer = client.post("/accounts/logout/", {"next": evil})
    assert answer.status_code == 302 and answer.url == "/"


# Enumeration of accounts


def test_sign_in_does_not_reveal_whether_an_address_is_known(client: Client, alice: User, unlimited: None) -> None:
    known, unknown = (
        headless(client, "login", {"email": email, "password": "wrong"}) for email in (alice.email, "no@example.com")
    )
    assert known == unknown and known[0] == 400


def test_sign_up_does_not_reveal_whether_an_address_is_known(alice: User, unlimited: None) -> None:
    outcomes = []
    for email in (alice.email, "new@example.com"):
        status, body = headless(Client(), "signup", {"email": email, "password": PASSWORD})
        outcomes.append((status, [flow["id"] for flow in body["data"]["flows"] if flow.get("is_pending")]))
    assert outcomes[0] == outcomes[1] == (401, ["verify_email"])
    to_alice = [message for message in mail.outbox if message.to == [alice.email]]
    assert len(to_alice) == 1 and "account" in to_alice[0].body
    assert User.objects.get(email=alice.email).check_password(PASSWORD)


def test_a_password_reset_does_not_reveal_whether_an_address_is_known(alice: User, unlimited: None) -> None:
    known, unknown = (headless(Client(), "password/request", {"email": e}) for e in (alice.email, "no@example.com"))
    assert known[0] == unknown[0] == 401
    assert known[1]["data"] == unknown[1]["data"]


# Rate limits


def test_too_many_sign_in_attempts_are_a_429_with_retry_after(client: Client, alice: User) -> None:
    answers = [sign_in(client, alice.email, f"wrong {n}") for n in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert sign_in(client, alice.email, PASSWORD).status_code == 429, "even with the right password"
    status, body = headless(Client(), "login", {"email": alice.email, "password": PASSWORD})
    assert (status, body["status"]) == (429, 429)


def test_the_holder_of_a_token_cannot_guess_the_password(alice: User) -> None:
    api_client = ApiClient(alice)
    for _ in range(5):
        assert api_client.refusal("DELETE", "me/", {"password": "wrong"}, status=400) == ("wrong_password", "password")
    assert api_client.refusal("DELETE", "me/", {"password": PASSWORD}, status=429)[0] == "rate_limited"
    assert int(api_client.answer.headers["Retry-After"]) > 0
    assert User.objects.filter(id=alice.id).exists()


def test_too_many_password_resets_are_a_429(alice: User) -> None:
    answers = [headless(Client(), "password/request", {"email": alice.email})[0] for _ in range(6)]
    assert answers == [401] * 5 + [429]


def test_too_many_sign_ups_are_a_429(db: None) -> None:
    people = [{"email": f"{n}@example.com", "password": PASSWORD} for n in range(21)]
    assert [headless(Client(), "signup", person)[0] for person in people] == [401] * 20 + [429]


# Malicious input


@pytest.mark.parametrize("field", ["email", "name"])
def test_input_cannot_add_a_header_to_a_mail(field: str, client: Client, db: None, unlimited: None) -> None:
    sent = {"email": "eve@example.com", "password": PASSWORD} | {field: "eve@example.com\r\nBcc: all@example.com"}
    headless(client, "signup", sent)
    assert all(message.recipients() == ["eve@example.com"] for message in mail.outbox)
    assert not any("Bcc" in message.subject or "bcc" in message.extra_headers for message in mail.outbox)


def test_users_cannot_make_themselves_staff(alice: User, unlimited: None) -> None:
    more = {"is_staff": True, "is_superuser": True, "id": str(alice.id), "managed_by": str(alice.id)}
    headless(Client(), "signup", {"email": "eve@example.com", "password": PASSWORD, **more})
    eve = User.objects.get(email="eve@example.com")
    assert not (eve.is_staff or eve.is_superuser or eve.managed_by)
    api_client = ApiClient(eve)
    api_client("PATCH", "/api/v1/me/", {"name": "Eve", "is_staff": True, "id": str(alice.id), "email": alice.email})
    eve.refresh_from_db()
    assert (eve.is_staff, eve.email) == (False, "eve@example.com")


def test_users_cannot_create_a_conversation_of_another_user(alice: User) -> None:
    eve = ApiClient(User.objects.create(email="eve@example.com"))
    for body in ({"user": str(alice.id)}, {"user_id": str(alice.id)}, {"owner": str(alice.id)}):
        eve.refusal("POST", "conversations/", body, status=400)
    assert ApiClient(alice).pages("conversations/") == []


# Misplaced tokens, the admin, security headers


def test_a_token_in_the_query_string_or_a_cookie_is_ignored(client: Client, alice: User) -> None:
    _, secret = services.create_token(user=alice, name="a program")
    for name in ("token", "access_token", "api_key", "authorization"):
        assert client.get(f"/api/v1/me/?{name}={secret}").status_code == 401
    client.cookies["token"] = client.cookies["Authorization"] = secret
    assert client.get("/api/v1/me/").status_code == 401


@pytest.mark.parametrize("path", ["/admin/", "/admin/conversations/conversation/", "/admin/login/"])
def test_the_admin_has_no_separate_sign_in(path: str, client: Client, db: None) -> None:
    User.objects.create_superuser("root@example.com", PASSWORD)
    form = {"username": "root@example.com", "password": PASSWORD}
    assert client.post(path, form, follow=True).redirect_chain[-1][0].startswith("/accounts/login/")
    assert "sessionid" not in client.cookies or client.get("/api/v1/me/").status_code == 401


HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/accounts/signup/", "/api/v1/me/", "/api/docs/"])
def test_every_response_has_the_security_headers(path: str, client: Client, db: None) -> None:
    answer = client.get(path)
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy
    assert "script-src" not in policy and "unsafe-eval" not in policy


@pytest.mark.parametrize(
    "path", ["/", "/app/", "/share/x/", "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/"]
)
def test_forms_lead_to_no_other_site(path: str, client: Client, db: None) -> None:
    assert "form-action 'self'" in client.get(path).headers["Content-Security-Policy"].split("; ")


def test_the_forms_of_signed_in_users_lead_to_no_other_site(client: Client, alice: User) -> None:
    client.force_login(alice)
    for path in ("/app/", "/accounts/password/change/", "/accounts/3rdparty/", "/accounts/logout/", "/api/docs/"):
        assert "form-action 'self'" in client.get(path).headers["Content-Security-Policy"].split("; "), path
