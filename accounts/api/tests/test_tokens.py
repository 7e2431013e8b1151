"""The route /tokens/, and authentication with a bearer token."""

import datetime
import re
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import ApiToken, User
from testing.api_client import BROWSER, ApiClient, create_user

LATER = "2999-12-31T23:59:59.999999Z"


def client_with(secret: str) -> ApiClient:
    client = ApiClient()
    client.headers = {"Authorization": f"Bearer {secret}"}
    return client


@pytest.fixture
def browser(alice: User) -> ApiClient:
    return ApiClient(alice, by="session")


def test_the_secret_is_shown_once_and_stored_nowhere(browser: ApiClient, alice: User) -> None:
    token = browser("POST", "tokens/", {"name": "laptop"}, status=201)
    secret = token.pop("token")
    assert re.fullmatch(r"cs_[\w-]{43}", secret)
    assert list(token) == ["id", "name", "scopes", "expires_at", "last_used_at", "created_at"]
    assert (token["name"], token["scopes"], token["expires_at"]) == ("laptop", ["read", "write"], None)
    assert browser("GET", "tokens/") == [token]
    assert secret not in browser.text
    assert secret.encode() not in bytes(ApiToken.objects.get().digest)
    assert client_with(secret)("GET", "me/")["id"] == str(alice.id)


def test_the_token_has_the_requested_scopes_and_expiry(browser: ApiClient) -> None:
    body = {"name": "x", "scopes": ["read"], "expires_at": "3000-01-01T00:59:59.999999+01:00"}
    token = browser("POST", "tokens/", body, status=201)
    assert (token["scopes"], token["expires_at"]) == (["read"], LATER)
    assert browser("GET", "tokens/")[0]["expires_at"] == LATER
    reader = client_with(token["token"])
    reader("GET", "me/")
    assert reader.refusal("POST", "tokens/", {"name": "more"}, status=403) == ("permission_denied", None)


def test_a_repeated_scope_is_stored_once(browser: ApiClient) -> None:
    token = browser("POST", "tokens/", {"name": "x", "scopes": ["read", "read"]}, status=201)
    assert token["scopes"] == ["read"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"name": 5}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "x", "scopes": []}, "scopes"),
        ({"name": "x", "scopes": "read"}, "scopes"),
        ({"name": "x", "scopes": None}, "scopes"),
        ({"name": "x", "scopes": ["admin"]}, "scopes[0]"),
        ({"name": "x", "scopes": ["read", {}]}, "scopes[1]"),
        ({"name": "x", "scopes": ["read"] * 4}, "scopes"),
        ({"name": "x", "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"name": "x", "expires_at": "tomorrow"}, "expires_at"),
        ({"name": "x", "expires_at": 5}, "expires_at"),
        ({"name": "x", "expires_at": True}, "expires_at"),
        ({"name": "x", "expires_at": ""}, "expires_at"),
        ({"name": "x", "expires_at": "10000-01-01T00:00:00Z"}, "expires_at"),
        ({"name": "x", "expires_at": "0000-01-01T00:00:00Z"}, "expires_at"),
        ({"name": "x", "expires_at": "9999-12-31T23:59:59-12:00"}, "expires_at"),
        ({"name": "x", "user": "bob"}, "user"),
        ([], None),
    ],
)
def test_invalid_values_are_refused(body: Any, field: str | None, browser: ApiClient) -> None:
    assert browser.refusal("POST", "tokens/", body, status=400)[1] == field
    assert not ApiToken.objects.exists()


def test_the_list_has_only_the_tokens_of_the_user_newest_first(browser: ApiClient) -> None:
    ApiClient(create_user("Bob"))
    for name in "abc":
        browser("POST", "tokens/", {"name": name}, status=201)
    assert [token["name"] for token in browser("GET", "tokens/")] == ["c", "b", "a"]


def test_a_revoked_token_is_refused(browser: ApiClient) -> None:
    token = browser("POST", "tokens/", {"name": "x"}, status=201)
    browser("DELETE", f"tokens/{token['id']}/", status=204)
    assert client_with(token["token"]).refusal("GET", "me/", status=401) == ("authentication_failed", None)
    assert browser.refusal("DELETE", f"tokens/{token['id']}/", status=404) == ("not_found", None)


def test_a_token_can_revoke_itself(browser: ApiClient) -> None:
    token = browser("POST", "tokens/", {"name": "x"}, status=201)
    client = client_with(token["token"])
    client("DELETE", f"tokens/{token['id']}/", status=204)
    client.refusal("GET", "me/", status=401)


# --- Bearer -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("Bearer", "authentication_failed"),
        ("Bearer ", "authentication_failed"),
        ("Bearer cs_", "authentication_failed"),
        ("Bearer cs_" + "x" * 43, "authentication_failed"),
        ("Bearer \xff\xfe", "authentication_failed"),
        ("Bearer " + "x" * 10_000, "authentication_failed"),
        ("Bearer a b c", "authentication_failed"),
        ("bearer x", "authentication_failed"),
        ("Token x", "not_authenticated"),
        ("Basic eDp5", "not_authenticated"),
        ("", "not_authenticated"),
        ("\xe9", "not_authenticated"),
    ],
)
def test_a_header_without_a_valid_token_is_a_401(header: str, code: str, db: None) -> None:
    client = ApiClient()
    client.headers = {"Authorization": header}
    assert client.refusal("GET", "me/", status=401) == (code, None)
    assert client.answer.headers["WWW-Authenticate"] == "Bearer"


def test_an_invalid_token_with_a_valid_session_is_a_401(browser: ApiClient) -> None:
    browser.headers = BROWSER | {"Authorization": "Bearer cs_junk"}
    browser.refusal("GET", "me/", status=401)


def test_the_scheme_bearer_is_case_insensitive(alice: User) -> None:
    client = ApiClient(alice)
    for scheme in ("bearer", "BEARER"):
        client.headers = {"Authorization": client.headers["Authorization"].replace("Bearer", scheme)}
        client("GET", "me/")


def test_the_last_use_is_stored_at_most_once_an_hour(alice: User) -> None:
    client = ApiClient(alice)
    assert client("GET", "tokens/")[0]["last_used_at"] is not None
    last_used_at = ApiToken.objects.get().last_used_at
    assert last_used_at is not None
    client("GET", "me/")
    assert ApiToken.objects.get().last_used_at == last_used_at
    ApiToken.objects.update(last_used_at=timezone.now() - datetime.timedelta(minutes=61))
    client("GET", "me/")
    later = ApiToken.objects.get().last_used_at
    assert later is not None and later > last_used_at


# --- A token cannot create a token with more rights ------------------------------------------------


def create(client: ApiClient, **fields: Any) -> tuple[list[str], str | None]:
    """Create a token and return its scopes and its expiry."""
    token = client("POST", "tokens/", {"name": "x", **fields}, status=201)
    return token["scopes"], token["expires_at"]


@pytest.mark.parametrize("own", [["write"], ["read", "write"], ["write", "act_as"]])
@pytest.mark.parametrize("requested", [["read"], ["write"], ["act_as"], ["read", "write"], ["write", "act_as"]])
def test_a_token_can_create_tokens_with_its_own_scopes_only(own: list[str], requested: list[str], alice: User) -> None:
    creator = ApiClient(alice, scopes=own)
    if set(requested) <= set(own):
        assert create(creator, scopes=requested) == (requested, None)
    else:
        body = {"name": "x", "scopes": requested}
        assert creator.refusal("POST", "tokens/", body, status=403) == ("permission_denied", "scopes")
        assert ApiToken.objects.count() == 1


def test_a_token_cannot_create_a_token_that_expires_later(alice: User) -> None:
    soon = timezone.now() + datetime.timedelta(days=1)
    creator = ApiClient(alice, expires_at=soon)
    for later in (LATER, None, f"{soon + datetime.timedelta(microseconds=1):%Y-%m-%dT%H:%M:%S.%fZ}"):
        body = {"name": "x", "expires_at": later}
        assert creator.refusal("POST", "tokens/", body, status=403) == ("permission_denied", "expires_at")
    assert ApiToken.objects.count() == 1
    for requested in (soon, soon - datetime.timedelta(hours=1)):
        text = f"{requested:%Y-%m-%dT%H:%M:%S.%fZ}"
        assert create(creator, expires_at=text) == (["read", "write"], text)


def test_by_default_a_new_token_has_the_expiry_and_scopes_of_its_creator_except_act_as(alice: User) -> None:
    soon = timezone.now() + datetime.timedelta(days=1)
    assert create(ApiClient(alice, scopes=["write", "act_as"], expires_at=soon)) == (
        ["write"],
        f"{soon:%Y-%m-%dT%H:%M:%S.%fZ}",
    )
    assert create(ApiClient(alice, scopes=["read", "write", "act_as"])) == (["read", "write"], None)


def test_a_session_can_create_tokens_with_any_scopes(browser: ApiClient) -> None:
    assert create(browser, scopes=["act_as"]) == (["act_as"], None)
    assert create(browser, scopes=["read", "write", "act_as"], expires_at=None) == (["read", "write", "act_as"], None)


# --- The limit of tokens ---------------------------------------------------------------------------------------


def test_the_number_of_new_tokens_an_hour_is_limited(browser: ApiClient, alice: User, settings: Any) -> None:
    settings.TOKEN_RATE = 3
    for _ in range(3):
        browser("POST", "tokens/", {"name": "x"}, status=201)
    for client in (browser, ApiClient(alice)):
        assert client.refusal("POST", "tokens/", {"name": "x"}, status=429) == ("rate_limited", None)
        assert 3590 <= int(client.answer.headers["Retry-After"]) <= 3600
        assert "3 tokens an hour" in client.text
    ApiClient(create_user("Bob"))("POST", "tokens/", {"name": "x"}, status=201)
    settings.TOKEN_RATE = 0
    browser("POST", "tokens/", {"name": "x"}, status=201)


def test_refused_and_replayed_requests_do_not_count_against_the_limit(browser: ApiClient, settings: Any) -> None:
    settings.TOKEN_RATE = 2
    for _ in range(3):
        browser("POST", "tokens/", {"name": ""}, status=400)
    browser("POST", "tokens/", {"name": "x"}, status=201, Idempotency_Key="k")
    for _ in range(3):
        browser("POST", "tokens/", {"name": "x"}, status=200, Idempotency_Key="k")
    browser("POST", "tokens/", {"name": "x"}, status=201)
    browser("POST", "tokens/", {"name": "x"}, status=429)


def test_a_token_counts_against_the_limit_for_an_hour(browser: ApiClient, settings: Any) -> None:
    settings.TOKEN_RATE = 1
    browser("POST", "tokens/", {"name": "x"}, status=201)
    for minutes, status in ((59, 429), (1, 201), (0, 429)):
        with connection.cursor() as cursor:
            cursor.execute("UPDATE cache SET expires = expires - make_interval(mins => %s)", [minutes])
        browser("POST", "tokens/", {"name": "x"}, status=status)
