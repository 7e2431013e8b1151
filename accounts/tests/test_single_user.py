"""Single-user mode over real HTTP: which requests without credentials are the user's, and which are refused."""

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import RequestFactory

from accounts import single_user
from accounts.models import ApiToken, User
from accounts.services import create_token
from conversations.models import Conversation
from conversations.services import conversations
from testing.api_client import PASSWORD, create_user, sign_in
from testing.generator import running as generating
from testing.live_server import Live, json_body, read_response, serving

EMAIL = "ada@localhost"
APP = "http://localhost:3000"  # the front end in CORS_ALLOWED_ORIGINS
EVIL = "https://evil.example"
ME, CHATS, TOKENS = "/api/v1/me/", "/api/v1/conversations/", "/api/v1/tokens/"
BROWSER = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}


@pytest.fixture(scope="module")
def alone(django_db_setup: None, django_db_blocker: Any) -> Iterator[Live]:
    """A server in single-user mode, and a generator of replies."""
    variables = {"SINGLE_USER": EMAIL, "CORS_ALLOWED_ORIGINS": f"{APP},null", "CSRF_TRUSTED_ORIGINS": ""}
    # ALLOWED_HOSTS is wider than it may be (chatstore.E005), so that these tests show the rule of each request.
    with django_db_blocker.unblock(), serving(**variables, ALLOWED_HOSTS="*") as live, generating():
        yield live


@pytest.fixture(autouse=True)
def ada(request: pytest.FixtureRequest, django_db_blocker: Any) -> Iterator[User | None]:
    """The user of the mode, with one conversation. This and all other rows are committed."""
    if "alone" not in request.fixturenames:
        yield None
        return
    with django_db_blocker.unblock():
        user = create_user("Ada", email=EMAIL, is_staff=True, is_superuser=True)
        drafts = [{"role": "user", "content": "Where do they sleep?"}]
        conversations.create(user=user, fields={"title": "Zebras"}, drafts=drafts)
        yield user
        delete_everything()


def delete_everything() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE account CASCADE")


def status(live: Live, method: str = "GET", path: str = ME, body: Any = None, **headers: str) -> int:
    return live.call(method, path, body, **headers).status


def refusal(live: Live, method: str = "GET", path: str = ME, body: Any = None, **headers: str) -> str:
    """Send a request that the mode refuses, and return the message."""
    answer = live.call(method, path, body, **headers)
    error = json_body(answer)["error"]
    assert (answer.status, error["code"]) == (403, "single_user")
    return str(error["message"])


# --- Admitted ------------------------------------------------------------------------------------


def test_a_program_without_credentials_is_the_single_user(alone: Live) -> None:
    assert json_body(alone.call("GET", ME))["email"] == EMAIL
    assert [row["title"] for row in json_body(alone.call("GET", CHATS))["results"]] == ["Zebras"]
    assert status(alone, "POST", CHATS, b'{"title": "New"}') == 201


@pytest.mark.parametrize(
    "path", ["/api/chat/sessions", "/api/chat/history", "/api/v1/storage/chat-sessions", "/api/conversations"]
)
def test_the_contracts_are_open_as_well(path: str, alone: Live) -> None:
    answer = alone.call("GET", path, Origin=APP, Sec_Fetch_Site="same-site", **BROWSER)
    assert answer.status == 200 and b"Zebras" in answer.body  # type: ignore[attr-defined]
    assert answer.headers["Access-Control-Allow-Origin"] == APP


def test_the_session_of_nextauth_names_the_single_user(alone: Live) -> None:
    session = json_body(alone.call("GET", "/api/auth/session", Sec_Fetch_Site="same-origin"))
    assert session["user"] == {"name": "Ada", "email": EMAIL, "image": None}
    assert session["expires"] > "2026"


@pytest.mark.parametrize("site", ["same-site", "cross-site", None])
def test_a_page_of_an_allowed_origin_can_read_and_write(site: str | None, alone: Live) -> None:
    headers = BROWSER | {"Origin": APP} | ({"Sec-Fetch-Site": site} if site else {})
    for answer in (alone.call("GET", CHATS, **headers), alone.call("POST", CHATS, b"{}", **headers)):
        assert answer.status < 300
        assert answer.headers["Access-Control-Allow-Origin"] == APP
    as_text = headers | {"Content-Type": "text/plain;charset=UTF-8"}
    assert status(alone, "POST", "/api/chat", b'{"message": "Hello", "model": "echo"}', **as_text) == 200


def test_a_page_of_an_allowed_origin_can_ask_before_it_sends_json(alone: Live) -> None:
    asked = {"Access-Control-Request-Method": "DELETE", "Access-Control-Request-Headers": "content-type"}
    answer = alone.call("OPTIONS", CHATS, Origin=APP, Sec_Fetch_Site="same-site", **asked)
    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (200, APP)
    assert "DELETE" in answer.headers["Access-Control-Allow-Methods"]
    assert "content-type" in answer.headers["Access-Control-Allow-Headers"]
    answer = alone.call("OPTIONS", CHATS, Origin=EVIL, Sec_Fetch_Site="cross-site", **asked)
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"])
def test_our_own_pages_can_read_and_write_at_each_loopback_name(name: str, alone: Live) -> None:
    host = f"{name}:{alone.port}"
    assert status(alone, Host=host, Sec_Fetch_Site="same-origin", **BROWSER) == 200
    own = {"Host": host, "Origin": f"http://{host.lower()}", "Sec-Fetch-Site": "same-origin"}
    assert status(alone, "POST", CHATS, b"{}", **own) == 201


def test_an_address_typed_by_a_person_is_answered(alone: Live) -> None:
    assert status(alone, Sec_Fetch_Site="none", Sec_Fetch_Mode="navigate", Sec_Fetch_Dest="document") == 200


def test_a_local_proxy_that_sends_no_headers_of_its_own_is_not_noticed(alone: Live) -> None:
    """This is what nginx sends by default for `proxy_pass http://localhost:8000`. The documents show such a proxy."""
    request = f"GET {ME} HTTP/1.0\r\nHost: localhost:{alone.port}\r\nConnection: close\r\n"
    assert b" 200 OK" in alone.raw(f"{request}Sec-Fetch-Site: same-origin\r\n\r\n".encode())


# --- Refused: other pages ------------------------------------------------------------------------

FORM = {"Content-Type": "text/plain", "Sec-Fetch-Mode": "no-cors"}


@pytest.mark.parametrize(
    "origin", [EVIL, "null", "http://localhost:3001", "https://localhost:3000", f"{APP}.evil.example", f"{APP}/", ""]
)
@pytest.mark.parametrize("site", ["cross-site", "same-site", "same-origin", "none", "junk", None])
def test_a_page_of_another_origin_is_refused(origin: str, site: str | None, alone: Live) -> None:
    headers = {"Origin": origin} | ({"Sec-Fetch-Site": site} if site else {})
    for method, body in (("GET", None), ("POST", b'{"title": "Evil"}'), ("DELETE", None)):
        assert "CORS_ALLOWED_ORIGINS" in refusal(alone, method, CHATS, body, **headers, **FORM)
    assert Conversation.objects.get().title == "Zebras"


def test_an_answer_to_another_origin_cannot_be_read(alone: Live) -> None:
    answer = alone.call("GET", CHATS, Origin=EVIL, Sec_Fetch_Site="cross-site")
    assert (answer.status, "Access-Control-Allow-Origin" in answer.headers) == (403, False)


@pytest.mark.parametrize("site", ["cross-site", "same-site", "junk", "same-origin, cross-site"])
@pytest.mark.parametrize("mode", ["no-cors", "navigate", "cors"])
def test_a_get_without_an_origin_from_another_site_is_refused(site: str, mode: str, alone: Live) -> None:
    """Images, scripts, frames and links send no Origin."""
    for path in (ME, CHATS, "/api/v1/me/export/"):
        assert "CORS_ALLOWED_ORIGINS" in refusal(alone, "GET", path, Sec_Fetch_Site=site, Sec_Fetch_Mode=mode)


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"])
@pytest.mark.parametrize("path", ["/api/chat", "/api/chats/", "/api/v1/storage/chat-sessions"])
def test_a_form_of_another_site_is_refused(path: str, kind: str, alone: Live) -> None:
    body = b'{"message": "Evil", "name": "Evil", "chatSessions": []}'
    headers = {"Content-Type": kind, "Origin": EVIL, "Sec-Fetch-Site": "cross-site"}
    assert status(alone, "POST", path, body, **headers) == 403
    without_origin = {"Content-Type": kind, "Sec-Fetch-Site": "cross-site"}
    assert status(alone, "POST", path, body, **without_origin) == 403
    assert list(Conversation.objects.values_list("title", "deleted_at")) == [("Zebras", None)]


def test_our_own_origin_from_another_site_is_refused(alone: Live) -> None:
    own = f"http://localhost:{alone.port}"
    assert "CORS_ALLOWED_ORIGINS" in refusal(alone, Origin=own, Sec_Fetch_Site="cross-site")
    assert "CORS_ALLOWED_ORIGINS" in refusal(alone, Origin=f"http://127.0.0.1:{alone.port}")


# --- Refused: other names, proxies and machines --------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "localhost.evil.example:{port}",
        "localhost:1",
        "localhost",
        "127.0.0.2:{port}",
        "a.localhost:{port}",
        "localhost.:{port}",
        "[::ffff:127.0.0.1]:{port}",
        "0.0.0.0:{port}",
    ],
)
def test_a_page_with_a_rebound_name_is_refused(host: str, alone: Live) -> None:
    """To the browser such a page has the same origin as we: it sends `same-origin`, or no Sec-Fetch-Site at all."""
    host = host.format(port=alone.port)
    for headers in ({}, {"Sec-Fetch-Site": "same-origin"}, {"Origin": f"http://{host}"}, {"Origin": APP}):
        assert "localhost" in refusal(alone, Host=host, **headers)
    assert "localhost" in refusal(alone, "POST", CHATS, b"{}", Host=host, Origin=f"http://{host}")


def test_a_request_without_a_host_is_refused(alone: Live) -> None:
    assert b" 403 " in alone.raw(f"GET {ME} HTTP/1.0\r\n\r\n".encode())


@pytest.mark.parametrize(
    "header",
    ["X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded", "Forwarded", "Via"]
    + ["X-Real-IP", "X-Client-IP", "X-Cluster-Client-IP", "X-Original-Host", "CF-Connecting-IP", "True-Client-IP"],
)
def test_a_forwarded_request_is_refused(header: str, alone: Live) -> None:
    for value in ("127.0.0.1", "203.0.113.9, 127.0.0.1", ""):
        assert "proxy" in refusal(alone, **{header: value})


@pytest.mark.parametrize(
    ("address", "is_admitted"),
    [
        ("127.0.0.1", True),
        ("127.0.0.2", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("192.168.1.5", False),
        ("::ffff:192.168.1.5", False),
        ("2001:db8::1", False),
        ("0.0.0.0", False),
        ("", False),
        ("localhost", False),
    ],
)
def test_only_requests_from_this_machine_are_admitted(address: str, is_admitted: bool) -> None:
    request = RequestFactory().get(ME, REMOTE_ADDR=address, HTTP_HOST=f"localhost:{django_settings.PORT}")
    assert single_user.find_refusal(request) == (
        "" if is_admitted else "Single-user mode answers requests from this machine only."
    )


def test_a_request_over_the_network_is_refused(django_db_setup: None, django_db_blocker: Any) -> None:
    """Even without the system check, on a server that listens on all addresses."""
    address = _own_address()
    variables = {
        "SINGLE_USER": EMAIL,
        "HOST": "0.0.0.0",
        "ALLOWED_HOSTS": "*",
        "HTTPS": "false",
        "SECRET_KEY": "x" * 50,
    }
    with django_db_blocker.unblock(), serving(**variables) as live:
        with closing(http.client.HTTPConnection(address, live.port, timeout=10)) as client:
            client.request("GET", ME, headers={"Host": f"localhost:{live.port}"})
            answer = read_response(client)
        assert "this machine only" in json_body(answer)["error"]["message"]
        assert answer.status == 403


def _own_address() -> str:
    """Return an address of this machine that is not loopback. Skip the test on a machine without a network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("203.0.113.1", 9))  # sends nothing
        except OSError:
            pytest.skip("this machine has no network")
        return str(probe.getsockname()[0])


# --- Credentials ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer cs_junk"},
        {"Authorization": "Basic YTpi"},
        {"Authorization": ""},
        {"X-Session-Token": "junk"},
        {"Cookie": "sessionid=" + "x" * 32},
        {"Cookie": "sessionid="},
    ],
    ids=str,
)
def test_invalid_credentials_are_a_401(headers: dict[str, str], alone: Live) -> None:
    assert status(alone, **headers) == 401
    assert status(alone, "POST", CHATS, b"{}", **headers, Origin=APP, Sec_Fetch_Site="same-site") == 401
    assert status(alone) == 200


def test_valid_credentials_are_those_of_their_own_user(alone: Live, ada: User) -> None:
    bob = create_user("Bob")
    _, secret = create_token(user=bob, name="program")
    answer = alone.call("GET", ME, Authorization=f"Bearer {secret}", Origin=EVIL, X_Forwarded_For="203.0.113.9")
    assert json_body(answer)["email"] == "bob@example.com"
    ApiToken.objects.all().delete()
    assert status(alone, Authorization=f"Bearer {secret}") == 401


def test_x_act_as_needs_a_token(alone: Live) -> None:
    answer = alone.call("GET", ME, X_Act_As="u-1")
    assert (answer.status, "act_as" in json_body(answer)["error"]["message"]) == (403, True)


def test_without_its_user_the_mode_admits_nobody(alone: Live, ada: User) -> None:
    User.objects.filter(pk=ada.pk).update(is_active=False)
    assert status(alone) == 401
    delete_everything()
    answer = alone.call("GET", ME)
    assert (answer.status, "SINGLE_USER" in json_body(answer)["error"]["message"]) == (401, True)
    assert not User.objects.exists()


# --- What stays closed ---------------------------------------------------------------------------


def test_no_token_is_made_without_credentials(alone: Live) -> None:
    for headers in ({}, {"Origin": APP, "Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "same-origin"}):
        answer = alone.call("POST", TOKENS, b'{"name": "outlives the mode"}', **headers)
        assert (answer.status, json_body(answer)["error"]["code"]) == (403, "reauthentication_required")
    assert not ApiToken.objects.exists()


def test_the_account_is_not_erased_without_its_password(alone: Live, ada: User) -> None:
    answer = alone.call("DELETE", ME)
    assert (answer.status, json_body(answer)["error"]["code"]) == (403, "reauthentication_required")
    assert status(alone, "DELETE", ME, json.dumps({"password": f"not {PASSWORD}"}).encode()) == 400
    assert User.objects.filter(pk=ada.pk, erasing_at=None).exists()


@pytest.mark.parametrize("path", ["/admin/", "/admin/accounts/user/", "/accounts/email/", "/accounts/password/change/"])
def test_the_admin_and_the_account_pages_ask_for_a_sign_in(path: str, alone: Live) -> None:
    answer = alone.call("GET", path)
    assert (answer.status, "/login/" in answer.headers["Location"]) == (302, True)


@pytest.mark.parametrize("path", ["auth/session", "account/email", "account/authenticators", "auth/sessions"])
def test_the_sign_in_api_asks_for_a_sign_in(path: str, alone: Live) -> None:
    for kind in ("browser", "app"):
        assert status(alone, "GET", f"/_allauth/{kind}/v1/{path}") == 401


def test_no_session_begins_without_a_sign_in(alone: Live) -> None:
    for path in (ME, "/", "/accounts/login/", "/api/auth/session", "/api/auth/csrf"):
        assert "sessionid" not in str(alone.call("GET", path).headers)


def test_signing_out_ends_nothing(alone: Live) -> None:
    body = b"csrfToken=x&callbackUrl=%2Fbye&json=true"
    answer = alone.call("POST", "/api/auth/signout", body, Content_Type="application/x-www-form-urlencoded")
    assert (answer.status, json_body(answer)) == (200, {"url": "/bye"})
    assert status(alone) == 200


# --- Said loudly ---------------------------------------------------------------------------------


def test_the_start_page_says_that_the_mode_is_on(alone: Live) -> None:
    page = alone.call("GET", "/").body.decode()  # type: ignore[attr-defined]
    assert "Single-user mode" in page and EMAIL in page


def test_without_the_mode_requests_without_credentials_are_a_401(client: Any, db: None) -> None:
    create_user("Ada", email=EMAIL)
    assert client.get(ME).status_code == 401
    assert "Single-user mode" not in client.get("/").text


def test_a_session_is_that_of_its_own_user(client: Any, db: None, settings: Any) -> None:
    settings.SINGLE_USER = EMAIL
    create_user("Ada", email=EMAIL)
    sign_in(client, create_user("Bob"))
    assert client.get(ME).json()["email"] == "bob@example.com"
