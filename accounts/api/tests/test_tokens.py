"""/tokens/, and what a token opens."""

import datetime
import re
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import ApiToken, User
from testing.api_client import BROWSER, ApiClient, create_user

LATER = "2999-12-31T23:59:59.999999Z"


def bearer(secret: str) -> ApiClient:
    client = ApiClient()
    client.headers = {"Authorization": f"Bearer {secret}"}
    return client


@pytest.fixture
def browser(alice: User) -> ApiClient:
    return ApiClient(alice, by="session")


def test_the_secret_is_shown_once_and_stored_nowhere(browser: ApiClient, alice: User) -> None:
    made = browser("POST", "tokens/", {"name": "laptop"}, status=201)
    secret = made.pop("token")
    assert re.fullmatch(r"cs_[\w-]{43}", secret)
    assert list(made) == ["id", "name", "scopes", "expires_at", "last_used_at", "created_at"]
    assert (made["name"], made["scopes"], made["expires_at"]) == ("laptop", ["read", "write"], None)
    assert browser("GET", "tokens/") == [made]
    assert secret not in browser.text
    assert secret.encode() not in bytes(ApiToken.objects.get().digest)
    assert bearer(secret)("GET", "me/")["id"] == str(alice.id)


def test_scopes_and_expiry_are_what_was_asked(browser: ApiClient) -> None:
    body = {"name": "x", "scopes": ["read"], "expires_at": "3000-01-01T00:59:59.999999+01:00"}
    made = browser("POST", "tokens/", body, status=201)
    assert (made["scopes"], made["expires_at"]) == (["read"], LATER)
    assert browser("GET", "tokens/")[0]["expires_at"] == LATER
    reader = bearer(made["token"])
    reader("GET", "me/")
    assert reader.refusal("POST", "tokens/", {"name": "more"}, status=403) == ("permission_denied", None)


def test_a_scope_twice_is_one(browser: ApiClient) -> None:
    made = browser("POST", "tokens/", {"name": "x", "scopes": ["read", "read"]}, status=201)
    assert made["scopes"] == ["read"]


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
def test_junk_is_refused(body: Any, field: str | None, browser: ApiClient) -> None:
    assert browser.refusal("POST", "tokens/", body, status=400)[1] == field
    assert not ApiToken.objects.exists()


def test_a_list_has_the_callers_own_the_newest_first(browser: ApiClient) -> None:
    ApiClient(create_user("Bob"))
    for name in "abc":
        browser("POST", "tokens/", {"name": name}, status=201)
    assert [token["name"] for token in browser("GET", "tokens/")] == ["c", "b", "a"]


def test_a_revoked_token_opens_nothing(browser: ApiClient) -> None:
    made = browser("POST", "tokens/", {"name": "x"}, status=201)
    browser("DELETE", f"tokens/{made['id']}/", status=204)
    assert bearer(made["token"]).refusal("GET", "me/", status=401) == ("authentication_failed", None)
    assert browser.refusal("DELETE", f"tokens/{made['id']}/", status=404) == ("not_found", None)


def test_a_token_may_revoke_itself(browser: ApiClient) -> None:
    made = browser("POST", "tokens/", {"name": "x"}, status=201)
    client = bearer(made["token"])
    client("DELETE", f"tokens/{made['id']}/", status=204)
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
def test_a_header_that_names_no_token_is_a_401(header: str, code: str, db: None) -> None:
    client = ApiClient()
    client.headers = {"Authorization": header}
    assert client.refusal("GET", "me/", status=401) == (code, None)
    assert client.answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_bad_token_beside_a_good_session_is_a_401(browser: ApiClient) -> None:
    browser.headers = BROWSER | {"Authorization": "Bearer cs_junk"}
    browser.refusal("GET", "me/", status=401)


def test_the_scheme_is_read_in_any_case(alice: User) -> None:
    client = ApiClient(alice)
    for scheme in ("bearer", "BEARER"):
        client.headers = {"Authorization": client.headers["Authorization"].replace("Bearer", scheme)}
        client("GET", "me/")


def test_the_last_use_is_noted_at_most_hourly(alice: User) -> None:
    client = ApiClient(alice)
    assert client("GET", "tokens/")[0]["last_used_at"] is not None
    noted = ApiToken.objects.get().last_used_at
    assert noted is not None
    client("GET", "me/")
    assert ApiToken.objects.get().last_used_at == noted
    ApiToken.objects.update(last_used_at=timezone.now() - datetime.timedelta(minutes=61))
    client("GET", "me/")
    later = ApiToken.objects.get().last_used_at
    assert later is not None and later > noted


# --- A token makes no token that may more than itself -------------------------------------------------


def made(client: ApiClient, **fields: Any) -> tuple[list[str], str | None]:
    token = client("POST", "tokens/", {"name": "x", **fields}, status=201)
    return token["scopes"], token["expires_at"]


@pytest.mark.parametrize("own", [["write"], ["read", "write"], ["write", "act_as"]])
@pytest.mark.parametrize("asked", [["read"], ["write"], ["act_as"], ["read", "write"], ["write", "act_as"]])
def test_a_tokens_scopes_are_some_of_those_of_the_token_that_makes_it(
    own: list[str], asked: list[str], alice: User
) -> None:
    maker = ApiClient(alice, scopes=own)
    if set(asked) <= set(own):
        assert made(maker, scopes=asked) == (asked, None)
    else:
        body = {"name": "x", "scopes": asked}
        assert maker.refusal("POST", "tokens/", body, status=403) == ("permission_denied", "scopes")
        assert ApiToken.objects.count() == 1


def test_a_token_lasts_no_longer_than_the_one_that_makes_it(alice: User) -> None:
    soon = timezone.now() + datetime.timedelta(days=1)
    maker = ApiClient(alice, expires_at=soon)
    for later in (LATER, None, f"{soon + datetime.timedelta(microseconds=1):%Y-%m-%dT%H:%M:%S.%fZ}"):
        body = {"name": "x", "expires_at": later}
        assert maker.refusal("POST", "tokens/", body, status=403) == ("permission_denied", "expires_at")
    assert ApiToken.objects.count() == 1
    for asked in (soon, soon - datetime.timedelta(hours=1)):
        text = f"{asked:%Y-%m-%dT%H:%M:%S.%fZ}"
        assert made(maker, expires_at=text) == (["read", "write"], text)


def test_what_is_left_out_is_as_the_maker_has_it_but_for_acting(alice: User) -> None:
    soon = timezone.now() + datetime.timedelta(days=1)
    assert made(ApiClient(alice, scopes=["write", "act_as"], expires_at=soon)) == (
        ["write"],
        f"{soon:%Y-%m-%dT%H:%M:%S.%fZ}",
    )
    assert made(ApiClient(alice, scopes=["read", "write", "act_as"])) == (["read", "write"], None)


def test_a_session_makes_any(browser: ApiClient) -> None:
    assert made(browser, scopes=["act_as"]) == (["act_as"], None)
    assert made(browser, scopes=["read", "write", "act_as"], expires_at=None) == (["read", "write", "act_as"], None)


# --- How many ----------------------------------------------------------------------------------------


def test_so_many_tokens_an_hour_and_no_more(browser: ApiClient, alice: User, settings: Any) -> None:
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


def test_what_is_refused_or_answered_again_is_not_counted(browser: ApiClient, settings: Any) -> None:
    settings.TOKEN_RATE = 2
    for _ in range(3):
        browser("POST", "tokens/", {"name": ""}, status=400)
    browser("POST", "tokens/", {"name": "x"}, status=201, Idempotency_Key="k")
    for _ in range(3):
        browser("POST", "tokens/", {"name": "x"}, status=200, Idempotency_Key="k")
    browser("POST", "tokens/", {"name": "x"}, status=201)
    browser("POST", "tokens/", {"name": "x"}, status=429)


def test_a_place_is_free_again_after_an_hour(browser: ApiClient, settings: Any) -> None:
    settings.TOKEN_RATE = 1
    browser("POST", "tokens/", {"name": "x"}, status=201)
    for minutes, status in ((59, 429), (1, 201), (0, 429)):
        with connection.cursor() as cursor:
            cursor.execute("UPDATE cache SET expires = expires - make_interval(mins => %s)", [minutes])
        browser("POST", "tokens/", {"name": "x"}, status=status)
