"""Histories of clients that send all messages each time, but no id of the conversation."""

from typing import Any

import pytest

from accounts.models import User
from conversations.models import Conversation, Message
from conversations.services import conversations, messages
from conversations.services.histories import continue_history
from testing.cast import active_texts, dialogue, message_draft
from testing.parallel import run_concurrently, run_while_locked

FIELDS = {"source": "chat_history"}


def send(user: User, *texts: str) -> Message:
    """Send a dialogue whose last text is a question."""
    return continue_history(user=user, drafts=dialogue(*texts), fields=FIELDS)


def answer(question: Message, text: str) -> None:
    draft = message_draft(text) | {"role": "assistant"}
    messages.append(user=question.user, conversation_id=question.conversation_id, drafts=[draft])


def test_a_question_without_an_answer_is_not_stored_again(alice: User) -> None:
    first = send(alice, "One")
    assert send(alice, "One") == first
    answer(first, "1")
    second = send(alice, "One", "1", "Two")
    assert send(alice, "One", "1", "Two") == second
    assert active_texts(second.conversation) == ["One", "1", "Two"]


@pytest.mark.django_db(transaction=True)
def test_the_same_history_sent_by_parallel_requests_is_stored_once(alice: User) -> None:
    answer(send(alice, "One"), "1")
    questions = run_concurrently(*[lambda: send(alice, "One", "1", "Two")] * 4)
    assert len({question.id for question in questions}) == 1
    assert Conversation.objects.count() == 1 and Message.objects.count() == 3


def test_the_most_recently_active_of_equal_conversations_is_continued(alice: User) -> None:
    old = send(alice, "One")
    answer(old, "1")
    new = send(alice, "One")
    answer(new, "1")
    assert send(alice, "One", "1", "Two").conversation_id == new.conversation_id


def test_a_history_continues_its_conversation_behind_many_others_of_the_same_length(alice: User) -> None:
    first = send(alice, "Question 0")
    answer(first, "Answer")
    for index in range(1, 30):
        answer(send(alice, f"Question {index}"), "Answer")
    question = send(alice, "Question 0", "Answer", "Two")
    assert question.conversation_id == first.conversation_id
    assert active_texts(question.conversation) == ["Question 0", "Answer", "Two"]


@pytest.mark.parametrize("other", [("Other", "Answer"), ("One", "Other"), ("One",), ("One", "Answer", "More", "Text")])
def test_a_conversation_that_displays_something_else_is_not_continued(alice: User, other: tuple[str, ...]) -> None:
    conversations.create(user=alice, fields=FIELDS, drafts=dialogue(*other))
    question = send(alice, "One", "Answer", "Two")
    assert active_texts(question.conversation) == ["One", "Answer", "Two"]
    assert Conversation.objects.count() == 2


def test_conversations_of_other_users_and_sources_are_not_continued(alice: User, bob: User) -> None:
    for user, source in ((bob, "chat_history"), (alice, "native")):
        conversations.create(user=user, fields={"source": source}, drafts=dialogue("One", "Answer"))
    send(alice, "One", "Answer", "Two")
    assert Conversation.objects.count() == 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("change", ["append", "trash"])
def test_a_conversation_that_changes_during_the_search_is_not_continued(alice: User, change: str) -> None:
    found = send(alice, "One")
    answer(found, "1")
    changes: dict[str, Any] = {
        "append": lambda: answer(found, "More"),
        "trash": lambda: conversations.trash(user=alice, conversation_id=found.conversation_id),
    }
    question = run_while_locked(changes[change], lambda: send(alice, "One", "1", "Two"))
    assert question.role == "user" and question.conversation_id != found.conversation_id
    assert active_texts(question.conversation) == ["One", "1", "Two"]
