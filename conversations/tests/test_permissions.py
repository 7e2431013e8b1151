"""Who may do what: every route of the API and of the contracts, asked by everybody. A route without a row in the tables
of test_every_route fails there; here each row is asked by each line of this table."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from compat.tests import test_every_route as contracts
from conversations.api.tests import test_every_route as native
from testing.callers import Caller, acting, acting_for, person

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


def caller(who: str, alice: User) -> Caller:
    match who:
        case "nobody":
            return Caller()
        case "owner by session":
            return Caller(alice, by="session")
        case "read token" | "write token":
            return Caller(alice, scopes=[who.split()[0]])
        case "expired token":
            return Caller(alice, expires_at=timezone.now() - timedelta(seconds=1))
        case "act-as without the scope":
            return acting(alice, "somebody", scopes=["read", "write"])
        case "act-as of a back end":
            return acting_for(person("Backend"), "somebody")
        case "her own back end, as another":
            return acting_for(alice, "somebody")
        case "owner":
            return Caller(alice)
    return Caller(person(who, is_staff=who in ("staff", "superuser"), is_superuser=who == "superuser"))


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
