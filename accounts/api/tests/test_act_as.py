"""X-Act-As: a back end sends requests for one of its managed users."""

from typing import Any

import pytest

from accounts.models import ApiToken, User
from chatstore.ids import new_id
from testing.api_client import ApiClient, acting_client, acting_client_for, create_user
from testing.live_server import Live, json_body, live

__all__ = ["live"]

HEADER = "X-Act-As"


def test_the_first_write_creates_a_managed_user_of_the_back_end(back_end: User) -> None:
    api_client = acting_client(back_end, "u-1")
    me = api_client("PATCH", "me/", {})
    assert api_client("GET", "me/") == me
    user = User.objects.get(managed_by=back_end)
    assert (me["id"], me["email"]) == (str(user.id), None)
    assert (user.external_id, user.email, user.is_staff, user.is_active) == ("u-1", None, False, True)
    assert not user.has_usable_password()
    assert str(user) == "u-1"


def test_changes_affect_only_the_named_user(back_end: User) -> None:
    one, other = acting_client(back_end, "u-1"), acting_client(back_end, "u-2")
    one("PATCH", "me/", {"name": "One"})
    one("PATCH", "preferences/", {"theme": "light"})
    assert other("PATCH", "me/", {})["name"] == ""
    assert other("GET", "preferences/")["theme"] == "dark"
    assert ApiClient(back_end)("GET", "me/")["name"] == "Backend"
    assert one("GET", "me/")["name"] == "One"


def test_the_same_id_from_two_back_ends_means_two_users(back_end: User) -> None:
    ids = {acting_client(manager, "u-1")("PATCH", "me/", {})["id"] for manager in (back_end, create_user("Other"))}
    assert len(ids) == User.objects.filter(external_id="u-1").count() == 2


@pytest.mark.parametrize("id", ["0", "x" * 255, "a b,c;d", "Zoë", "北京", "😀" * 255, "../me", "%00", "'--", "null"])
def test_any_text_of_1_to_255_characters_is_a_valid_id(id: str, back_end: User) -> None:
    sent = id.encode().decode("latin-1")  # WSGI decodes UTF-8 headers as Latin-1
    me = acting_client(back_end, sent)("PATCH", "me/", {})
    assert User.objects.get(managed_by=back_end).external_id == id
    assert acting_client(back_end, sent)("GET", "me/") == me


def test_ids_that_differ_in_case_or_in_a_space_are_different_users(back_end: User) -> None:
    ids = {acting_client(back_end, id)("PATCH", "me/", {})["id"] for id in ("a", "A", "a b", "a  b")}
    assert len(ids) == 4


@pytest.mark.parametrize("id", ["", "x" * 256, "a\0b", "\xff", "\xed\xa0\x80"])
def test_an_invalid_id_is_a_400_that_names_the_header(id: str, back_end: User) -> None:
    assert acting_client(back_end, id).refusal("GET", "me/", status=400) == ("invalid", HEADER)
    assert not User.objects.filter(managed_by=back_end).exists()


@pytest.mark.parametrize("scopes", [["read"], ["write"], ["read", "write"]])
def test_a_token_without_the_scope_act_as_is_a_403(scopes: list[str], back_end: User) -> None:
    api_client = acting_client(back_end, "u-1", scopes=scopes)
    assert api_client.refusal("GET", "me/", status=403) == ("permission_denied", None)
    assert "'act_as'" in api_client.text
    assert not User.objects.filter(managed_by=back_end).exists()


def test_a_session_cannot_act_for_a_user(back_end: User) -> None:
    browser = ApiClient(back_end, by="session")
    browser("GET", "me/")
    assert browser.refusal("GET", "me/", status=403, X_Act_As="u-1") == ("permission_denied", None)
    assert not User.objects.filter(managed_by=back_end).exists()


def test_a_missing_and_an_invalid_token_are_a_401(back_end: User) -> None:
    assert ApiClient().refusal("GET", "me/", status=401, X_Act_As="u-1") == ("not_authenticated", None)
    api_client = acting_client(back_end, "u-1")
    api_client.token.delete()
    assert api_client.refusal("GET", "me/", status=401) == ("authentication_failed", None)
    assert not User.objects.filter(managed_by=back_end).exists()


def test_acting_for_a_user_also_needs_the_scope_read_or_write(back_end: User) -> None:
    acting_client_for(back_end, "u-1", scopes=["read", "act_as"])("GET", "me/")
    reader, writer = (acting_client(back_end, "u-1", scopes=[scope, "act_as"]) for scope in ("read", "write"))
    assert reader.refusal("PATCH", "me/", {"name": "x"}, status=403) == ("permission_denied", None)
    assert writer.refusal("GET", "me/", status=403) == ("permission_denied", None)
    writer("PATCH", "me/", {"name": "x"})


def test_the_scope_act_as_alone_allows_neither_reading_nor_writing(back_end: User) -> None:
    for api_client in (acting_client(back_end, "u-1", scopes=["act_as"]), ApiClient(back_end, scopes=["act_as"])):
        api_client.refusal("GET", "me/", status=403)
        api_client.refusal("PATCH", "me/", {"name": "x"}, status=403)


def test_a_request_for_an_inactive_user_is_a_401(back_end: User) -> None:
    api_client = acting_client(back_end, "u-1")
    api_client("PATCH", "me/", {})
    User.objects.filter(managed_by=back_end).update(is_active=False)
    assert api_client.refusal("GET", "me/", status=401) == ("authentication_failed", None)
    acting_client_for(back_end, "u-2")("GET", "me/")


# --- Which requests create a user --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "empty"),
    [
        ("conversations/", {"results": [], "next": None}),
        ("tokens/", []),
        ("/api/v1/storage/chat-sessions/", {"chatSessions": []}),
    ],
)
def test_a_get_with_a_write_token_creates_the_user_and_returns_an_empty_list(
    path: str, empty: Any, back_end: User
) -> None:
    assert acting_client(back_end, "u-1")("GET", path) == empty
    assert User.objects.get(managed_by=back_end).external_id == "u-1"


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PATCH"])
def test_every_method_that_the_route_has_creates_the_user(method: str, back_end: User) -> None:
    acting_client(back_end, "u-1")(method, "me/", {} if method == "PATCH" else b"")
    assert User.objects.get(managed_by=back_end).external_id == "u-1"


def test_a_get_with_a_read_token_is_a_404_and_creates_no_user(back_end: User) -> None:
    client = acting_client(back_end, "u-1", scopes=["read", "act_as"])
    assert client.refusal("GET", "conversations/", status=404) == ("not_found", None)
    assert "'u-1'" in client.text and "X-Act-As" in client.text and "'write'" in client.text
    assert not User.objects.filter(managed_by=back_end).exists()


@pytest.mark.parametrize(
    ("method", "path", "scopes", "status"),
    [
        ("GET", "me/", ["read", "act_as"], 404),
        ("HEAD", "me/", ["read", "act_as"], 404),
        ("OPTIONS", "me/", ["read", "act_as"], 404),
        ("GET", "me/", ["write", "act_as"], 403),
        ("GET", "/api/v1/storage/chat-sessions/", ["read", "act_as"], 404),
        ("POST", "conversations/", ["read", "act_as"], 403),
        ("PATCH", "me/", ["act_as"], 403),
        ("PUT", "me/", ["read", "write", "act_as"], 405),
        ("POST", "/api/v1/storage/chat-sessions/", ["read", "act_as"], 403),
        ("TRACE", "me/", ["read", "write", "act_as"], 405),
        ("DISPATCH", "me/", ["read", "write", "act_as"], 405),  # APIView has a method `dispatch`
    ],
)
def test_a_refused_request_creates_no_user(
    method: str, path: str, scopes: list[str], status: int, back_end: User
) -> None:
    api_client = acting_client(back_end, "u-1", scopes=scopes)
    api_client(method, path, status=status)
    assert not User.objects.filter(managed_by=back_end).exists()


def test_a_request_over_the_limit_creates_no_user(back_end: User, settings: Any) -> None:
    settings.ACT_AS_RATE = 2
    for number in range(4):
        acting_client(back_end, f"u-{number}")("GET", "me/", status=200 if number < 2 else 429)
    assert User.objects.filter(managed_by=back_end).count() == 2


# --- Tokens of a managed user ----------------------------------------------------------------------------


@pytest.fixture
def managed(back_end: User) -> User:
    acting_client(back_end, "u-1")("PATCH", "me/", {})
    return User.objects.get(managed_by=back_end)


def test_a_back_end_can_create_a_token_of_its_user(back_end: User, managed: User) -> None:
    api_client = acting_client(back_end, "u-1")
    token = api_client("POST", "tokens/", {"name": "phone"}, status=201)
    phone = ApiClient()
    phone.headers = {"Authorization": f"Bearer {token['token']}"}
    assert token["scopes"] == ["read", "write"]
    assert phone("GET", "me/")["id"] == str(managed.id)
    assert [row["name"] for row in api_client("GET", "tokens/")] == ["phone"]
    assert phone.refusal("GET", "me/", status=403, X_Act_As="u-2") == ("permission_denied", None)


def test_a_token_of_a_managed_user_cannot_have_the_scope_act_as(back_end: User, managed: User) -> None:
    body = {"name": "x", "scopes": ["read", "write", "act_as"]}
    api_client = acting_client(back_end, "u-1")
    assert api_client.refusal("POST", "tokens/", body, status=403) == ("permission_denied", "scopes")
    assert not ApiToken.objects.filter(user=managed).exists()


def test_a_managed_user_cannot_act_for_users(managed: User) -> None:
    """The token of the managed user has the scope `act_as`, and is refused anyway."""
    assert acting_client(managed, "u-2").refusal("GET", "me/", status=403) == ("permission_denied", None)
    assert not User.objects.filter(managed_by=managed).exists()


def test_the_users_of_an_inactive_back_end_are_refused(back_end: User, managed: User) -> None:
    own, acted = ApiClient(managed), acting_client(back_end, "u-1")
    own("GET", "me/")
    User.objects.filter(id=back_end.id).update(is_active=False)
    for api_client in (own, acted):
        assert api_client.refusal("GET", "me/", status=401) == ("authentication_failed", None)


def test_each_managed_user_has_a_separate_limit_of_tokens(back_end: User, settings: Any) -> None:
    settings.TOKEN_RATE = 1
    for id in ("u-1", "u-2"):
        acting_client(back_end, id)("POST", "tokens/", {"name": "x"}, status=201)
        acting_client(back_end, id)("POST", "tokens/", {"name": "x"}, status=429)


def test_an_id_is_utf_8_over_real_http(live: Live, django_db_blocker: Any) -> None:
    with django_db_blocker.unblock():
        api_client = acting_client(create_user(f"Backend-{new_id()}"), "Zoë 北京".encode().decode("latin-1"))
        answer = live.call("PATCH", "/api/v1/me/", b"{}", **api_client.headers)
        assert answer.status == 200
        assert User.objects.get(managed_by=api_client.token.user).external_id == "Zoë 北京"
    junk = live.call("GET", "/api/v1/me/", **api_client.headers | {"X-Act-As": "\xff"})
    assert (junk.status, json_body(junk)["error"]["field"]) == (400, HEADER)
