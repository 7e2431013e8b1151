"""A back end that acts as a managed user finds only the objects of that user, on every route."""

from typing import Any

import pytest

from accounts.models import User
from accounts.services import managed_user
from testing.api_client import AUTHENTICATION_KINDS, ApiClient, acting_client, acting_client_for, create_user
from testing.parallel import repeat, run_concurrently
from testing.routes import MESSAGE, READING, ROWS, WRITING, Row, SampleObjects, every_row
from testing.statements import assert_statement_count


@pytest.fixture
def samples(back_end: User) -> SampleObjects:
    """Objects of the managed user u-1."""
    return SampleObjects(managed_user(manager=back_end, external_id="u-1"))


# DELETE me/ is left out: if a back end erases its own account, this also erases its managed users.
@pytest.mark.parametrize("row", [row for row in ROWS if str(row) != "DELETE me/"], ids=str)
def test_others_get_a_404_and_the_managed_user_does_not(row: Row, samples: SampleObjects, back_end: User) -> None:
    strangers = [
        acting_client_for(back_end, "u-2"),
        acting_client_for(create_user("Other"), "u-1"),
        *(ApiClient(back_end, by=by) for by in AUTHENTICATION_KINDS),
        ApiClient(create_user("Sam", is_staff=True, is_superuser=True)),
    ]
    for stranger in strangers:
        if row.target:
            assert samples.error_code(stranger, row, 404) == "not_found"
        else:
            samples.request(stranger, row, row.status)
            assert not any(id in stranger.text for id in samples.ids), "a stranger reads an object of u-1"
    samples.request(acting_client(back_end, "u-1"), row, row.status)


@every_row
def test_an_empty_act_as_header_and_a_missing_write_scope_are_refused_on_every_route(
    row: Row, samples: SampleObjects, back_end: User
) -> None:
    assert samples.error_code(acting_client(back_end, ""), row, 400) == "invalid"
    if row in WRITING:
        assert (
            samples.error_code(acting_client(back_end, "u-1", scopes=["read", "act_as"]), row, 403)
            == "permission_denied"
        )


@pytest.mark.parametrize("row", READING, ids=str)
def test_the_first_get_creates_the_user_only_with_a_write_token(
    row: Row, samples: SampleObjects, back_end: User
) -> None:
    created = User.objects.filter(managed_by=back_end, external_id="u-2")
    assert samples.error_code(acting_client(back_end, "u-2", scopes=["read", "act_as"]), row, 404) == "not_found"
    assert not created.exists()
    writer = acting_client(back_end, "u-2")
    samples.request(writer, row, 404 if row.target else row.status)
    assert created.count() == 1
    assert not any(id in writer.text for id in samples.ids)


def test_acting_as_a_known_user_adds_no_statement(back_end: User) -> None:
    client = acting_client(back_end, "u-1")
    id = client("POST", "conversations/", {"messages": [MESSAGE]}, status=201)["id"]
    for method, path, body, count in [
        ("GET", "conversations/", b"", 2),
        ("GET", f"conversations/{id}/messages/", b"", 2),
    ]:
        with assert_statement_count(count):
            client(method, path, body)
    with assert_statement_count(2):
        client("POST", f"conversations/{id}/messages/", MESSAGE, status=201)


def test_acting_as_a_new_user_adds_two_statements(back_end: User) -> None:
    caller = acting_client(back_end, "u-1")
    caller("PATCH", "me/", {})
    with assert_statement_count(2):
        caller("PATCH", "me/", {})
    for id, method, body in [("u-2", "PATCH", b"{}"), ("u-3", "GET", b"")]:
        caller.headers |= {"X-Act-As": id}
        with assert_statement_count(4 if method == "PATCH" else 3):
            caller(method, "me/", body)


@pytest.mark.django_db(transaction=True)
def test_concurrent_first_requests_create_one_user() -> None:
    back_end = create_user("Backend")
    clients = [acting_client(back_end, "u-1") for _ in range(12)]
    ids = run_concurrently(*repeat(12, lambda index: clients[index]("POST", "conversations/", {}, status=201)["id"]))
    user = User.objects.get(managed_by=back_end)
    assert len(acting_client(back_end, "u-1").pages("conversations/")) == len(set(ids)) == 12
    assert user.external_id == "u-1"


@pytest.mark.django_db(transaction=True)
def test_concurrent_requests_cannot_create_more_tokens_than_the_rate_limit(settings: Any) -> None:
    settings.TOKEN_RATE = 20
    alice = create_user("Alice")
    caller = ApiClient(alice)

    def create(index: int) -> int:
        body = b'{"name": "at once"}'
        return int(caller.send("POST", "/api/v1/tokens/", "", body, caller.headers).status_code)

    answers = run_concurrently(*repeat(25, create))
    assert sorted(answers) == [201] * 20 + [429] * 5
    assert alice.tokens.filter(name="at once").count() == 20
