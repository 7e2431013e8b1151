"""What a back end's users wrote, on every route: theirs alone."""

from typing import Any

import pytest

from accounts.models import User
from accounts.services import managed_user
from testing.api_client import AUTHENTICATION_KINDS, ApiClient, acting_client, acting_client_for, create_user
from testing.parallel import repeat, run_concurrently

from .test_every_route import ROWS, WRITING, Row, SampleObjects, every_row
from .test_statement_counts import HELLO, statements


@pytest.fixture
def samples(back_end: User) -> SampleObjects:
    """Of its user u-1."""
    return SampleObjects(managed_user(manager=back_end, external_id="u-1"))


# But for erasing: a back end that is erased takes its users along.
@pytest.mark.parametrize("row", [row for row in ROWS if str(row) != "DELETE me/"], ids=str)
def test_strangers_get_a_404_and_then_the_user_is_answered(row: Row, samples: SampleObjects, back_end: User) -> None:
    strangers = [
        acting_client_for(back_end, "u-2"),
        acting_client_for(create_user("Other"), "u-1"),
        *(ApiClient(back_end, by=by) for by in AUTHENTICATION_KINDS),
        ApiClient(create_user("Sam", is_staff=True, is_superuser=True)),
    ]
    for stranger in strangers:
        if row.thing:
            assert samples.refuse(stranger, row, 404) == "not_found"
        else:
            samples.call(stranger, row, row.status)
            assert not any(id in stranger.text for id in samples.ids), "a stranger reads something of u-1's"
    samples.call(acting_client(back_end, "u-1"), row, row.status)


@every_row
def test_the_header_is_refused_on_every_route_without_the_scope(
    row: Row, samples: SampleObjects, back_end: User
) -> None:
    assert samples.refuse(acting_client(back_end, "u-1", scopes=["read", "write"]), row, 403) == "permission_denied"
    assert samples.refuse(acting_client(back_end, ""), row, 400) == "invalid"
    if row in WRITING:
        assert (
            samples.refuse(acting_client(back_end, "u-1", scopes=["read", "act_as"]), row, 403) == "permission_denied"
        )


def test_a_user_who_is_known_costs_no_statement_more(back_end: User) -> None:
    caller = acting_client(back_end, "u-1")
    id = caller("POST", "conversations/", {"messages": [HELLO]}, status=201)["id"]
    for method, path, body, count in [
        ("GET", "conversations/", b"", 2),
        ("GET", f"conversations/{id}/messages/", b"", 2),
    ]:
        with statements(count):
            caller(method, path, body)
    with statements(4):
        caller("POST", f"conversations/{id}/messages/", HELLO, status=201)


def test_a_user_who_is_new_costs_two(back_end: User) -> None:
    caller = acting_client(back_end, "u-1")
    caller("PATCH", "me/", {})
    with statements(2):
        caller("PATCH", "me/", {})
    caller.headers |= {"X-Act-As": "u-2"}
    with statements(4):
        caller("PATCH", "me/", {})


@pytest.mark.django_db(transaction=True)
def test_first_uses_at_the_same_time_make_one_user() -> None:
    back_end = create_user("Backend")
    callers = [acting_client(back_end, "u-1") for _ in range(12)]
    ids = run_concurrently(*repeat(12, lambda index: callers[index]("POST", "conversations/", {}, status=201)["id"]))
    user = User.objects.get(managed_by=back_end)
    assert len(acting_client(back_end, "u-1").pages("conversations/")) == len(set(ids)) == 12
    assert user.external_id == "u-1"


@pytest.mark.django_db(transaction=True)
def test_tokens_made_at_the_same_time_are_no_more_than_may_be(settings: Any) -> None:
    settings.TOKEN_RATE = 20
    alice = create_user("Alice")
    caller = ApiClient(alice)

    def make(index: int) -> int:
        body = b'{"name": "at once"}'
        return int(caller.send("POST", "/api/v1/tokens/", "", body, caller.headers).status_code)

    answers = run_concurrently(*repeat(25, make))
    assert sorted(answers) == [201] * 20 + [429] * 5
    assert alice.tokens.filter(name="at once").count() == 20
