"""Clients change, save, trash and restore messages while a reply is under way."""

import json
from typing import Any

import pytest

from accounts.models import User
from conversations.drafts import REPLY_FIELDS
from conversations.models import Conversation, Message
from conversations.services import messages
from conversations.services.sync import sync
from replies.events import Content
from replies.models import Event, Reply, State
from replies.providers.deltas import Finish, Text
from replies.services import finish, stop
from replies.services.finish import Ending, Times
from testing.api_client import ApiClient
from testing.cast import active_texts, create_conversation, message_draft
from testing.replies import ask, message_of
from testing.sync_profiles import CONTRACT, NATIVE

WHOLE = "Hello, Alice."


@pytest.fixture
def reply(alice: User) -> Reply:
    """A reply under way that has said "Hello, "."""
    reply = ask("Hi", user=alice)
    Reply.objects.filter(id=reply.id).update(state=State.RUNNING, worker=reply.id, attempts=1)
    texts = [json.dumps({"text": text}) for text in ("Hel", "lo, ")]
    Event.objects.create(reply=reply, n=1, event="start", data="{}")
    for n, data in enumerate(texts, 2):
        Event.objects.create(reply=reply, n=n, event="text", data=data)
    reply.refresh_from_db()
    return reply


def end(reply: Reply) -> Message:
    finish.finish(reply, Ending(State.COMPLETED, Finish("stop", 1, 2)), Content([Text(WHOLE)]), [], Times(1, 2))
    return message_of(reply)


def chat_of(reply: Reply) -> Conversation:
    return Conversation.objects.get(id=message_of(reply).conversation_id)


def save(reply: Reply, profile: Any, *answers: Any) -> list[str | None]:
    """Save a history of the question and these messages, and return the displayed texts."""
    sync(
        user=reply.user,
        conversation_id=chat_of(reply).id,
        drafts=[message_draft("Hi", "user"), *answers],
        profile=profile,
    )
    return active_texts(chat_of(reply))


# --- Changes of the answer


@pytest.mark.parametrize(
    "change", [{"content": "Mine"}, {"parts": [{}]}, {"tool_calls": [{}]}, {"status": "completed"}, {"error": "x"}]
)
def test_what_the_reply_writes_cannot_be_changed_until_it_ends(
    change: dict[str, Any], reply: Reply, as_alice: ApiClient
) -> None:
    path = f"messages/{reply.id}/"
    assert "Stop it first" in str(as_alice("PATCH", path, change, status=409))
    assert message_of(reply).content == "" and change.keys() <= REPLY_FIELDS
    end(reply)
    as_alice("PATCH", path, change)


def test_other_fields_can_be_changed_and_the_changes_stay(reply: Reply, as_alice: ApiClient) -> None:
    changes = {"metadata": {"mine": 1}, "name": "Ada", "content": ""}  # the content does not change
    as_alice("PATCH", f"messages/{reply.id}/", changes)
    answer = end(reply)
    assert (answer.content, answer.name, answer.status) == (WHOLE, "Ada", "completed")
    assert answer.metadata == {"mine": 1, "first_token_ms": 1, "duration_ms": 2}


def test_a_stopped_reply_can_be_changed(reply: Reply, alice: User) -> None:
    Reply.objects.update(state=State.QUEUED)
    stop.stop(user=alice, conversation_id=chat_of(reply).id)
    messages.update(user=alice, message_id=reply.id, changes={"content": "Mine"})
    assert message_of(reply).content == "Mine"


def test_an_alternative_of_an_answer_that_is_being_written_is_independent(reply: Reply, as_alice: ApiClient) -> None:
    branch = as_alice("PATCH", f"messages/{reply.id}/?branch=true", {"content": "Mine"}, status=201)
    assert branch["status"] == "completed"
    assert end(reply).content == WHOLE
    assert active_texts(chat_of(reply)) == ["Hi", "Mine"]


def test_a_trashed_and_restored_answer_gets_its_text(reply: Reply, alice: User) -> None:
    messages.trash(user=alice, message_id=reply.id)
    messages.restore(user=alice, message_id=reply.id)
    messages.trash(user=alice, message_id=reply.id)
    end(reply)
    assert messages.restore(user=alice, message_id=reply.id).content == WHOLE
    assert active_texts(chat_of(reply)) == ["Hi", WHOLE]


# --- Whole histories


@pytest.mark.parametrize("profile", [NATIVE, CONTRACT])
@pytest.mark.parametrize("text", ["Hel", "Hello, "])
def test_the_saved_beginning_of_an_answer_is_the_same_message(profile: Any, text: str, reply: Reply) -> None:
    draft = message_draft(text, "assistant", external_id="a1", status="completed")
    for _ in range(2):
        assert save(reply, profile, draft) == ["Hi", ""]
    assert (message_of(reply).external_id, message_of(reply).status) == ("a1", "in_progress")
    end(reply)
    assert active_texts(chat_of(reply)) == ["Hi", WHOLE]
    assert save(reply, profile, message_draft(WHOLE, "assistant", external_id="a1")) == ["Hi", WHOLE]
    assert chat_of(reply).messages.count() == 2


@pytest.mark.parametrize("profile", [NATIVE, CONTRACT])
def test_another_saved_answer_is_kept_beside_the_one_that_is_being_written(profile: Any, reply: Reply) -> None:
    mine = message_draft("Mine", "assistant")
    assert save(reply, profile, mine) == ["Hi", "Mine"]
    end(reply)
    assert save(reply, profile, mine) == ["Hi", "Mine"]
    assert sorted(chat_of(reply).messages.values_list("content", flat=True)) == [WHOLE, "Hi", "Mine"]


@pytest.mark.parametrize("profile", [NATIVE, CONTRACT])
def test_a_history_without_the_answer_that_is_being_written_keeps_it(profile: Any, reply: Reply) -> None:
    assert save(reply, profile) == ["Hi", ""]
    assert save(reply, profile, message_draft("And?", "user")) == ["Hi", "", "And?"]
    assert save(reply, profile, message_draft("Hello", "assistant"), message_draft("And?", "user"))[-1] == "And?"
    end(reply)
    assert active_texts(chat_of(reply)) == ["Hi", WHOLE, "And?"]


def test_a_message_in_progress_that_no_reply_fills_can_be_changed(alice: User) -> None:
    chat = create_conversation(alice, "Hi")
    draft = message_draft("Hel", "assistant", status="in_progress")
    (stored,), _ = messages.append(user=alice, conversation_id=chat.id, drafts=[draft])
    messages.update(user=alice, message_id=stored.id, changes={"content": "Mine", "status": "completed"})
    assert active_texts(chat) == ["Hi", "Mine"]
