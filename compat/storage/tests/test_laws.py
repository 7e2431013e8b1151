"""Property tests of the storage contract: saved sessions are read back unchanged, and saving them again writes
nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from chatstore.ids import new_id
from conversations.models import Conversation, Message
from testing.api_client import ApiClient, create_user
from testing.statements import executed_statements
from testing.storage_client import NO_TOKENS, load, save, snapshot
from testing.tree_machine import assert_consistent

TEXTS = st.sampled_from(["", "a", "ab", "abc", " \n", "b é", "北京"])
CALLS = st.sampled_from([[], [{"id": "c", "function": {"name": "f", "arguments": "{}"}}], [{"n": 1}], [{"n": True}]])
MESSAGES = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["1", "2", "3", "4", "1␟2"]),
        "role": st.sampled_from(["user", "assistant", "system", "tool"]),
        "content": TEXTS,
    },
    optional={
        "model": st.sampled_from(["m", "n"]),
        "reasoning": st.sampled_from(["x", "xy"]),
        "tool_calls": CALLS,
        "tool_call_id": st.just("c"),
        "name": st.just("f"),
    },
)
ANY_MESSAGE = st.one_of(
    MESSAGES, MESSAGES, MESSAGES.map(lambda message: message | {"content": None, "tool_calls": [{"n": 2}]})
)
SESSIONS = st.fixed_dictionaries(
    {
        "title": st.sampled_from(["New Chat", "b"]),
        "messages": st.lists(ANY_MESSAGE, max_size=5),
        "tokenUsage": st.sampled_from([NO_TOKENS, {"total_tokens": 3}, {}]),
    }
)
WORLDS = st.dictionaries(st.sampled_from(["s1", "s2", "s3"]), SESSIONS, max_size=3)
CREATED = {"s1": "2025-05-12T07:50:38.001Z", "s2": "2025-05-12T07:50:38.002Z", "s3": "2025-05-12T07:50:38.003Z"}


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def as_sent(world: dict[str, Any]) -> list[Any]:
    newest_first = sorted(world.items(), reverse=True)
    return [{"id": id, "createdAt": CREATED[id], **fields} for id, fields in newest_first]


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(worlds=st.lists(WORLDS, min_size=1, max_size=6))
def test_any_sessions_are_read_back_and_saving_them_unchanged_writes_nothing(worlds: list[dict[str, Any]]) -> None:
    with undone():
        alice = create_user(str(new_id()))
        client = ApiClient(alice)
        for world in worlds:
            stored_before = set(Message.objects.owned_by(alice).values_list("id", flat=True))
            save(client, *as_sent(world))
            read = load(client)
            assert read == as_sent(world)
            before = snapshot(alice)
            with executed_statements() as executed:
                save(client, *read)
            assert set(executed) == {"SELECT"}
            assert snapshot(alice) == before
            assert stored_before <= set(Message.objects.owned_by(alice).values_list("id", flat=True))
        for conversation in Conversation.objects.owned_by(alice):
            holds(conversation)


def holds(conversation: Conversation) -> None:
    assert_consistent(conversation, list(conversation.messages.order_by("seq")))
