"""The SQL statements of contract A: saving a history writes only its changes."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from conversations.models import Conversation, Message
from conversations.services import reactions
from testing.api_client import ApiClient
from testing.cast import stored_rows
from testing.statements import executed_statements

from .helpers import SESSIONS, Json, assistant, post, put, read, user

LONG = [(user, assistant)[index % 2](f"Message {index}") for index in range(1_000)]


def write_statements(verbs: list[str]) -> list[str]:
    return [verb for verb in verbs if verb != "SELECT"]


@pytest.fixture
def client(alice: User) -> ApiClient:
    client = ApiClient(alice)
    client("GET", SESSIONS)  # records the use of the token, which happens at most once an hour
    return client


@pytest.fixture
def long(client: ApiClient) -> Conversation:
    return Conversation.objects.get(id=post(client, LONG)["id"])


def test_adding_a_message_to_a_long_history_writes_no_other_message(client: ApiClient, long: Conversation) -> None:
    liked = long.messages.get(seq=500)
    reactions.react(user=long.user, message_id=liked.id, type="like")
    before = list(long.messages.order_by("seq").values())
    longer = [*LONG, user("One more")]
    with executed_statements() as executed:
        put(client, str(long.id), longer)
    assert write_statements(executed) == ["COPY", "UPDATE"]
    *rest, new = long.messages.order_by("seq").values()
    assert rest == before and new["content"] == "One more"
    assert list(liked.reactions.values_list("type", flat=True)) == ["like"]


def test_saving_an_unchanged_history_runs_four_queries_at_any_length(client: ApiClient, long: Conversation) -> None:
    short = post(client, LONG[:2])
    for id, history in ((short["id"], LONG[:2]), (str(long.id), LONG)):
        with executed_statements() as executed:
            put(client, id, history)
        assert executed == ["SELECT"] * 4  # the token, the id of the session, its row (locked), its messages


def test_saving_an_unchanged_long_history_changes_no_stored_value(client: ApiClient, long: Conversation) -> None:
    before = stored_rows(long)
    put(client, str(long.id), read(client, str(long.id)))
    assert stored_rows(long) == before


def test_listing_runs_two_queries_for_any_number_of_sessions(client: ApiClient) -> None:
    for _ in range(2):
        with executed_statements() as executed:
            client("GET", SESSIONS)
        assert executed == ["SELECT"] * 2
        for text in "abcdef":
            post(client, [user(text)])


def test_a_refused_request_writes_nothing(client: ApiClient, long: Conversation) -> None:
    before = stored_rows(long)
    with executed_statements() as executed:
        for method, path, status in (("PUT", f"{SESSIONS}/{long.id}", 400), ("PUT", f"{SESSIONS}/nobody", 400)):
            client(method, path, {"messages": "Hello"}, status=status)
        client("POST", SESSIONS, {"messages": [*LONG, 5]}, status=400)
        client("PUT", f"{SESSIONS}/nobody", {"messages": []}, status=404)
    assert write_statements(executed) == []
    assert stored_rows(long) == before and Message.objects.count() == len(LONG)


# A small vocabulary, so that random histories often share their first messages.
TEXTS = st.sampled_from(["", "a", "ab", "abc", "b", "é", "\n"]) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=3
)
THINKING = st.sampled_from([{}, {"thinkingContent": None}, {"thinkingContent": ""}, {"thinkingContent": "Hm"}])


@st.composite
def messages(draw: st.DrawFn) -> Json:
    role = draw(st.sampled_from(["user", "assistant", "assistant", "system"]))
    return {"role": role, "content": draw(TEXTS), **draw(THINKING)}


@st.composite
def histories(draw: st.DrawFn) -> list[list[Json]]:
    """Draw a list of histories. Each begins with a prefix, possibly empty, of an earlier one."""
    sent: list[list[Json]] = [[]]
    for more in draw(st.lists(st.lists(messages(), max_size=4), min_size=1, max_size=8)):
        known = draw(st.sampled_from(sent))
        sent.append(known[: draw(st.integers(0, len(known)))] + more)
    return sent[1:]


def as_read(history: list[Json]) -> list[Any]:
    return [message | {"thinkingContent": message.get("thinkingContent") or ""} for message in history]


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(first=st.lists(messages(), max_size=3), rest=histories())
def test_any_history_is_read_back_and_saving_it_unchanged_writes_nothing(
    client: ApiClient, first: list[Json], rest: list[list[Json]]
) -> None:
    session = post(client, first)
    id = session["id"]
    stored = Conversation.objects.get(id=id).messages
    rows: dict[Any, Any] = {}
    for history in [first, *rest]:
        answer = session if history is first else put(client, id, history)
        assert read(client, id) == as_read(history)
        assert answer["messageCount"] == len(history)
        with executed_statements() as executed:
            assert put(client, id, read(client, id)) == answer
        assert write_statements(executed) == []
        assert [one for one in client("GET", SESSIONS) if one["id"] == id] == [answer]
        now = {row.id: row.created_at for row in stored.all()}
        assert rows.items() <= now.items(), "a stored message was deleted or replaced"
        rows = now
