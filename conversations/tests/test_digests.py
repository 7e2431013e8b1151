"""The digests by which a save of all conversations finds the unchanged ones."""

from typing import Any

import pytest

from accounts.models import User
from conversations import sql
from conversations.core.digests import digest, jsonb_text, text_bytes
from conversations.drafts import SyncProfile
from conversations.models import Conversation, Message
from conversations.services import conversations
from testing.cast import message_draft

PROFILE = SyncProfile(
    compared_fields=frozenset({"role", "content", "reasoning", "tool_calls", "model"}),
    visible_roles=frozenset({"user", "assistant"}),
)
EVERY_ASCII_CHARACTER = "".join(map(chr, range(1, 128)))
JSON: list[Any] = [
    [],
    {},
    [1, -1, 0, 2.5, True, False, None, ""],
    {"arguments": '{"zone": "UTC"}', "name": "clock", "é": 1, "zz": 2, "z": {"b": [], "a": {}}, "": 0},
    [EVERY_ASCII_CHARACTER, "é 北京 😀 \u2028 \x7f \u0085"],
    2**62,
]


def draft(id: str, content: str | None = "a", **fields: Any) -> Any:
    return message_draft(content, **{"external_id": id} | fields)


def stored(user: User, drafts: list[Any]) -> Conversation:
    return conversations.create(user=user, fields={}, drafts=drafts)[0]


def stored_digests(user: User, conversation: Conversation, sent: list[Any]) -> dict[Any, bytes | None]:
    history = (conversation.id, len(sent), text_bytes(sent, PROFILE))
    return Message.objects.history_digests(user, PROFILE, [history])


@pytest.mark.parametrize(
    "drafts",
    [
        [],
        [draft("1"), draft("2", role="assistant", model="m", reasoning="b")],
        [draft(str(n), text) for n, text in enumerate(["", " \n", "é 北京 😀 \u2028", "[]", '","', "x" * 10_000])],
        [draft(EVERY_ASCII_CHARACTER, EVERY_ASCII_CHARACTER, reasoning=EVERY_ASCII_CHARACTER)],
        *([draft("1", None, tool_calls=value), draft("2", "", tool_calls=value)] for value in JSON),
    ],
    ids=str,
)
def test_postgresql_computes_the_same_digest(drafts: list[Any], alice: User) -> None:
    conversation = stored(alice, drafts)
    assert stored_digests(alice, conversation, drafts) == {conversation.id: digest(drafts, PROFILE)}


@pytest.mark.parametrize("value", JSON, ids=str)
def test_a_json_text_is_that_of_postgresql(value: Any, alice: User) -> None:
    conversation = stored(alice, [draft("1", tool_calls=value)])
    (text,) = conversation.messages.extra(select={"json": "tool_calls::text"}).values_list("json", flat=True)
    assert jsonb_text(value) == text


@pytest.mark.parametrize(
    "changes",
    [{"external_id": "2"}, {"role": "assistant"}, {"content": "b"}, {"model": "m"}, {"tool_calls": []}],
    ids=str,
)
def test_another_value_of_the_same_size_has_another_digest(changes: Any, alice: User) -> None:
    conversation = stored(alice, [draft("1", "a")])
    sent = [draft("1", "a") | changes]
    assert stored_digests(alice, conversation, sent)[conversation.id] != digest(sent, PROFILE)


def test_a_history_of_another_length_or_size_is_not_read(alice: User) -> None:
    conversation = stored(alice, [draft("1", "é"), draft("2", reasoning="b")])
    for sent in ([], [draft("1", "é")], [draft("1", "é"), draft("2")], [draft("1", "e"), draft("2", reasoning="b")]):
        assert stored_digests(alice, conversation, sent) == {}


def test_messages_that_the_client_does_not_see_are_left_out(alice: User) -> None:
    drafts = [draft("1"), draft("2", role="system"), draft("3", item_type="reasoning"), draft("4", None, parts=[1])]
    conversation = stored(alice, drafts)
    assert stored_digests(alice, conversation, drafts[:1]) == {conversation.id: digest(drafts[:1], PROFILE)}


def test_large_json_has_no_digest(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "DIGESTED_JSON_BYTES", 10)
    sql.history_digests.cache_clear()
    drafts = [draft("1", tool_calls=["some text"])]
    conversation = stored(alice, drafts)
    assert stored_digests(alice, conversation, drafts) == {conversation.id: None}
    sql.history_digests.cache_clear()


def test_the_conversation_of_another_user_has_no_digest(alice: User, bob: User) -> None:
    conversation = stored(alice, [draft("1")])
    assert stored_digests(bob, conversation, [draft("1")]) == {}
    assert stored_digests(alice, conversation, [draft("1")]) != {}


def test_replies_without_text_are_left_out(alice: User) -> None:
    drafts = [draft("1"), draft("2", "", role="assistant", status="failed")]
    conversation = stored(alice, drafts)
    assert stored_digests(alice, conversation, drafts[:1]) == {conversation.id: digest(drafts[:1], PROFILE)}
