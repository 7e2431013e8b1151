"""What contract A asks of the database: as little as there is news."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from conversations.models import Conversation, Message
from conversations.services import reactions
from testing.callers import Caller
from testing.cast import everything
from testing.statements import statements

from .said import SESSIONS, Said, assistant, post, put, read, user

LONG = [(user, assistant)[index % 2](f"Message {index}") for index in range(1_000)]


def written(verbs: list[str]) -> list[str]:
    return [verb for verb in verbs if verb != "SELECT"]


@pytest.fixture
def caller(alice: User) -> Caller:
    caller = Caller(alice)
    caller("GET", SESSIONS)  # the use of a token is noted at most hourly
    return caller


@pytest.fixture
def long(caller: Caller) -> Conversation:
    return Conversation.objects.get(id=post(caller, LONG)["id"])


def test_one_message_more_on_a_long_history_writes_that_message_alone(caller: Caller, long: Conversation) -> None:
    liked = long.messages.get(seq=500)
    reactions.react(user=long.user, message_id=liked.id, type="like")
    before = list(long.messages.order_by("seq").values())
    longer = [*LONG, user("One more")]
    with statements() as asked:
        put(caller, str(long.id), longer)
    assert written(asked) == ["INSERT", "UPDATE"]
    *rest, new = long.messages.order_by("seq").values()
    assert rest == before and new["content"] == "One more"
    assert list(liked.reactions.values_list("type", flat=True)) == ["like"]


def test_a_long_history_sent_again_costs_as_few_reads_as_a_short_one(caller: Caller, long: Conversation) -> None:
    short = post(caller, LONG[:2])
    for id, history in ((short["id"], LONG[:2]), (str(long.id), LONG)):
        with statements() as asked:
            put(caller, id, history)
        assert asked == ["SELECT"] * 4  # who asks; which one is meant; its row, locked; its messages


def test_a_long_history_sent_again_leaves_every_stored_value(caller: Caller, long: Conversation) -> None:
    before = everything(long)
    put(caller, str(long.id), read(caller, str(long.id)))
    assert everything(long) == before


def test_the_list_costs_the_same_for_many_sessions_as_for_none(caller: Caller) -> None:
    for _ in range(2):
        with statements() as asked:
            caller("GET", SESSIONS)
        assert asked == ["SELECT"] * 2
        for text in "abcdef":
            post(caller, [user(text)])


def test_what_is_refused_writes_nothing(caller: Caller, long: Conversation) -> None:
    before = everything(long)
    with statements() as asked:
        for method, path, status in (("PUT", f"{SESSIONS}/{long.id}", 400), ("PUT", f"{SESSIONS}/nobody", 400)):
            caller(method, path, {"messages": "Hello"}, status=status)
        caller("POST", SESSIONS, {"messages": [*LONG, 5]}, status=400)
        caller("PUT", f"{SESSIONS}/nobody", {"messages": []}, status=404)
    assert written(asked) == []
    assert everything(long) == before and Message.objects.count() == len(LONG)


# Few words, so that histories meet and part again and again.
TEXTS = st.sampled_from(["", "a", "ab", "abc", "b", "é", "\n"]) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=3
)
THINKING = st.sampled_from([{}, {"thinkingContent": None}, {"thinkingContent": ""}, {"thinkingContent": "Hm"}])


@st.composite
def messages(draw: st.DrawFn) -> Said:
    role = draw(st.sampled_from(["user", "assistant", "assistant", "system"]))
    return {"role": role, "content": draw(TEXTS), **draw(THINKING)}


@st.composite
def histories(draw: st.DrawFn) -> list[list[Said]]:
    """Each is new, or begins as one before it."""
    sent: list[list[Said]] = [[]]
    for more in draw(st.lists(st.lists(messages(), max_size=4), min_size=1, max_size=8)):
        known = draw(st.sampled_from(sent))
        sent.append(known[: draw(st.integers(0, len(known)))] + more)
    return sent[1:]


def as_read(history: list[Said]) -> list[Any]:
    return [said | {"thinkingContent": said.get("thinkingContent") or ""} for said in history]


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(first=st.lists(messages(), max_size=3), rest=histories())
def test_any_histories_are_read_back_as_they_were_sent_and_sent_back_write_nothing(
    caller: Caller, first: list[Said], rest: list[list[Said]]
) -> None:
    session = post(caller, first)
    id = session["id"]
    stored = Conversation.objects.get(id=id).messages
    rows: dict[Any, Any] = {}
    for history in [first, *rest]:
        answer = session if history is first else put(caller, id, history)
        assert read(caller, id) == as_read(history)
        assert answer["messageCount"] == len(history)
        with statements() as asked:
            assert put(caller, id, read(caller, id)) == answer
        assert written(asked) == []
        assert [one for one in caller("GET", SESSIONS) if one["id"] == id] == [answer]
        now = {row.id: row.created_at for row in stored.all()}
        assert rows.items() <= now.items(), "a stored message is gone, or is another"
        rows = now
