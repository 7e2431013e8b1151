"""X-Act-As in every contract: a user of a back end gets only their own data, and errors have the contract's shape."""

import pytest

from accounts.models import User
from accounts.services import managed_user
from testing.api_client import ApiClient, acting_client, acting_client_for, create_user
from testing.contract_routes import CHAT, ROWS, SAFE, C, Row, SampleObjects, check, every_row


@pytest.fixture
def samples(back_end: User) -> SampleObjects:
    """The conversation of the back end's user u-1."""
    return SampleObjects(managed_user(manager=back_end, external_id="u-1"))


@every_row
def test_each_user_of_a_back_end_gets_only_their_own_data(row: Row, samples: SampleObjects, back_end: User) -> None:
    for stranger in (
        acting_client_for(back_end, "u-2"),
        acting_client_for(create_user("Other"), "u-1"),
        ApiClient(back_end),
    ):
        if row.target:
            samples.error(stranger, row, 404)
        else:
            samples.request(stranger, row, row.status)
            assert CHAT not in stranger.text and str(samples.conversation.id) not in stranger.text
    answer = samples.request(acting_client(back_end, "u-1"), row, row.status)
    if row.status != 204:
        check(row, str(row.status), answer)


@pytest.mark.parametrize("row", [row for row in ROWS if row.method in SAFE], ids=str)
def test_the_first_get_creates_the_user_only_with_a_write_token(
    row: Row, samples: SampleObjects, back_end: User
) -> None:
    created = User.objects.filter(managed_by=back_end, external_id="u-2")
    assert "'write'" in samples.error(acting_client(back_end, "u-2", scopes=["read", "act_as"]), row, 404)
    assert not created.exists()
    writer = acting_client(back_end, "u-2")
    samples.request(writer, row, 404 if row.target else row.status)
    assert created.count() == 1
    assert str(samples.conversation.id) not in writer.text


@every_row
def test_a_bad_header_is_refused_in_the_error_shape_of_the_contract(
    row: Row, samples: SampleObjects, back_end: User
) -> None:
    assert "'act_as'" in samples.error(acting_client(back_end, "u-1", scopes=["read", "write"]), row, 403)
    assert "X-Act-As" in str(samples.error(acting_client(back_end, ""), row, 422 if row.contract == C else 400))
    if row.method not in SAFE:
        assert "'write'" in samples.error(acting_client(back_end, "u-1", scopes=["read", "act_as"]), row, 403)
    User.objects.filter(managed_by=back_end).update(is_active=False)
    samples.error(acting_client(back_end, "u-1"), row, 401)
