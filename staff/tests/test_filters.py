"""Each filter of the list of conversations finds what it should, and nothing else."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client

from accounts.models import User
from conversations.models import Conversation, Share
from conversations.services import conversations, messages, reactions, shares
from testing.admin import allow, list_of
from testing.cast import create_conversation, dialogue, message_draft
from testing.statements import executed_sql

CALLS = [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
MESSAGE_FILTERS = {"role", "tools", "errors"}


def create(user: User, *drafts: Any, **fields: Any) -> Conversation:
    return conversations.create(user=user, fields=fields, drafts=list(drafts))[0]


def listed(client: Client, **query: object) -> list[Conversation]:
    """Return the conversations in the list with these filters."""
    response = client.get(list_of(Conversation), query)
    assert response.status_code == 200
    return list(response.context["cl"].result_list)


def parameters(client: Client) -> set[str]:
    return {spec.parameter_name for spec in client.get(list_of(Conversation)).context["cl"].filter_specs}


def test_the_owner_is_an_id_or_an_address(client: Client, root: User, alice: User, bob: User) -> None:
    mine = create_conversation(alice, "Hello")
    create_conversation(bob, "Hello")
    for name in (alice.pk, "ALICE@example.com"):
        assert listed(client, user=name) == [mine]
    assert listed(client, user="nobody@example.com") == listed(client, user="alice") == []


@pytest.mark.parametrize(("name", "value"), [("model", "atlas"), ("tag", "a, b"), ("source", "import")])
def test_a_typed_value_must_be_equal(name: str, value: str, client: Client, root: User, alice: User) -> None:
    fitting = create(alice, message_draft("Hi"), model="atlas", tags=["a, b", "c"])
    create(alice, message_draft("Hi"), model="atlas-2", tags=["a", "b"])
    create(alice, message_draft("Hi"))
    Conversation.objects.filter(pk=fitting.pk).update(source="import")
    assert listed(client, **{name: value}) == [fitting]
    assert listed(client, **{name: value[:1]}) == ([] if name != "tag" else [Conversation.objects.get(tags=["a", "b"])])
    assert listed(client, **{name: "nothing"}) == listed(client, **{name: "{'\"%\\"}) == []
    assert len(listed(client, **{name: "\0 "})) == 3, "an empty value is no filter"


def test_a_field_suggests_a_bounded_number_of_values(client: Client, root: User, alice: User) -> None:
    for tags in (map(str, range(40)), map(str, range(40, 80))):
        create(alice, message_draft("Hi"), tags=list(tags))
    assert client.get(list_of(Conversation)).text.count("<option value=") < 90


def test_days_select_by_last_activity_and_by_creation(client: Client, root: User, alice: User) -> None:
    rows = [create_conversation(alice, str(number)) for number in range(3)]
    noon = datetime(2026, 3, 10, 12, tzinfo=UTC)
    spans = [(noon, noon), (noon - timedelta(days=9), noon + timedelta(days=9)), (noon + timedelta(days=5),) * 2]
    for row, (created_at, active_at) in zip(rows, spans, strict=True):
        Conversation.objects.filter(pk=row.pk).update(created_at=created_at, active_at=active_at)
    short, long, late = rows
    assert listed(client, since="2026-03-11") == [late, long]
    assert listed(client, until="2026-03-09") == [long]
    assert listed(client, since="2026-03-10", until="2026-03-10") == [long, short], "the day itself counts"
    assert listed(client, since="2026-03-11", until="2026-03-14") == [long], "it was going on in this period"
    assert listed(client, since="yesterday") == listed(client, until="9999-12-31") == []


def test_the_role_of_the_last_message_that_the_user_sees_is_found(client: Client, root: User, alice: User) -> None:
    answered = create_conversation(alice, "Hello", "Hello!")
    waiting = create_conversation(alice, "Hello", "Hello!", "Where?")
    create(alice)
    assert listed(client, role="assistant") == [answered]
    assert listed(client, role="user") == [waiting]
    messages.trash(user=alice, message_id=waiting.messages.get(content="Where?").id)
    assert listed(client, role="assistant") == [waiting, answered]
    assert listed(client, role="user") == listed(client, role="tool") == []


def test_messages_with_calls_and_problems_are_found_unless_they_are_in_the_trash(
    client: Client, root: User, alice: User
) -> None:
    create_conversation(alice, "Hello", "Hello!")
    calling = create(alice, message_draft("Weather?"), message_draft(None, "assistant", tool_calls=CALLS))
    failed = create(alice, message_draft("Hi"), message_draft("", "assistant", status="failed"))
    incomplete = create(alice, message_draft("Hi"), message_draft("He", "assistant", status="incomplete"))
    create(alice, message_draft("Hi"), message_draft("He", "assistant", status="in_progress"))
    assert listed(client, tools=1) == [calling]
    assert listed(client, errors=1) == [incomplete, failed]
    for row in (calling, failed):
        messages.trash(user=alice, message_id=row.messages.get(seq=2).id)
    assert (listed(client, tools=1), listed(client, errors=1)) == ([], [incomplete])


def test_conversations_with_dislikes_are_found(client: Client, root: User, alice: User) -> None:
    liked, disliked, thumbed = (create_conversation(alice, "Hi", "Hello!") for _ in range(3))
    for row, type in ((liked, "thumbs_up"), (disliked, "thumbs_down"), (disliked, "dislike"), (thumbed, "👎")):
        reactions.react(user=alice, message_id=row.messages.get(seq=2).id, type=type)
    assert listed(client, dislikes=1) == [thumbed, disliked]


def test_conversations_with_a_link_that_works_are_found(client: Client, root: User, alice: User) -> None:
    create_conversation(alice, "Hi")
    shared, ended, expired, trashed = (create_conversation(alice, "Hi") for _ in range(4))
    links = [shares.create(user=alice, conversation_id=row.id) for row in (shared, ended, expired, trashed)]
    shares.revoke(user=alice, share_id=links[1].id)
    Share.objects.filter(pk=links[2].pk).update(expires_at=Now())
    conversations.trash(user=alice, conversation_id=trashed.id)
    assert listed(client, shared=1) == [shared]


def test_filters_and_a_search_can_be_combined(client: Client, root: User, alice: User, bob: User) -> None:
    failed = message_draft("", "assistant", status="failed")
    both = create(alice, message_draft("Hi"), failed, title="A trip", tags=["a"])
    create(alice, message_draft("Hi"), failed, title="Another trip")
    create(bob, message_draft("Hi"), failed, title="A trip", tags=["a"])
    create(alice, message_draft("Hi"), title="A trip", tags=["a"])
    assert listed(client, user="alice@example.com", errors=1, tag="a", q="trip", state="live") == [both]


def test_the_page_shows_the_filters_that_are_on_and_links_that_remove_them(
    client: Client, root: User, alice: User
) -> None:
    conversation = create_conversation(alice, "Hello", tags=["a&b"], model="atlas")
    response = client.get(list_of(Conversation), {"tag": "a&b", "user": str(alice.pk), "state": "live", "model": ""})
    active = {filter.title: filter for filter in response.context["cl"].active_filters}
    assert {title: filter.value for title, filter in active.items()} == {
        "state": "Live",
        "owner (id or e-mail)": "alice@example.com",
        "tag": "a&b",
    }
    (dislikes,) = client.get(list_of(Conversation), {"dislikes": "1"}).context["cl"].active_filters
    assert (dislikes.title, dislikes.value, dislikes.remove) == ("has dislikes", "", "?")
    without = client.get(list_of(Conversation) + active["tag"].remove).context["cl"]
    assert [filter.title for filter in without.active_filters] == ["state", "owner (id or e-mail)"]
    assert list(without.result_list) == [conversation]
    assert '<option value="a&amp;b"></option>' in response.text and '<option value="atlas"></option>' in response.text


def test_an_unknown_choice_finds_nothing(client: Client, root: User, alice: User) -> None:
    create_conversation(alice, "Hello")
    for query in ({"state": "x"}, {"role": "x"}, {"unread": "x"}, {"verdict": "x"}):
        changelist = client.get(list_of(Conversation), query).context["cl"]
        assert not changelist.result_list
        assert [filter.value for filter in changelist.active_filters] == ["x"]


def test_filters_by_messages_need_the_right_to_see_messages(client: Client, sam: User, alice: User) -> None:
    create(alice, message_draft("Hi"), message_draft("", "assistant", status="failed"))
    allow(sam, "view_conversation")
    client.force_login(sam)
    assert not parameters(client) & {*MESSAGE_FILTERS, "dislikes"}
    for name in (*MESSAGE_FILTERS, "dislikes"):
        assert client.get(list_of(Conversation), {name: "1"}).status_code in (302, 400), name
    allow(sam, "view_message")
    assert parameters(client) > MESSAGE_FILTERS and "dislikes" not in parameters(client)
    allow(sam, "view_reaction")
    assert "dislikes" in parameters(client)
    assert len(listed(client, errors=1)) == 1


def test_filters_add_no_statements(client: Client, root: User, alice: User) -> None:
    conversations.create(user=alice, fields={"tags": ["a"]}, drafts=dialogue("Hello", "Hello!"))
    client.get(list_of(Conversation))
    counts = []
    for query in ({}, {"tag": "a", "role": "assistant", "state": "live", "unread": "yes", "since": "2020-01-01"}):
        with executed_sql() as statements:
            assert len(listed(client, **query)) == 1
        counts.append(len(statements))
    assert counts == [5, 5]
