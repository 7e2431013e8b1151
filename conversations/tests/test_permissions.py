"""Who may do what: every route of the API and of the contracts, asked by everybody. A route without a row in the tables
of test_every_route fails there; here each row is asked by each line of this table."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from compat.tests import test_every_route as contracts
from conversations.api.tests import test_every_route as native
from testing.api_client import ApiClient, acting_client, acting_client_for, create_user

#                             something of Alice's   one's own
#                             read   write           read   write
TABLE = {
    "nobody":                 (401,  401,            401,   401),
    "stranger":               (404,  404,            "ok",  "ok"),
    "owner":                  ("ok", "ok",           "ok",  "ok"),
    "owner by session":       ("ok", "ok",           "ok",  "ok"),
    "read token":             ("ok", 403,            "ok",  403),
    "write token":            (403,  "ok",           403,   "ok"),
    "expired token":          (401,  401,            401,   401),
    "act-as without the scope": (403, 403,           403,   403),
    "act-as of a back end":   (404,  404,            "ok",  "ok"),
    "her own back end, as another": (404, 404,       "ok",  "ok"),
    "staff":                  (404,  404,            "ok",  "ok"),
    "superuser":              (404,  404,            "ok",  "ok"),
}  # fmt: skip
# Staff keep their account, and with it what they did.
EXCEPTIONS = {("DELETE me/", "staff"): 409, ("DELETE me/", "superuser"): 409}


def caller(who: str, alice: User) -> ApiClient:
    match who:
        case "nobody":
            return ApiClient()
        case "owner by session":
            return ApiClient(alice, by="session")
        case "read token" | "write token":
            return ApiClient(alice, scopes=[who.split()[0]])
        case "expired token":
            return ApiClient(alice, expires_at=timezone.now() - timedelta(seconds=1))
        case "act-as without the scope":
            return acting_client(alice, "somebody", scopes=["read", "write"])
        case "act-as of a back end":
            return acting_client_for(create_user("Backend"), "somebody")
        case "her own back end, as another":
            return acting_client_for(alice, "somebody")
        case "owner":
            return ApiClient(alice)
    return ApiClient(create_user(who, is_staff=who in ("staff", "superuser"), is_superuser=who == "superuser"))


def expected(row: Any, who: str) -> int:
    is_write, is_own = row.method != "GET", not (getattr(row, "thing", "") or getattr(row, "names", ""))
    told = TABLE[who][is_own * 2 + is_write]
    return EXCEPTIONS.get((str(row), who), row.status if told == "ok" else told)


@pytest.mark.parametrize("who", TABLE)
@pytest.mark.parametrize("row", native.ROWS, ids=str)
def test_the_api(row: native.Row, who: str, alice: User) -> None:
    native.World(alice).call(caller(who, alice), row, expected(row, who))


@pytest.mark.parametrize("who", TABLE)
@pytest.mark.parametrize("row", contracts.ROWS, ids=str)
def test_the_contracts(row: contracts.Row, who: str, alice: User) -> None:
    contracts.World(alice).call(caller(who, alice), row, expected(row, who))
