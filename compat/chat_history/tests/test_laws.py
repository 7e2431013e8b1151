"""Contract C, by its two laws: what was sent is what is read back, and sending back what was read writes nothing."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from testing.callers import Caller
from testing.statements import statements

from .said import CHATS, MESSAGES, chat, detail, said_in, say

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
ROLES = st.sampled_from(["user", "ai", "system"])
SAID = st.lists(st.tuples(TEXTS, ROLES), max_size=6)
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=500)
NOTEBOOKS = st.lists(TEXTS, max_size=4)
LAWS = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def caller(alice: User) -> Caller:
    caller = Caller(alice)
    caller("GET", CHATS)  # the use of a token is noted at most hourly
    return caller


def put_back(caller: Caller, path: str, row: Any) -> Any:
    with statements() as asked:
        answer = caller("PUT", path, row)
    assert set(asked) == {"SELECT"}
    return answer


@LAWS
@given(name=NAMES, notebooks=NOTEBOOKS, said=SAID)
def test_chats_and_messages(caller: Caller, name: str, notebooks: list[str], said: list[tuple[str, str]]) -> None:
    made = chat(caller, name=name, notebooks=notebooks)
    assert (made["name"], made["notebooks"]) == (name, notebooks)
    answers = [say(caller, made["id"], content, role) for content, role in said]
    read = said_in(caller, made["id"])
    assert read == answers
    assert [(row["content"], row["role"]) for row in read] == said
    whole = detail(caller, made["id"])
    assert (whole["name"], whole["notebooks"], whole["messages"]) == (name, notebooks, read)
    assert put_back(caller, CHATS + made["id"], whole) == {key: whole[key] for key in made}
    for row in read:
        assert put_back(caller, MESSAGES + row["id"], row) == row
    assert detail(caller, made["id"]) == whole


@LAWS
@given(said=SAID.filter(bool), content=TEXTS, role=ROLES, data=st.data())
def test_a_changed_message(
    caller: Caller, said: list[tuple[str, str]], content: str, role: str, data: st.DataObject
) -> None:
    id = chat(caller, name="Zebras")["id"]
    rows = [say(caller, id, *each) for each in said]
    index = data.draw(st.integers(0, len(rows) - 1), "which")
    changed = caller("PUT", MESSAGES + rows[index]["id"], {"content": content, "role": role})
    assert (changed["content"], changed["role"]) == (content, role)
    rows[index] = changed
    assert said_in(caller, id) == rows
