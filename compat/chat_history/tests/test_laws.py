"""Property tests of contract C: stored values are read back unchanged, and saving them unchanged writes nothing."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from testing.api_client import ApiClient
from testing.statements import executed_statements

from .helpers import CHATS, MESSAGES, chat, detail, messages_in, say

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=8)
ROLES = st.sampled_from(["user", "ai", "system"])
DRAFTS = st.lists(st.tuples(TEXTS, ROLES), max_size=6)
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
def caller(alice: User) -> ApiClient:
    caller = ApiClient(alice)
    caller("GET", CHATS)  # records the use of the token, which happens at most once an hour
    return caller


def put_back(client: ApiClient, path: str, row: Any) -> Any:
    with executed_statements() as asked:
        answer = client("PUT", path, row)
    assert set(asked) == {"SELECT"}
    return answer


@LAWS
@given(name=NAMES, notebooks=NOTEBOOKS, drafts=DRAFTS)
def test_any_chat_is_read_back_and_saving_it_unchanged_writes_nothing(
    caller: ApiClient, name: str, notebooks: list[str], drafts: list[tuple[str, str]]
) -> None:
    made = chat(caller, name=name, notebooks=notebooks)
    assert (made["name"], made["notebooks"]) == (name, notebooks)
    answers = [say(caller, made["id"], content, role) for content, role in drafts]
    read = messages_in(caller, made["id"])
    assert read == answers
    assert [(row["content"], row["role"]) for row in read] == drafts
    whole = detail(caller, made["id"])
    assert (whole["name"], whole["notebooks"], whole["messages"]) == (name, notebooks, read)
    assert put_back(caller, f"{CHATS}{made['id']}", whole) == {key: whole[key] for key in made}
    for row in read:
        assert put_back(caller, f"{MESSAGES}{row['id']}", row) == row
    assert detail(caller, made["id"]) == whole


@LAWS
@given(drafts=DRAFTS.filter(bool), content=TEXTS, role=ROLES, data=st.data())
def test_any_change_of_a_message_is_read_back(
    caller: ApiClient, drafts: list[tuple[str, str]], content: str, role: str, data: st.DataObject
) -> None:
    id = chat(caller, name="Zebras")["id"]
    rows = [say(caller, id, *each) for each in drafts]
    index = data.draw(st.integers(0, len(rows) - 1), "which")
    changed = caller("PUT", f"{MESSAGES}{rows[index]['id']}", {"content": content, "role": role})
    assert (changed["content"], changed["role"]) == (content, role)
    rows[index] = changed
    assert messages_in(caller, id) == rows
