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
from compat.storage import ids
from compat.storage.schemas import DEFAULTS, SYNC_PROFILE
from conversations.models import Conversation, Message
from conversations.services import conversations, messages
from conversations.usage import counted_usage
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
NATIVE = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "tool", "developer"]), "content": TEXTS},
    optional={
        "external_id": st.uuids().map(lambda id: f"{id}␟{id.int % 20}"),
        "item_type": st.sampled_from(["message", "reasoning"]),
        "model": st.just('a "quoted" \\ model'),
        "reasoning": TEXTS,
        "tool_calls": CALLS,
        "prompt_tokens": st.integers(0, 9),
    },
).map(lambda draft: draft | {"content": None} if draft.get("tool_calls") else draft)
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


@pytest.mark.django_db
@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(histories=st.lists(st.lists(NATIVE, max_size=8), max_size=4), usage=st.sampled_from([None, NO_TOKENS, {"a": 1}]))
def test_sessions_of_any_origin_are_read_as_python_renders_them(histories: list[Any], usage: Any) -> None:
    with undone():
        alice = create_user(str(new_id()))
        for number, drafts in enumerate(histories):
            fields = {"reported_usage": usage, "external_id": f"s␟{number}" if number % 2 else None}
            conversation, _ = conversations.create(user=alice, fields=fields, drafts=drafts)
            for message in list(conversation.messages.all())[::4]:
                messages.trash(user=alice, message_id=message.id)
        stored = Conversation.objects.owned_by(alice).order_by("-created_at", "-id")
        assert load(ApiClient(alice)) == [rendered_session(each) for each in stored]


def rendered_session(row: Conversation) -> dict[str, Any]:
    visible = [each for each in row.messages.shown() if SYNC_PROFILE.is_visible(each)]
    return {
        "id": row.external_id or str(row.id),
        "title": row.title,
        "messages": [rendered_message(each) for each in visible],
        "createdAt": row.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "tokenUsage": counted_usage(row) if row.reported_usage is None else row.reported_usage,
    }


def rendered_message(row: Message) -> dict[str, Any]:
    optional = {name: value for name, default in DEFAULTS.items() if (value := getattr(row, name)) != default}
    id = ids.as_sent(row.external_id) if row.external_id else str(row.id)
    return {"id": id, "role": row.role, "content": row.content, **optional}


def holds(conversation: Conversation) -> None:
    assert_consistent(conversation, list(conversation.messages.order_by("seq")))
