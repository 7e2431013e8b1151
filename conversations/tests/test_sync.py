"""Synchronizing a complete history: which messages are matched, which are new, and which become hidden."""

from typing import Any

import pytest

from accounts.models import User
from chatstore.errors import Conflict, Invalid, NotFound
from conversations.drafts import SyncProfile
from conversations.models import Conversation, Message
from conversations.services import branches, messages
from conversations.services.sync import sync
from testing.cast import (
    Draft,
    active_texts,
    create_conversation,
    dialogue,
    message_draft,
    message_with_text,
    stored_rows,
)
from testing.statements import executed_statements
from testing.sync_profiles import CONTRACT, NATIVE, STATEMENTS_WITHOUT_CHANGES, history_of


def send(conversation: Conversation, drafts: list[Draft], profile: SyncProfile = NATIVE) -> None:
    sync(user=conversation.user, conversation_id=conversation.id, drafts=drafts, profile=profile)
    conversation.refresh_from_db()


def texts(conversation: Conversation) -> list[str]:
    """Return the texts of all messages, including hidden messages."""
    return list(conversation.messages.order_by("seq").values_list("content", flat=True))


def writes_nothing(conversation: Conversation, drafts: list[Draft], profile: SyncProfile = NATIVE) -> bool:
    user, before = conversation.user, stored_rows(conversation)
    with executed_statements() as statements:
        sync(user=user, conversation_id=conversation.id, drafts=drafts, profile=profile)
    return statements == STATEMENTS_WITHOUT_CHANGES and stored_rows(conversation) == before


@pytest.fixture
def chat(alice: User) -> Conversation:
    return create_conversation(alice, "Hi", "Hello", "How are you?", "Well")


@pytest.fixture
def with_tools(alice: User) -> Conversation:
    """A conversation with a tool message. A client with the profile CONTRACT cannot see this message."""
    chat = create_conversation(alice, "What time is it?")
    drafts = [
        message_draft("Let me look.", "assistant"),
        message_draft("12:00", "tool"),
        message_draft("Noon.", "assistant"),
    ]
    messages.append(user=alice, conversation_id=chat.id, drafts=drafts)
    return chat


# Equal histories


@pytest.mark.parametrize("profile", [NATIVE, CONTRACT])
def test_sending_the_stored_history_writes_nothing(chat: Conversation, profile: SyncProfile) -> None:
    assert writes_nothing(chat, history_of(chat, profile), profile=profile)


@pytest.mark.parametrize("profile", [NATIVE, CONTRACT])
def test_sending_the_stored_history_without_ids_writes_nothing(chat: Conversation, profile: SyncProfile) -> None:
    assert writes_nothing(chat, dialogue("Hi", "Hello", "How are you?", "Well"), profile=profile)


def test_sending_the_stored_history_with_server_ids_writes_nothing(chat: Conversation) -> None:
    assert writes_nothing(chat, [message_draft(row.content, row.role, id=row.id) for row in chat.messages.shown()])


def test_all_fields_of_a_message_are_stored_and_compared_as_equal(alice: User) -> None:
    chat = create_conversation(alice)
    call = {"id": "c1", "type": "function", "function": {"name": "clock", "arguments": "{}"}}
    drafts = [
        message_draft(
            None, parts=[{"type": "text", "text": "Hi"}, {"type": "image_url", "image_url": {"url": "x", "n": 1.0}}]
        ),
        message_draft(None, "assistant", tool_calls=[call], model="m", usage={"n": [1, True, None]}, prompt_tokens=3),
        message_draft("12:00", "tool", tool_call_id="c1", name="clock", metadata={"ms": 12}),
        message_draft("Noon.", "assistant", reasoning="Twelve is noon.", status="incomplete", finish_reason="length"),
    ]
    send(chat, drafts)
    for row, draft in zip(chat.messages.shown(), drafts, strict=True):
        assert {name: getattr(row, name) for name in draft} == draft
    assert writes_nothing(chat, drafts)


def test_a_field_that_the_contract_does_not_have_is_not_compared(chat: Conversation) -> None:
    messages.update(
        user=chat.user, message_id=message_with_text(chat, "Hello").id, changes={"name": "Hal", "tool_call_id": "x"}
    )
    assert writes_nothing(chat, history_of(chat), profile=CONTRACT)


@pytest.mark.parametrize("compared_fields", ["metadata", "usage", "status", "name", "prompt_tokens"])
def test_a_compared_field_that_a_draft_leaves_out_has_its_default(chat: Conversation, compared_fields: str) -> None:
    assert writes_nothing(chat, history_of(chat), profile=SyncProfile(frozenset({"role", "content", compared_fields})))


def test_fields_that_are_not_compared_are_updated_in_place(chat: Conversation) -> None:
    drafts = history_of(chat)
    drafts[1] |= {"model": "m", "metadata": {"seen": True}, "completion_tokens": 4}
    send(chat, drafts)
    hello = message_with_text(chat, "Hello")
    assert (hello.model, hello.metadata, hello.completion_tokens) == ("m", {"seen": True}, 4)
    assert (chat.completion_tokens, chat.last_seq) == (4, 4)
    assert writes_nothing(chat, drafts)


@pytest.mark.parametrize(("stored", "sent", "is_equal"), [(1, 1.0, True), (1, True, False), (0, False, False)])
def test_values_are_compared_as_json(alice: User, stored: Any, sent: Any, is_equal: bool) -> None:
    chat = create_conversation(alice)
    send(chat, [message_draft(None, parts=[{"n": stored}])])
    send(chat, [message_draft(None, parts=[{"n": sent}])])
    assert (chat.last_seq == 1) == is_equal


# New messages


def test_the_first_history_is_stored_and_sets_the_title(alice: User) -> None:
    chat = create_conversation(alice)
    send(chat, dialogue("Hi\nthere", "Hello"))
    assert active_texts(chat) == ["Hi\nthere", "Hello"]
    assert (chat.title, chat.preview, chat.message_count) == ("Hi", "Hello", 2)


def test_a_longer_history_is_appended(chat: Conversation) -> None:
    was_active_at = chat.active_at
    send(chat, [*history_of(chat), message_draft("Good")])
    assert active_texts(chat) == ["Hi", "Hello", "How are you?", "Well", "Good"]
    assert chat.active_at > was_active_at


def test_a_shorter_history_shortens_the_active_path_and_deletes_nothing(chat: Conversation) -> None:
    was = texts(chat)
    send(chat, history_of(chat)[:2])
    assert (active_texts(chat), texts(chat)) == (["Hi", "Hello"], was)
    assert (chat.tip_seq, chat.last_seq, chat.preview) == (2, 4, "Hello")
    assert writes_nothing(chat, history_of(chat)[:2])


def test_the_full_history_sent_after_a_shorter_one_reuses_its_messages(chat: Conversation) -> None:
    drafts = history_of(chat)
    send(chat, drafts[:1])
    send(chat, drafts)
    assert (active_texts(chat), chat.last_seq) == (["Hi", "Hello", "How are you?", "Well"], 4)


def test_an_empty_history_hides_all_messages_and_deletes_none(chat: Conversation) -> None:
    send(chat, [])
    assert (active_texts(chat), chat.tip_seq, chat.preview, len(texts(chat))) == ([], None, "", 4)
    assert writes_nothing(chat, [])


def test_a_history_that_differs_in_the_middle_becomes_a_branch(chat: Conversation) -> None:
    drafts = history_of(chat)
    send(chat, [*drafts[:2], message_draft("Who are you?"), message_draft("A program", "assistant")])
    assert active_texts(chat) == ["Hi", "Hello", "Who are you?", "A program"]
    assert texts(chat)[:4] == ["Hi", "Hello", "How are you?", "Well"]
    assert message_with_text(chat, "Who are you?").parent_seq == message_with_text(chat, "How are you?").parent_seq


def test_an_edited_first_message_starts_a_branch_without_the_old_replies(chat: Conversation) -> None:
    send(chat, [message_draft("Good evening"), *history_of(chat)[1:]])
    assert chat.last_seq == 8
    assert message_with_text(chat, "Good evening").parent_seq is None


def test_returning_to_an_older_branch_reuses_its_messages(chat: Conversation) -> None:
    older = history_of(chat)
    newer = [*older[:2], message_draft("Who are you?"), message_draft("A program", "assistant")]
    send(chat, newer)
    for drafts in (older, newer, older):
        send(chat, drafts)
        assert active_texts(chat) == [draft["content"] for draft in drafts]
    assert chat.last_seq == 6


def test_the_active_one_of_equal_messages_is_matched(chat: Conversation) -> None:
    second = branches.branch(user=chat.user, message_id=message_with_text(chat, "Well").id, changes={})
    branches.switch(user=chat.user, conversation_id=chat.id, message_id=chat.messages.get(seq=4).id)
    chat.refresh_from_db()
    assert writes_nothing(chat, dialogue("Hi", "Hello", "How are you?", "Well"))
    assert second.seq == 5


def test_the_active_one_of_equal_messages_is_matched_even_if_it_has_an_external_id(alice: User) -> None:
    chat = create_conversation(alice, "Hi")
    messages.append(
        user=alice, conversation_id=chat.id, drafts=[message_draft("Hello", "assistant", external_id="named")]
    )
    branches.branch(user=alice, message_id=message_with_text(chat, "Hello").id, changes={})
    branches.switch(user=alice, conversation_id=chat.id, message_id=chat.messages.get(external_id="named").id)
    chat.refresh_from_db()
    assert writes_nothing(chat, dialogue("Hi", "Hello"))


def test_an_id_selects_one_of_equal_messages(chat: Conversation) -> None:
    second = branches.branch(user=chat.user, message_id=message_with_text(chat, "Well").id, changes={})
    first = chat.messages.get(seq=4)
    for meant in (first, second):
        send(chat, [*history_of(chat)[:3], message_draft("Well", "assistant", id=meant.id)])
        assert chat.tip_seq == meant.seq
    assert chat.last_seq == 5


# External ids and server ids


def test_autosave_of_a_growing_reply_keeps_one_row(chat: Conversation) -> None:
    drafts = [*history_of(chat), message_draft("Tell me")]
    for text in ("", "On", "Once", "Once upon", "Once upon a time"):
        send(chat, [*drafts, message_draft(text, "assistant", external_id="r1")])
        assert writes_nothing(chat, [*drafts, message_draft(text, "assistant", external_id="r1")])
    assert (texts(chat)[4:], chat.preview) == (["Tell me", "Once upon a time"], "Once upon a time")


def test_a_longer_text_without_an_id_is_a_new_message(chat: Conversation) -> None:
    """Without an id, nothing says that the longer text is the same message."""
    send(chat, dialogue("Hi", "Hello", "How are you?", "Well, thanks"))
    assert texts(chat)[3:] == ["Well", "Well, thanks"]


def test_a_rewritten_reply_is_a_new_message(chat: Conversation) -> None:
    drafts = [*history_of(chat), message_draft("Tell me")]
    send(chat, [*drafts, message_draft("Once", "assistant", external_id="r1")])
    send(chat, [*drafts, message_draft("Twice", "assistant", external_id="r1")])
    assert texts(chat)[5:] == ["Once", "Twice"]
    assert message_with_text(chat, "Twice").external_id == "r1"
    assert message_with_text(chat, "Once").external_id is None


def test_a_longer_text_of_a_message_with_children_is_a_new_message(chat: Conversation) -> None:
    drafts = history_of(chat)
    drafts[2]["content"] += " Today?"
    send(chat, drafts)
    assert texts(chat)[2:] == ["How are you?", "Well", "How are you? Today?", "Well"]


def test_tool_calls_of_a_streamed_reply_are_extended_in_place(chat: Conversation) -> None:
    def call(*arguments: str) -> Draft:
        calls = [{"id": f"c{index}", "arguments": text} for index, text in enumerate(arguments)]
        return message_draft(None, "assistant", external_id="r1", tool_calls=calls)

    drafts = [*history_of(chat), message_draft("What time is it?")]
    for arguments in (("{",), ("{}",), ("{}", "{")):
        send(chat, [*drafts, call(*arguments)])
    assert chat.last_seq == 6
    assert len(chat.messages.get(seq=6).tool_calls) == 2


@pytest.mark.parametrize("field", ["parts", "tool_calls"])
def test_a_message_without_text_is_not_overwritten(chat: Conversation, field: str) -> None:
    drafts = history_of(chat)
    send(chat, [*drafts, message_draft(None, external_id="u3", **{field: [{"type": "image", "url": "cat"}]})])
    send(chat, [*drafts, message_draft(None, external_id="u3", **{field: [{"type": "image", "url": "dog"}]})])
    assert [getattr(row, field) for row in chat.messages.filter(seq__gt=4).order_by("seq")] == [
        [{"type": "image", "url": "cat"}],
        [{"type": "image", "url": "dog"}],
    ]


def test_an_external_id_belongs_to_the_newest_message_that_was_sent_with_it(chat: Conversation) -> None:
    send(chat, [message_draft(text, external_id=id) for text, id in (("Hi", "a"), ("Hello", "b"))])
    send(chat, [message_draft(text, external_id=id) for text, id in (("Good day", "a"), ("Hello", "b"))])
    holders = dict(chat.messages.exclude(external_id=None).values_list("external_id", "seq"))
    assert holders == {"a": chat.last_seq - 1, "b": chat.last_seq}


def test_an_external_id_can_move_to_another_message_of_the_history(chat: Conversation) -> None:
    drafts = [draft | {"external_id": id} for draft, id in zip(history_of(chat), "abcd", strict=True)]
    send(chat, drafts)
    swapped = [draft | {"external_id": id} for draft, id in zip(drafts, "badc", strict=True)]
    send(chat, swapped)
    assert list(chat.messages.shown().values_list("external_id", flat=True)) == ["b", "a", "d", "c"]
    assert chat.last_seq == 4
    assert writes_nothing(chat, swapped)


def test_a_server_id_sent_as_an_external_id_is_not_stored_as_one(chat: Conversation) -> None:
    send(chat, [*history_of(chat), message_draft("Good")])
    assert not chat.messages.exclude(external_id=None).exists()


def test_the_server_id_of_another_message_is_not_stored_as_an_external_id(alice: User) -> None:
    """Otherwise two messages would have the same id in the response."""
    chat = create_conversation(alice, "again", "ok", "again", "fine")
    first, ok, second, fine = history_of(chat)
    send(chat, [second, fine])
    assert writes_nothing(chat, [second, fine])
    send(chat, [second, fine, first, ok])
    for leaf in chat.messages.filter(seq__in=(4, chat.last_seq)):
        branches.switch(user=alice, conversation_id=chat.id, message_id=leaf.id)
        chat.refresh_from_db()
        assert writes_nothing(chat, history_of(chat))


def test_a_message_whose_id_was_taken_cannot_be_restored(chat: Conversation) -> None:
    drafts = history_of(chat)
    hello = message_with_text(chat, "Hello")
    messages.trash(user=chat.user, message_id=hello.id)
    send(chat, drafts)  # from a browser tab that still shows the message
    with pytest.raises(Conflict):
        messages.restore(user=chat.user, message_id=hello.id)
    assert writes_nothing(chat, history_of(chat))


def test_two_messages_with_one_id_are_refused(chat: Conversation) -> None:
    before = stored_rows(chat)
    with pytest.raises(Invalid, match="'x'"):
        send(chat, [message_draft("a", external_id="x"), message_draft("b", external_id="x")])
    assert stored_rows(chat) == before


def test_an_empty_message_is_refused_and_rolls_back_the_others(chat: Conversation) -> None:
    before = stored_rows(chat)
    with pytest.raises(Invalid):
        send(chat, [*history_of(chat)[:2], message_draft("More"), message_draft(None, "assistant")])
    assert stored_rows(chat) == before


# System prompts


def test_an_edited_system_prompt_is_edited_in_place(alice: User) -> None:
    chat = create_conversation(alice)
    send(chat, [message_draft("Be brief.", "system"), *dialogue("Hi", "Hello")])
    edited = [message_draft("Be kind.", "developer"), *dialogue("Hi", "Hello")]
    send(chat, edited)
    assert texts(chat) == ["Be kind.", "Hi", "Hello"]
    assert writes_nothing(chat, edited)


def test_a_new_system_prompt_at_the_beginning_starts_a_branch(chat: Conversation) -> None:
    send(chat, [message_draft("Be kind.", "system"), *history_of(chat)])
    assert (chat.last_seq, chat.message_count) == (9, 5)


def test_a_system_prompt_of_a_hidden_branch_is_not_edited(alice: User) -> None:
    chat = create_conversation(alice)
    send(chat, [message_draft("Be brief.", "system"), *dialogue("Hi")])
    send(chat, dialogue("Hi"))
    send(chat, [message_draft("Be kind.", "system"), *dialogue("Hi")])
    assert texts(chat) == ["Be brief.", "Hi", "Hi", "Be kind.", "Hi"]


def test_a_user_message_never_edits_a_system_prompt(alice: User) -> None:
    chat = create_conversation(alice)
    send(chat, [message_draft("Be brief.", "system"), *dialogue("Hi", "Hello")])
    send(chat, dialogue("Hi", "Hello"))
    assert texts(chat) == ["Be brief.", "Hi", "Hello", "Hi", "Hello"]


# Messages that the client cannot see


def test_messages_that_a_contract_cannot_show_keep_their_place(with_tools: Conversation) -> None:
    assert writes_nothing(with_tools, history_of(with_tools, CONTRACT), profile=CONTRACT)
    send(with_tools, [*history_of(with_tools, CONTRACT), message_draft("Thanks")], profile=CONTRACT)
    assert active_texts(with_tools) == ["What time is it?", "Let me look.", "12:00", "Noon.", "Thanks"]


def test_a_regenerated_reply_is_a_child_of_the_tool_message(with_tools: Conversation) -> None:
    send(with_tools, [*history_of(with_tools, CONTRACT)[:2], message_draft("Twelve.", "assistant")], profile=CONTRACT)
    assert active_texts(with_tools) == ["What time is it?", "Let me look.", "12:00", "Twelve."]


def test_a_history_that_ends_before_an_invisible_message_keeps_that_message_active(with_tools: Conversation) -> None:
    """The client never saw the message, so it cannot mean to remove it."""
    drafts = history_of(with_tools, CONTRACT)[:2]
    send(with_tools, drafts, profile=CONTRACT)
    assert active_texts(with_tools) == ["What time is it?", "Let me look.", "12:00"]
    assert writes_nothing(with_tools, drafts, profile=CONTRACT)


def test_an_empty_history_keeps_an_invisible_message_at_the_beginning_active(alice: User) -> None:
    chat = create_conversation(alice)
    messages.append(
        user=alice,
        conversation_id=chat.id,
        drafts=[message_draft("{}", "tool"), message_draft("Hi"), message_draft("Ho", "assistant")],
    )
    send(chat, [], profile=CONTRACT)
    send(chat, [message_draft("Good day")], profile=CONTRACT)
    assert active_texts(chat) == ["{}", "Good day"]


def test_an_invisible_message_of_a_hidden_branch_stays_hidden(with_tools: Conversation) -> None:
    drafts = history_of(with_tools, CONTRACT)[:2]
    branches.branch(
        user=with_tools.user, message_id=message_with_text(with_tools, "12:00").id, changes={"role": "assistant"}
    )
    branches.switch(
        user=with_tools.user, conversation_id=with_tools.id, message_id=message_with_text(with_tools, "Noon.").id
    )
    messages.trash(user=with_tools.user, message_id=message_with_text(with_tools, "Noon.").id)
    messages.trash(user=with_tools.user, message_id=with_tools.messages.get(role="tool").id)
    send(with_tools, [*drafts, message_draft("Thanks")], profile=CONTRACT)
    assert active_texts(with_tools) == ["What time is it?", "Let me look.", "Thanks"]
    assert message_with_text(with_tools, "Thanks").parent_seq == 2


def test_a_history_matches_messages_below_a_trashed_one(chat: Conversation) -> None:
    messages.trash(user=chat.user, message_id=message_with_text(chat, "Hello").id)
    chat.refresh_from_db()
    assert writes_nothing(
        chat, [message_draft("Hi"), message_draft("How are you?"), message_draft("Well", "assistant")]
    )


def test_a_history_that_contains_a_trashed_message_stores_a_new_message_for_it(chat: Conversation) -> None:
    drafts = history_of(chat)
    hello = message_with_text(chat, "Hello")
    messages.trash(user=chat.user, message_id=hello.id)
    send(chat, drafts)
    assert active_texts(chat) == ["Hi", "Hello", "How are you?", "Well"]
    hello.refresh_from_db()
    assert hello.deleted_at is not None


def test_the_path_never_ends_with_a_trashed_message(chat: Conversation) -> None:
    messages.trash(user=chat.user, message_id=message_with_text(chat, "Hello").id)
    send(chat, [message_draft("Hi")])
    assert (chat.tip_seq, active_texts(chat)) == (1, ["Hi"])


def test_an_external_id_of_a_trashed_message_can_be_used_again(alice: User) -> None:
    chat = create_conversation(alice)
    send(chat, [message_draft("Hi", external_id="a")])
    trashed = message_with_text(chat, "Hi")
    messages.trash(user=alice, message_id=trashed.id)
    send(chat, [message_draft("Ho", external_id="a")])
    with pytest.raises(Conflict):
        messages.restore(user=alice, message_id=trashed.id)
    assert active_texts(chat) == ["Ho"]


# Permissions and statement counts


def test_sync_raises_not_found_for_a_stranger(chat: Conversation, bob: User) -> None:
    before = stored_rows(chat)
    with pytest.raises(NotFound):
        sync(user=bob, conversation_id=chat.id, drafts=[])
    assert stored_rows(chat) == before
    sync(user=chat.user, conversation_id=chat.id, drafts=[])


@pytest.mark.parametrize("length", [10, 1_000])
def test_an_unchanged_history_of_any_length_runs_two_statements(alice: User, length: int) -> None:
    chat = create_conversation(alice, *map(str, range(length)))
    drafts = history_of(chat)
    with executed_statements() as statements:
        sync(user=alice, conversation_id=chat.id, drafts=drafts)
    assert statements == STATEMENTS_WITHOUT_CHANGES


@pytest.mark.parametrize("more", [1, 200])
def test_a_branch_of_any_length_runs_the_same_statements(alice: User, more: int) -> None:
    chat = create_conversation(alice, "Hi", "Hello")
    drafts = [message_draft("Ho", external_id="u"), *dialogue(*map(str, range(more)))]
    with executed_statements() as statements:
        sync(user=alice, conversation_id=chat.id, drafts=drafts)
    assert statements.count("COPY") == 1
    assert len(statements) <= 8


def test_two_tabs_that_send_different_histories_in_turn_lose_no_message(chat: Conversation) -> None:
    common = history_of(chat)
    ours = [*common, message_draft("Ours", external_id="x")]
    theirs = [*common, message_draft("Theirs", external_id="y")]
    for drafts in (ours, theirs, ours, theirs):
        send(chat, drafts)
        assert active_texts(chat)[4:] == [drafts[4]["content"]]
    assert Message.objects.filter(conversation=chat).live().count() == 6
