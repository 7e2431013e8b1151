"""The message tree: the active path after appends, alternatives, switches, deletions and restores."""

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from accounts.models import User
from chatstore.errors import Conflict, Invalid, NotFound
from conversations.models import Conversation
from conversations.services import branches, messages
from testing.cast import active_texts, create_conversation, dialogue, message_draft, message_with_text, stored_rows
from testing.statements import executed_statements
from testing.tree_machine import TreeMachine


@pytest.mark.django_db
def test_random_operations_agree_with_the_reference_model() -> None:
    run_state_machine_as_test(TreeMachine, settings=settings())


@pytest.fixture
def chat(alice: User) -> Conversation:
    return create_conversation(alice, "Hi", "Hello", "How are you?", "Well")


def branch(chat: Conversation, text: str, **changes: object) -> None:
    branches.branch(user=chat.user, message_id=message_with_text(chat, text).id, changes=changes)


def switch(chat: Conversation, text: str) -> None:
    branches.switch(user=chat.user, conversation_id=chat.id, message_id=message_with_text(chat, text).id)


def trash(chat: Conversation, *texts: str) -> None:
    for text in texts:
        messages.trash(user=chat.user, message_id=message_with_text(chat, text).id)


def restore(chat: Conversation, text: str) -> None:
    messages.restore(user=chat.user, message_id=message_with_text(chat, text).id)


def append(chat: Conversation, *texts: str) -> None:
    messages.append(user=chat.user, conversation_id=chat.id, drafts=dialogue(*texts))


# Alternatives and switches


def test_an_edited_question_hides_its_old_answer(chat: Conversation) -> None:
    branch(chat, "How are you?", content="Who are you?")
    assert active_texts(chat) == ["Hi", "Hello", "Who are you?"]


def test_the_first_message_can_be_edited(chat: Conversation) -> None:
    branch(chat, "Hi", content="Good day")
    assert active_texts(chat) == ["Good day"]
    assert message_with_text(chat, "Good day").parent_seq is None


def test_an_alternative_to_a_hidden_message_activates_the_path_to_it(chat: Conversation) -> None:
    branch(chat, "Hi", content="Good day")
    append(chat, "Good day to you")
    branch(chat, "Well", content="Very well")
    assert active_texts(chat) == ["Hi", "Hello", "How are you?", "Very well"]


def test_an_alternative_copies_the_content_and_not_the_token_counts(alice: User) -> None:
    chat = create_conversation(alice)
    content_fields = message_draft(
        "Hello", "assistant", name="Hal", model="m", reasoning="Hm", metadata={"a": 1}, parts=[{"b": 2}]
    )
    cost = {"prompt_tokens": 3, "completion_tokens": 4, "usage": {"n": 7}, "finish_reason": "length", "error": "x"}
    drafts = [content_fields | cost | {"external_id": "one", "status": "incomplete"}]
    (first,), _ = messages.append(user=alice, conversation_id=chat.id, drafts=drafts)
    second = branches.branch(user=alice, message_id=first.id, changes={})
    assert {name: getattr(second, name) for name in content_fields} == content_fields
    assert [getattr(second, name) for name in cost] == [None, None, None, "", ""]
    assert (second.external_id, second.fingerprint, second.status) == (None, None, "completed")
    chat.refresh_from_db()
    assert (chat.prompt_tokens, chat.completion_tokens) == (3, 4)


def test_an_empty_alternative_is_refused(chat: Conversation) -> None:
    before = stored_rows(chat)
    with pytest.raises(Invalid):
        branch(chat, "Well", content=None)
    assert stored_rows(chat) == before


def test_a_switch_activates_the_newest_replies_below_the_message(chat: Conversation) -> None:
    branch(chat, "Hello", content="Hey")
    append(chat, "What's up?")
    switch(chat, "Hello")
    assert active_texts(chat) == ["Hi", "Hello", "How are you?", "Well"]
    switch(chat, "Hi")
    assert active_texts(chat) == ["Hi", "Hey", "What's up?"]


def test_a_switch_skips_trashed_messages(chat: Conversation) -> None:
    trash(chat, "Hello")
    branch(chat, "Hi", content="Good day")
    switch(chat, "Hi")
    assert active_texts(chat) == ["Hi", "How are you?", "Well"]


def test_a_switch_to_a_message_of_another_conversation_is_not_found(chat: Conversation) -> None:
    other = create_conversation(chat.user, "Elsewhere")
    before = stored_rows(chat)
    with pytest.raises(NotFound):
        branches.switch(user=chat.user, conversation_id=chat.id, message_id=message_with_text(other, "Elsewhere").id)
    assert stored_rows(chat) == before


def test_a_trashed_message_cannot_be_branched_switched_to_or_trashed(chat: Conversation) -> None:
    trash(chat, "Hello")
    for operation in (branch, switch, trash):
        with pytest.raises(NotFound):
            operation(chat, "Hello")


# Trash and restore


def test_the_replies_to_a_trashed_message_stay_active(chat: Conversation) -> None:
    trash(chat, "Hello")
    assert active_texts(chat) == ["Hi", "How are you?", "Well"]
    restore(chat, "Hello")
    assert active_texts(chat) == ["Hi", "Hello", "How are you?", "Well"]


def test_trashing_the_tip_moves_it_to_the_nearest_live_ancestor(chat: Conversation) -> None:
    trash(chat, "How are you?", "Well")
    chat.refresh_from_db()
    assert (chat.tip_seq, chat.preview, chat.message_count) == (2, "Hello", 2)
    append(chat, "And you?")
    assert message_with_text(chat, "And you?").parent_seq == 2


def test_messages_restored_in_the_order_in_which_they_were_trashed_are_all_active(chat: Conversation) -> None:
    trash(chat, "How are you?", "Well")
    restore(chat, "How are you?")
    restore(chat, "Well")
    assert active_texts(chat) == ["Hi", "Hello", "How are you?", "Well"]


def test_a_message_restored_below_a_trashed_one_is_active(chat: Conversation) -> None:
    trash(chat, "How are you?", "Well")
    restore(chat, "Well")
    assert active_texts(chat) == ["Hi", "Hello", "Well"]


def test_a_message_restored_beside_a_newer_sibling_is_hidden(chat: Conversation) -> None:
    trash(chat, "Well")
    append(chat, "Fine")
    restore(chat, "Well")
    assert active_texts(chat) == ["Hi", "Hello", "How are you?", "Fine"]
    switch(chat, "Well")
    assert active_texts(chat)[3:] == ["Well"]


def test_a_conversation_can_be_continued_after_all_its_messages_were_trashed(chat: Conversation) -> None:
    trash(chat, "Hi", "Hello", "How are you?", "Well")
    chat.refresh_from_db()
    assert (chat.tip_seq, chat.preview, chat.message_count, chat.last_seq) == (None, "", 0, 4)
    append(chat, "Again")
    assert (active_texts(chat), message_with_text(chat, "Again").seq) == (["Again"], 5)


def test_a_message_whose_external_id_is_taken_cannot_be_restored(alice: User) -> None:
    chat = create_conversation(alice)
    for text in ("old", "new"):
        messages.append(user=alice, conversation_id=chat.id, drafts=[message_draft(text, external_id="x")])
        trash(chat, *["old"] * (text == "old"))
    with pytest.raises(Conflict):
        restore(chat, "old")
    trash(chat, "new")
    restore(chat, "old")
    assert active_texts(chat) == ["old"]


# Statement counts


@pytest.mark.parametrize("length", [10, 500])
def test_a_change_of_a_tree_of_any_length_runs_at_most_eleven_statements(alice: User, length: int) -> None:
    chat = create_conversation(alice, *map(str, range(length)))
    counts = []
    for change, text in ((branch, "4"), (switch, "5"), (trash, "5"), (restore, "5")):
        with executed_statements() as statements:
            change(chat, text)
        counts.append(len(statements))
    assert max(counts) <= 11
