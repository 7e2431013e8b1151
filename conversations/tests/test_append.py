"""Appending messages to the active path, and updating messages in place."""

from datetime import UTC, datetime
from typing import Any

import pytest

from accounts.models import User
from chatstore.errors import Conflict, Invalid, NotFound
from conversations.models import Conversation, Message
from conversations.services import conversations, messages
from testing.cast import Draft, active_texts, create_conversation, message_draft, message_with_text, stored_rows
from testing.statements import executed_statements

# Lock the conversation, insert the messages, update the conversation. For one message, one statement does all this.
SEVERAL = ["SELECT", "COPY", "UPDATE"]


@pytest.fixture
def chat(alice: User) -> Conversation:
    return create_conversation(alice, "Hi", "Hello")


def append(chat: Conversation, *drafts: Draft) -> tuple[list[Message], bool]:
    created = messages.append(user=chat.user, conversation_id=chat.id, drafts=drafts)
    chat.refresh_from_db(from_queryset=Conversation.objects.select_related("user"))
    return created


def update(chat: Conversation, text: str, **changes: Any) -> None:
    messages.update(user=chat.user, message_id=message_with_text(chat, text).id, changes=changes)
    chat.refresh_from_db()


# Results


def test_each_appended_message_is_a_child_of_the_one_before(chat: Conversation) -> None:
    created, is_new = append(chat, message_draft("a"), message_draft("b"), message_draft("c"))
    assert [(row.seq, row.parent_seq, row.is_active) for row in created] == [(3, 2, True), (4, 3, True), (5, 4, True)]
    assert is_new
    assert active_texts(chat) == ["Hi", "Hello", "a", "b", "c"]


def test_an_append_updates_the_counters_preview_and_times_of_the_conversation(chat: Conversation) -> None:
    was = chat.active_at
    append(
        chat, message_draft("a", prompt_tokens=2), message_draft("b", "assistant", prompt_tokens=3, completion_tokens=5)
    )
    assert (chat.last_seq, chat.tip_seq, chat.message_count, chat.preview) == (4, 4, 4, "b")
    assert (chat.prompt_tokens, chat.completion_tokens) == (5, 5)
    assert was < chat.active_at == chat.updated_at == message_with_text(chat, "b").created_at


def test_an_empty_append_changes_nothing(chat: Conversation) -> None:
    before = stored_rows(chat)
    assert append(chat) == ([], False)
    assert stored_rows(chat) == before


def test_one_invalid_message_rolls_back_the_others(chat: Conversation) -> None:
    before = stored_rows(chat)
    with pytest.raises(Invalid):
        append(chat, message_draft("a"), message_draft(None))
    assert stored_rows(chat) == before


def test_an_untitled_conversation_gets_the_first_line_of_the_first_user_message_as_its_title(alice: User) -> None:
    untitled, titled = create_conversation(alice), create_conversation(alice, title="Mine")
    for chat in (untitled, titled):
        append(chat, message_draft("Be brief.", "system"), message_draft("\n Tell me of the sea.\nAll of it."))
        append(chat, message_draft("And of the land."))
    assert (untitled.title, titled.title) == ("Tell me of the sea.", "Mine")


def test_a_long_title_is_shortened_with_an_ellipsis(alice: User) -> None:
    assert create_conversation(alice, "x" * 80).title == "x" * 80
    assert create_conversation(alice, "x" * 81).title == "x" * 80 + "..."


@pytest.mark.parametrize(
    ("text", "preview"),
    [("  two\n words\t", "two words"), ("x" * 300, "x" * 200), (" \n", "Hello"), ("", "Hello"), (None, "Hello")],
)
def test_the_preview_is_the_newest_text_on_one_line(chat: Conversation, text: str | None, preview: str) -> None:
    append(chat, message_draft(text, parts=[{"type": "text"}]))
    assert chat.preview == preview


@pytest.mark.parametrize("text", [" " * 3_000 + "late", "\N{NO-BREAK SPACE}", "a" + " " * 3_000 + "b", "x " * 300])
def test_the_preview_of_an_append_equals_the_recomputed_preview(chat: Conversation, text: str) -> None:
    append(chat, message_draft(text))
    was = chat.preview
    update(chat, "Hi", name="Ann")  # every write except an append recomputes the preview
    assert chat.preview == was != "Hello"


def test_a_given_time_is_stored_and_the_newest_one_becomes_active_at(alice: User) -> None:
    long_ago, soon = datetime(2020, 5, 17, tzinfo=UTC), datetime(2090, 1, 1, tzinfo=UTC)
    chat = create_conversation(alice)
    was = chat.active_at
    (old,), _ = append(chat, message_draft("old", created_at=long_ago))
    assert (old.created_at, chat.active_at) == (long_ago, was)
    append(chat, message_draft("new", created_at=soon))
    (last,), _ = append(chat, message_draft("last"))
    assert chat.active_at == soon == last.created_at, "time never runs backwards within a conversation"


# Retries


def test_a_message_sent_twice_is_stored_once(chat: Conversation) -> None:
    draft = message_draft(
        "a", external_id="x", metadata={"b": [1, 2.5, None]}, created_at=datetime(2020, 5, 17, tzinfo=UTC)
    )
    (first,), was_new = append(chat, draft)
    (second,), is_new = append(chat, dict(reversed(draft.items())))
    assert (first, was_new, is_new) == (second, True, False)
    assert active_texts(chat) == ["Hi", "Hello", "a"]


def test_a_retry_is_recognized_after_the_message_was_edited(chat: Conversation) -> None:
    append(chat, message_draft("a", external_id="x"))
    update(chat, "a", content="edited")
    (row,), is_new = append(chat, message_draft("a", external_id="x"))
    assert (row.content, is_new) == ("edited", False)


def test_an_append_with_the_external_id_of_another_message_is_a_conflict(chat: Conversation) -> None:
    append(chat, message_draft("a", external_id="x"))
    before = stored_rows(chat)
    with pytest.raises(Conflict) as refused:
        append(chat, message_draft("fresh"), message_draft("b", external_id="x"))
    assert refused.value.field == "external_id"
    assert stored_rows(chat) == before


def test_a_retry_with_additional_messages_stores_only_these_and_returns_all_in_order(chat: Conversation) -> None:
    append(chat, message_draft("b", external_id="x"))
    created, is_new = append(
        chat,
        message_draft("a"),
        message_draft("b", external_id="x"),
        message_draft("c", external_id="y"),
        message_draft("d"),
    )
    assert ([row.content for row in created], is_new) == (["a", "b", "c", "d"], True)
    assert active_texts(chat) == ["Hi", "Hello", "b", "a", "c", "d"]


def test_one_request_cannot_repeat_an_external_id(chat: Conversation) -> None:
    with pytest.raises(Conflict):
        append(chat, message_draft("a", external_id="x"), message_draft("b", external_id="x"))
    assert active_texts(chat) == ["Hi", "Hello"]


def test_the_external_id_of_a_trashed_message_can_be_used_again(chat: Conversation) -> None:
    append(chat, message_draft("a", external_id="x"))
    messages.trash(user=chat.user, message_id=message_with_text(chat, "a").id)
    (_,), is_new = append(chat, message_draft("b", external_id="x"))
    assert is_new
    assert active_texts(chat) == ["Hi", "Hello", "b"]


def test_two_conversations_can_use_the_same_external_id(chat: Conversation) -> None:
    other = create_conversation(chat.user)
    for each in (chat, other):
        _, is_new = append(each, message_draft("a", external_id="x"))
        assert is_new


# Updates in place


def test_an_update_changes_the_message_in_place(chat: Conversation) -> None:
    was_active_at, was_updated_at = chat.active_at, chat.updated_at
    update(chat, "Hello", content="Hello there")
    assert (active_texts(chat), chat.preview, chat.last_seq) == (["Hi", "Hello there"], "Hello there", 2)
    assert chat.active_at == was_active_at
    assert chat.updated_at == message_with_text(chat, "Hello there").updated_at > was_updated_at


def test_an_update_of_token_counts_changes_the_sums(chat: Conversation) -> None:
    append(chat, message_draft("a", prompt_tokens=5, completion_tokens=7))
    for prompt_tokens in (None, 2, 0, 11):
        update(chat, "a", prompt_tokens=prompt_tokens)
        assert (chat.prompt_tokens, chat.completion_tokens) == (prompt_tokens or 0, 7)


def test_the_sums_include_trashed_messages(chat: Conversation) -> None:
    append(chat, message_draft("a", prompt_tokens=5))
    messages.trash(user=chat.user, message_id=message_with_text(chat, "a").id)
    chat.refresh_from_db()
    assert chat.prompt_tokens == 5


def test_an_update_that_empties_a_message_is_refused(chat: Conversation) -> None:
    before = stored_rows(chat)
    with pytest.raises(Invalid):
        update(chat, "Hello", content=None)
    assert stored_rows(chat) == before


# Missing conversations, and statement counts


@pytest.mark.parametrize("away", [conversations.trash, conversations.purge])
def test_an_append_to_a_trashed_or_purged_conversation_is_not_found(chat: Conversation, away: Any) -> None:
    message_id = message_with_text(chat, "Hi").id
    away(user=chat.user, conversation_id=chat.id)
    with pytest.raises(NotFound):
        messages.append(user=chat.user, conversation_id=chat.id, drafts=[message_draft("a")])
    with pytest.raises(NotFound):
        messages.update(user=chat.user, message_id=message_id, changes={"content": "a"})


@pytest.mark.parametrize("length", [10, 1_000])
@pytest.mark.parametrize(("more", "expected"), [(1, ["WITH"]), (2, SEVERAL), (100, SEVERAL)])
def test_an_append_runs_the_same_statements_for_any_number_of_stored_and_new_messages(
    alice: User, length: int, more: int, expected: list[str]
) -> None:
    chat = create_conversation(alice, *map(str, range(length)))
    with executed_statements() as statements:
        messages.append(user=alice, conversation_id=chat.id, drafts=[message_draft("a")] * more)
    assert statements == expected


def test_an_external_id_adds_one_statement_and_a_retry_writes_nothing(chat: Conversation) -> None:
    user, drafts = chat.user, [message_draft("a", external_id="x")]
    for expected in (["SELECT", "SELECT", "INSERT", "UPDATE"], ["SELECT", "SELECT"]):
        with executed_statements() as statements:
            messages.append(user=user, conversation_id=chat.id, drafts=drafts)
        assert statements == expected
