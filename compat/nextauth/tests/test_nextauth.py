"""The routes of NextAuth: what the client of version 4 and of version 5 sends, and what it reads."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts.models import User
from testing.api_client import ApiClient, acting_client, create_user
from testing.live_server import Live, json_body
from testing.shapes import assert_matches, responses_of

SESSION, PROVIDERS, CSRF = "/api/auth/session", "/api/auth/providers", "/api/auth/csrf"
SIGN_IN, SIGN_OUT, LOG = "/api/auth/signin", "/api/auth/signout", "/api/auth/_log"
FORM = "application/x-www-form-urlencoded"
SignIn = Callable[[str], ApiClient]


def post_form(client: ApiClient, path: str, status: int = 200, headers: Any = None, **fields: str) -> Any:
    """Send a form as `next-auth/react` does: urlencoded, with `json=true` in version 4."""
    sent = {"Content-Type": FORM, **(headers or {})}
    body = urlencode({**fields, "json": "true"}).encode()
    answer = client.client.generic("POST", path, body, FORM, headers=client.headers | sent)
    assert answer.status_code == status, answer.content
    return answer.json()


def sign_out(client: ApiClient, **fields: str) -> Any:
    return post_form(client, SIGN_OUT, csrfToken=client("GET", CSRF)["csrfToken"], **fields)


@pytest.fixture
def as_browser(alice: User) -> ApiClient:
    return ApiClient(alice, by="session")


# --- Session -------------------------------------------------------------------------------------


def test_the_session_names_the_user_and_an_end(sign_in: SignIn) -> None:
    as_alice = sign_in("Alice")
    me = as_alice("GET", "me/")
    session = as_alice("GET", SESSION)
    assert session["user"] == {"name": me["name"], "email": me["email"], "image": None}
    assert parse_datetime(session["expires"]) > timezone.now()
    assert_matches(session, responses_of("GET", f"{SESSION}/")["200"])
    assert as_alice.answer.headers["Cache-Control"] == "private, no-store"


def test_without_a_session_the_answer_is_an_empty_object(live: Live) -> None:
    for headers in ({}, {"Cookie": "sessionid=" + "x" * 32}, {"Sec-Fetch-Site": "cross-site"}):
        answer = live.call("GET", SESSION, **headers)
        assert (answer.status, json_body(answer)) == (200, {})
        assert_matches({}, responses_of("GET", f"{SESSION}/")["200"])


def test_an_invalid_token_is_a_401(db: None) -> None:
    assert ApiClient()("GET", SESSION, status=401, Authorization="Bearer cs_junk") == {"error": "Unauthorized"}


def test_the_end_of_a_session_is_that_of_its_row(as_browser: ApiClient) -> None:
    end = timezone.now() + timedelta(hours=3)
    Session.objects.update(expire_date=end)
    expires = parse_datetime(as_browser("GET", SESSION)["expires"])
    assert abs(expires - end) < timedelta(milliseconds=1)


def test_a_session_that_has_ended_is_an_empty_object(as_browser: ApiClient) -> None:
    Session.objects.update(expire_date=timezone.now())
    assert as_browser("GET", SESSION) == {}


def test_the_end_of_a_token_is_its_own_or_30_days_ahead(alice: User) -> None:
    end = timezone.now() + timedelta(hours=3)
    expires = parse_datetime(ApiClient(alice, expires_at=end)("GET", SESSION)["expires"])
    assert abs(expires - end) < timedelta(milliseconds=1)
    expires = parse_datetime(ApiClient(alice)("GET", SESSION)["expires"])
    assert timedelta(days=29) < expires - timezone.now() <= timedelta(days=30)


def test_a_user_without_a_name_is_shown_with_the_address(db: None) -> None:
    user = User.objects.create(email="nameless@example.com", image="https://example.com/face.png")
    session = ApiClient(user)("GET", SESSION)
    assert session["user"] == {
        "name": "nameless@example.com",
        "email": "nameless@example.com",
        "image": "https://example.com/face.png",
    }


def test_the_session_of_a_managed_user_names_the_back_ends_id(back_end: User) -> None:
    user = acting_client(back_end, "u-1")("GET", SESSION)["user"]
    assert user == {"name": "u-1", "email": None, "image": None}


def test_a_token_without_the_scope_read_does_not_read_the_session(alice: User) -> None:
    assert "'read'" in ApiClient(alice, scopes=["write"])("GET", SESSION, status=403)["error"]


# --- Signing in ----------------------------------------------------------------------------------


def test_our_page_is_the_only_provider(live: Live) -> None:
    answer = live.call("GET", PROVIDERS)
    assert json_body(answer) == {
        "chatstore": {
            "id": "chatstore",
            "name": "chatstore",
            "type": "oauth",
            "signinUrl": f"http://localhost:{live.port}/api/auth/signin/chatstore",
            "callbackUrl": f"http://localhost:{live.port}/accounts/login/",
        }
    }
    assert_matches(json_body(answer), responses_of("GET", f"{PROVIDERS}/")["200"])


@pytest.mark.parametrize("path", [SIGN_IN, f"{SIGN_IN}/google", f"{SIGN_IN}/unknown"])
def test_signing_in_leads_to_our_page_and_back(path: str, db: None) -> None:
    as_nobody = ApiClient()
    as_nobody("GET", f"{path}?callbackUrl=%2Fchats%3Fa%3D1", status=302)
    assert as_nobody.answer.headers["Location"] == "/accounts/login/?next=%2Fchats%3Fa%3D1"
    answer = post_form(as_nobody, path, callbackUrl="/chats?a=1", csrfToken="any")
    assert answer == {"url": "/accounts/login/?next=%2Fchats%3Fa%3D1"}
    assert_matches(answer, responses_of("POST", f"{SIGN_IN}/")["200"])


def test_the_sign_in_page_returns_to_the_callback_url(as_browser: ApiClient) -> None:
    as_browser("GET", f"{SIGN_IN}?callbackUrl=http://testserver/chats", status=302)
    as_browser("GET", as_browser.answer.headers["Location"], status=302)
    assert as_browser.answer.headers["Location"] == "http://testserver/chats"


FOREIGN = [
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example",
    "///evil.example",
    "http:///evil.example",
    "javascript:alert(1)",
    "http://testserver@evil.example/",
    "http://testserver.evil.example/",
    " https://evil.example",
    "\x00https://evil.example",
    "/\t/evil.example",
    "",
]


@pytest.mark.parametrize("url", FOREIGN)
def test_no_route_leads_to_another_site(url: str, as_browser: ApiClient) -> None:
    for path in (SIGN_IN, f"{SIGN_IN}/google", SIGN_OUT):
        as_browser("GET", f"{path}?{urlencode({'callbackUrl': url})}", status=302)
        target = urlsplit(as_browser.answer.headers["Location"])
        assert (target.netloc, parse_qs(target.query)) == ("", {"next": ["/"]})
    assert post_form(as_browser, SIGN_IN, callbackUrl=url) == {"url": "/accounts/login/?next=%2F"}
    assert sign_out(as_browser, callbackUrl=url) == {"url": "/"}


def test_the_front_ends_of_the_settings_are_no_other_sites(settings: Any, as_browser: ApiClient) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["http://localhost:3000"]
    assert sign_out(as_browser, callbackUrl="http://localhost:3000/chat") == {"url": "http://localhost:3000/chat"}
    assert sign_out(as_browser, callbackUrl="http://localhost:3001/chat") == {"url": "/"}


# --- Signing out ---------------------------------------------------------------------------------


def test_signing_out_ends_the_session_and_returns_the_callback_url(as_browser: ApiClient) -> None:
    answer = sign_out(as_browser, callbackUrl="http://testserver/bye#now")
    assert answer == {"url": "http://testserver/bye#now"}
    assert_matches(answer, responses_of("POST", f"{SIGN_OUT}/")["200"])
    assert as_browser("GET", SESSION) == {}
    assert not Session.objects.exists()
    as_browser("GET", "me/", status=401)


@pytest.mark.parametrize("sign_in", ["live"], indirect=True)
def test_signing_out_works_over_http(sign_in: SignIn) -> None:
    as_alice = sign_in("Alice")
    form = {"csrfToken": as_alice("GET", CSRF)["csrfToken"], "callbackUrl": "/bye", "json": "true"}
    wrong = urlencode(form | {"csrfToken": "x"}).encode()
    as_alice("POST", SIGN_OUT, wrong, status=403, Content_Type=FORM)
    assert as_alice("GET", SESSION)["user"]
    assert as_alice("POST", SIGN_OUT, urlencode(form).encode(), Content_Type=FORM) == {"url": "/bye"}
    assert as_alice("GET", SESSION) == {}
    as_alice("GET", "me/", status=401)


def test_version_5_signs_out_without_json_true(as_browser: ApiClient) -> None:
    token = as_browser("GET", CSRF)["csrfToken"]
    body = urlencode({"csrfToken": token, "callbackUrl": "/"}).encode()
    headers = as_browser.headers | {"X-Auth-Return-Redirect": "1"}
    answer = as_browser.client.generic("POST", SIGN_OUT, body, FORM, headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"url": "/"})
    assert as_browser("GET", SESSION) == {}


@pytest.mark.parametrize("token", ["", "junk", "é", "\x00", "0" * 64])
def test_signing_out_needs_the_csrf_token_of_the_session(token: str, as_browser: ApiClient) -> None:
    other = ApiClient(create_user("Bob"), by="session")("GET", CSRF)["csrfToken"]
    for wrong in (token, other, ApiClient()("GET", CSRF)["csrfToken"]):
        answer = post_form(as_browser, SIGN_OUT, status=403, csrfToken=wrong)
        assert answer == {"error": "The csrfToken is not that of this session. Read /api/auth/csrf again."}
        assert as_browser("GET", SESSION)["user"]["name"] == "Alice"
    sign_out(as_browser)
    assert as_browser("GET", SESSION) == {}


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": ""},
    ],
    ids=str,
)
def test_another_site_cannot_sign_a_user_out(headers: dict[str, str], as_browser: ApiClient) -> None:
    token = as_browser("GET", CSRF)["csrfToken"]
    assert "cross-site" in post_form(as_browser, SIGN_OUT, status=403, headers=headers, csrfToken=token)["error"]
    assert as_browser("GET", SESSION)["user"]["name"] == "Alice"
    as_browser("GET", f"{SIGN_OUT}?csrfToken={token}", status=302)
    assert as_browser("GET", SESSION)["user"]["name"] == "Alice"


def test_signing_out_ends_no_token(alice: User) -> None:
    as_alice = ApiClient(alice)
    assert post_form(as_alice, SIGN_OUT, callbackUrl="/bye") == {"url": "/bye"}
    as_alice("GET", "me/")


def test_signing_out_without_a_session_is_no_error(db: None) -> None:
    assert post_form(ApiClient(), SIGN_OUT, callbackUrl="/bye", csrfToken="old") == {"url": "/bye"}


def test_a_form_and_json_are_read_alike(db: None) -> None:
    assert ApiClient()("POST", SIGN_OUT, {"callbackUrl": "/bye"}) == {"url": "/bye"}
    assert ApiClient()("POST", SIGN_OUT, {"callbackUrl": 5}, status=400)["error"] == "callbackUrl: Must be a string."
    assert ApiClient()("POST", SIGN_OUT, [], status=400)["error"] == "Must be an object."


def test_a_form_has_a_limit(db: None) -> None:
    answer = post_form(ApiClient(), SIGN_OUT, status=413, callbackUrl="x" * 20_001)
    assert "the limit is 20,000" in answer["error"]
    many = "&".join(f"a{index}=1" for index in range(1_001)).encode()
    answer = Client(raise_request_exception=False).generic("POST", SIGN_OUT, many, FORM)
    assert answer.status_code == 400


# --- The client's log ----------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"", b"level=error&code=X", b"\xff{", b"x" * 3_000_000])
def test_error_reports_of_the_client_are_dropped(body: bytes, live: Live) -> None:
    for headers in ({"Content-Type": FORM}, {"Content-Type": "text/plain", "Sec-Fetch-Site": "cross-site"}):
        answer = live.call("POST", LOG, body, **headers)
        assert (answer.status, answer.body) == (204, b"")  # type: ignore[attr-defined]


def test_a_chunked_error_report_is_dropped(live: Live) -> None:
    assert live.call("POST", LOG, iter([b"x" * 100_000] * 20)).status == 204


@pytest.mark.parametrize("path", [SESSION, PROVIDERS, CSRF, SIGN_IN, SIGN_OUT, LOG])
def test_an_unsupported_method_is_refused_in_the_error_shape(path: str, db: None) -> None:
    answer = ApiClient()("PATCH", path, status=405)
    assert_matches(answer, responses_of("POST" if path == LOG else "GET", f"{path}/")["default"])


def test_requests_are_counted(settings: Any, db: None) -> None:
    settings.API_RATE = 1
    as_nobody = ApiClient()
    as_nobody("POST", LOG, status=204)
    as_nobody("POST", LOG, status=429)
