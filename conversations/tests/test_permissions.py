"""Permissions: each kind of caller sends the request of each row of testing/routes.py and testing/contract_routes.py.

The two modules test_every_route.py check that these tables contain all routes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import ApiToken, Preferences, User
from conversations.models import Conversation, Message, Reaction, Share
from testing import contract_routes, routes
from testing.api_client import ApiClient, acting_client, acting_client_for, create_user, is_error

#                             an object of Alice     an object of one's own
#                             read   write           read   write
TABLE = {
    "nobody":                   (401,  401,          401,   401),
    "stranger":                 (404,  404,          "ok",  "ok"),
    "stranger by session":      (404,  404,          "ok",  "ok"),
    "read token":               ("ok", 403,          "ok",  403),
    "write token":              (403,  "ok",         403,   "ok"),
    "expired token":            (401,  401,          401,   401),
    "act-as without the scope": (403,  403,          403,   403),
    "user of another back end": (404,  404,          "ok",  "ok"),
    "user managed by Alice":    (404,  404,          "ok",  "ok"),
    "staff":                    (404,  404,          "ok",  "ok"),
    "superuser":                (404,  404,          "ok",  "ok"),
    "owner by session":         ("ok", "ok",         "ok",  "ok"),
    "owner":                    ("ok", "ok",         "ok",  "ok"),
}  # fmt: skip
IS_ALICE = {"read token", "write token", "owner by session", "owner"}
# Staff cannot erase their account, because the admin's log names them.
EXCEPTIONS = {("DELETE me/", "staff"): 409, ("DELETE me/", "superuser"): 409}
CODES = {401: "not_authenticated", 403: "permission_denied", 404: "not_found", 409: "conflict"}
MISSING_SCOPES = {"read token": "scope 'write'", "write token": "scope 'read'", "act-as without the scope": "'act_as'"}


def client_of(kind: str, alice: User) -> ApiClient:
    match kind:
        case "nobody":
            return ApiClient()
        case "stranger by session":
            return ApiClient(create_user("Browser"), by="session")
        case "read token" | "write token":
            return ApiClient(alice, scopes=[kind.split()[0]])
        case "expired token":
            return ApiClient(alice, expires_at=timezone.now() - timedelta(seconds=1))
        case "act-as without the scope":
            return acting_client(alice, "somebody", scopes=["read", "write"])
        case "user of another back end":
            return acting_client_for(create_user("Backend"), "somebody")
        case "user managed by Alice":
            return acting_client_for(alice, "somebody")
        case "owner by session":
            return ApiClient(alice, by="session")
        case "owner":
            return ApiClient(alice)
    return ApiClient(create_user(kind, is_staff=kind in ("staff", "superuser"), is_superuser=kind == "superuser"))


def expected_status(row: Any, kind: str) -> int:
    is_write, is_own = row.method != "GET", not row.target
    status = TABLE[kind][is_own * 2 + is_write]
    return EXCEPTIONS.get((str(row), kind), row.status if status == "ok" else status)


def rows_of(user: User) -> list[Any]:
    """Return the stored rows of the user. For tokens, return only the ids, because a use of a token changes its row."""
    models = (Conversation, Message, Reaction, Share, Preferences)
    own = [list(model._default_manager.filter(user=user).order_by("pk").values()) for model in models]
    tokens = ApiToken.objects.filter(user=user).order_by("pk").values_list("pk", flat=True)
    return [*own, list(tokens), *User.objects.filter(pk=user.pk).values()]


@contextmanager
def rolled_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def responses(samples: Any, row: Any, alice: User) -> Iterator[tuple[str, ApiClient]]:
    """Send the row's request as each kind of caller, and check that a refused request changes nothing."""
    clients = {kind: client_of(kind, alice) for kind in TABLE}
    for kind, client in clients.items():
        before = rows_of(alice)
        with rolled_back():
            client.status_of(row.method, samples.path(row), samples.body(row))
            if client.answer.status_code >= 400:
                assert rows_of(alice) == before, f"the request of {kind} is refused, but changes stored rows"
        yield kind, client


def assert_permissions(clients: dict[str, ApiClient], samples: Any, row: Any) -> None:
    statuses = {kind: client.answer.status_code for kind, client in clients.items()}
    assert statuses == {kind: expected_status(row, kind) for kind in TABLE}
    for kind, client in clients.items():
        if statuses[kind] == 403:
            assert MISSING_SCOPES[kind] in client.text
        if statuses[kind] < 400 and kind not in IS_ALICE:
            assert not any(id in client.text for id in samples.ids), f"{kind} reads an object of Alice"


@routes.every_row
def test_permissions_of_the_native_api(row: routes.Row, alice: User) -> None:
    samples = routes.SampleObjects(alice)
    clients = dict(responses(samples, row, alice))
    assert_permissions(clients, samples, row)
    for kind, client in clients.items():
        if client.answer.status_code >= 400:
            code = "authentication_failed" if kind == "expired token" else CODES[client.answer.status_code]
            assert is_error(client.answer)
            assert client.answer.json()["error"]["code"] == code, kind


@contract_routes.every_row
def test_permissions_of_the_contracts(row: contract_routes.Row, alice: User) -> None:
    samples = contract_routes.SampleObjects(alice)
    clients = dict(responses(samples, row, alice))
    assert_permissions(clients, samples, row)
    for client in clients.values():
        if client.answer.status_code != 204:
            status = "default" if client.answer.status_code >= 400 else str(row.status)
            contract_routes.check(row, status, client.answer.json())
    nobody = clients["nobody"].answer.json()
    assert nobody.get("error", nobody.get("detail")) in (
        "Unauthorized",
        "Authentication credentials were not provided.",
    )
