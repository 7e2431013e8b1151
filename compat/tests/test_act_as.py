"""X-Act-As in every contract: each user of a back end has only their own data, and errors have the contract's shape."""

import pytest

from accounts.models import User
from accounts.services import managed_user
from testing.callers import Caller, acting, acting_for, person

from .test_every_route import CHAT, SAFE, C, Row, World, check, every_row


@pytest.fixture
def world(back_end: User) -> World:
    """The conversation of the back end's user u-1."""
    return World(managed_user(manager=back_end, external_id="u-1"))


@every_row
def test_other_users_are_refused_and_the_user_is_answered(row: Row, world: World, back_end: User) -> None:
    for stranger in (acting_for(back_end, "u-2"), acting_for(person("Other"), "u-1"), Caller(back_end)):
        if row.names:
            world.refused(stranger, row, 404)
        else:
            world.call(stranger, row, row.status)
            assert CHAT not in stranger.text and str(world.conversation.id) not in stranger.text
    answer = world.call(acting(back_end, "u-1"), row, row.status)
    if row.status != 204:
        check(row, str(row.status), answer)


@every_row
def test_a_bad_header_is_refused_in_the_error_shape_of_the_contract(row: Row, world: World, back_end: User) -> None:
    assert "'act_as'" in world.refused(acting(back_end, "u-1", scopes=["read", "write"]), row, 403)
    assert "X-Act-As" in str(world.refused(acting(back_end, ""), row, 422 if row.contract == C else 400))
    if row.method not in SAFE:
        assert "'write'" in world.refused(acting(back_end, "u-1", scopes=["read", "act_as"]), row, 403)
    User.objects.filter(managed_by=back_end).update(is_active=False)
    world.refused(acting(back_end, "u-1"), row, 401)
