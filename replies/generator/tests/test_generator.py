"""What a generator stores of what a provider streams."""

import json
from typing import Any

import pytest
from django.utils import timezone

from replies.following import Follower, wait
from replies.models import Reply, State
from replies.services import finish
from testing import scripted
from testing.generator import generator, generator_thread
from testing.replies import announce, ask, log_of, message_of, stop
from testing.scripted import script

__all__ = ["generator", "generator_thread"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("generator")]
TIMEOUT = 20


@pytest.fixture(autouse=True)
def scripted_model(settings: Any) -> None:
    settings.MODELS = {"scripted": scripted.ROUTE}


def end_of(reply: Reply) -> dict[str, Any]:
    """Wait for the end of the reply, and return the data of its last event."""
    wait(reply.id, TIMEOUT)
    n, event, data = log_of(reply)[-1]
    assert event == "end"
    found: dict[str, Any] = json.loads(data)
    return found


def test_a_reply_is_logged_and_stored_in_its_message() -> None:
    reply = ask(script("Hel", "lo", ["finish", "stop", 3, 2]))
    assert wait(reply.id, TIMEOUT) == State.COMPLETED
    message = message_of(reply)
    assert (message.content, message.status, message.finish_reason) == ("Hello", "completed", "stop")
    assert (message.prompt_tokens, message.completion_tokens, message.error) == (3, 2, "")
    assert message.metadata.keys() == {"answers", "first_token_ms", "duration_ms"}
    conversation = message.conversation
    assert (conversation.preview, conversation.message_count) == ("Hello", 2)
    assert (conversation.prompt_tokens, conversation.completion_tokens) == (3, 2)
    reply.refresh_from_db()
    assert (reply.state, reply.tokens, reply.attempts) == (State.COMPLETED, 5, 1)
    assert reply.ended_at


def test_the_log_begins_with_start_and_ends_with_end_without_gaps() -> None:
    reply = ask(script(["repeat", 20, "word ", 0.01]))
    end = end_of(reply)
    log = log_of(reply)
    assert [n for n, _, _ in log] == list(range(1, len(log) + 1))
    start = json.loads(log[0][2])
    message = message_of(reply)
    assert start == {
        "conversation_id": str(message.conversation_id),
        "question_id": message.metadata["answers"],
        "message_id": str(message.id),
        "model": "scripted",
    }
    assert "".join(json.loads(data)["text"] for _, event, data in log if event == "text") == "word " * 20
    assert len(log) < 20  # adjacent deltas share an event
    assert end["status"] == "completed" and end["usage"] == {"prompt_tokens": 7, "completion_tokens": 2}
    assert [tuple(logged) for logged in Follower(reply.id)] == log


def test_reasoning_refusals_and_tool_calls_are_assembled() -> None:
    steps = [
        ["reasoning", "Let me "],
        ["reasoning", "think."],
        ["tool_call", 0, "call_1", "weather", '{"city": '],
        ["tool_call", 1, "call_2", "time", "{}"],
        ["tool_call", 0, "", "", '"Rome"}'],
        ["refusal", "No "],
        ["refusal", "way."],
        ["finish", "tool_calls"],
    ]
    reply = ask(script(*steps))
    end_of(reply)
    message = message_of(reply)
    assert message.reasoning == "Let me think."
    assert message.tool_calls == [
        {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Rome"}'}},
        {"id": "call_2", "type": "function", "function": {"name": "time", "arguments": "{}"}},
    ]
    assert message.parts == [{"type": "refusal", "refusal": "No way."}]
    assert message.content is None


def test_a_provider_that_fails_at_once_leaves_a_failed_reply_with_a_reason() -> None:
    reply = ask(script(["fail", "The model is asleep."]))
    end = end_of(reply)
    assert (end["status"], end["error"]) == ("failed", {"code": "upstream_failed", "message": "The model is asleep."})
    message = message_of(reply)
    assert (message.status, message.error, message.content) == ("failed", "The model is asleep.", "")


@pytest.mark.parametrize("failure", [["fail", "Out of memory."], ["break off"], ["crash"]])
def test_a_provider_that_fails_after_some_text_leaves_an_incomplete_reply_with_this_text(failure: list[str]) -> None:
    reply = ask(script("Once upon", failure))
    end = end_of(reply)
    assert end["status"] == "incomplete" and end["error"]["code"] == "upstream_failed"
    message = message_of(reply)
    assert (message.status, message.content) == ("incomplete", "Once upon")
    assert message.error == ("Out of memory." if failure[0] == "fail" else "The model did not send a complete answer.")


def test_a_reply_ends_at_the_total_deadline(settings: Any) -> None:
    settings.REPLY_TIMEOUT = 0.1
    end = end_of(ask(script("Once", ["stall"])))
    assert end["status"] == "incomplete" and end["error"]["code"] == "timeout"


def test_a_reply_without_text_fails_at_the_total_deadline(settings: Any) -> None:
    settings.REPLY_TIMEOUT = 0.1
    reply = ask(script(["stall"]))
    end = end_of(reply)
    assert end["status"] == message_of(reply).status == "failed" and end["error"]["code"] == "timeout"


def test_a_reply_is_stopped_by_a_notification() -> None:
    reply = ask(script("Once", ["stall"]))
    for logged in Follower(reply.id).until(TIMEOUT):
        if logged.event == "text":
            stop(reply)
    message = message_of(reply)
    assert (message.content, message.status, message.finish_reason) == ("Once", "incomplete", "stopped")
    assert Reply.objects.get(id=reply.id).state == State.STOPPED


def test_a_reply_is_stopped_even_if_the_notification_is_lost() -> None:
    reply = ask(script("Once", ["stall"]))
    Reply.objects.filter(id=reply.id).update(stop_asked=True)
    assert wait(reply.id, TIMEOUT) == State.STOPPED


def wait_for_text(reply: Reply) -> None:
    next(logged for logged in Follower(reply.id).until(TIMEOUT) if logged.event == "text")


def test_a_reply_without_reported_usage_counts_an_estimate_however_it_ends(settings: Any) -> None:
    settings.REPLY_TIMEOUT = 0.5
    scripts = [["stall"], ["break off"], ["fail", "reason"], ["crash"], ["finish", "stop", None, None]]
    replies = [ask(script("x" * 400, end)) for end in scripts]
    for reply in replies:
        question = len(message_of(reply).conversation.messages.get(role="user").content or "")
        wait(reply.id, TIMEOUT)
        reply.refresh_from_db()
        assert reply.tokens == 4 + question // 4 + 100
        assert (message_of(reply).prompt_tokens, message_of(reply).completion_tokens) == (None, None)


def test_a_stopped_reply_counts_its_prompt_and_what_it_has_said() -> None:
    reply = ask(script("x" * 400, ["stall"]))
    wait_for_text(reply)
    stop(reply)
    assert wait(reply.id, TIMEOUT) == State.STOPPED
    reply.refresh_from_db()
    assert reply.tokens == 4 + len(script("x" * 400, ["stall"])) // 4 + 100


def test_a_reply_that_no_provider_got_counts_nothing(settings: Any) -> None:
    settings.MODELS |= {"away": {"kind": "openai", "base_url": "http://127.0.0.1:9/v1", "model": "m"}}
    for model in ("away", "gone"):
        reply = ask("Hello", model=model)
        assert end_of(reply)["status"] == "failed"
        reply.refresh_from_db()
        assert reply.tokens == 0


def test_a_reply_that_grows_without_end_is_cut(settings: Any) -> None:
    settings.CONTENT_LIMIT = 1_000
    reply = ask(script(["repeat", 1_000_000, "x" * 100, 0]))
    end = end_of(reply)
    assert (end["status"], end["finish_reason"], end["error"]["code"]) == ("incomplete", "length", "too_long")
    assert len(message_of(reply).content or "") == 1_100


def test_characters_that_postgresql_cannot_store_are_replaced() -> None:
    reply = ask(script("a\0b\ud800c", ["tool_call", 0, "1", "f\0", "{}"]))
    assert end_of(reply)["status"] == "completed"
    assert message_of(reply).content == "a\N{REPLACEMENT CHARACTER}b?c"


def test_a_reply_that_cannot_be_stored_is_closed_with_the_content_of_its_log() -> None:
    reply = ask(script("Fine.", 0.1, ["finish", "stop", 10**12, 1]))  # the number does not fit into the column
    assert end_of(reply)["status"] == "incomplete"
    assert message_of(reply).content == "Fine."


def test_replies_that_cannot_be_closed_at_first_are_closed_later(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: Any) -> None:
        raise ValueError

    with monkeypatch.context() as patch:
        patch.setattr(finish, "finish_all", fail)
        patch.setattr(finish, "close_running", fail)
        replies = [ask(script("One", 0.1)), ask(script("Two", 0.1))]
        assert [wait(reply.id, TIMEOUT) for reply in replies] == [State.INCOMPLETE] * 2
    assert [message_of(reply).content for reply in replies] == ["One", "Two"]


def test_a_reply_without_a_message_has_a_log_only(alice: Any) -> None:
    request = {"model": "scripted", "options": {}, "messages": [{"role": "user", "content": script("Hi", 0.05, "!")}]}
    reply = Reply.objects.create(user=alice, request=request, created_at=timezone.now())
    announce("reply_queued")
    assert wait(reply.id, TIMEOUT) == State.COMPLETED
    assert [event for _, event, _ in log_of(reply)] == ["start", "text", "text", "end"]
    assert json.loads(log_of(reply)[0][2])["message_id"] is None


def test_errors_are_in_the_language_of_the_user_who_asked() -> None:
    reply = ask(script("Es war", ["break off"]), language="de")
    assert end_of(reply)["error"]["message"] == "Das Modell hat keine vollständige Antwort gesendet."


def test_a_reply_whose_conversation_is_in_the_trash_is_completed_there() -> None:
    reply = ask(script("Hello", 0.3))
    conversation = message_of(reply).conversation
    conversation.deleted_at = conversation.created_at
    conversation.save()
    assert wait(reply.id, TIMEOUT) == State.COMPLETED
    assert message_of(reply).content == "Hello"


def test_a_generator_takes_no_more_replies_than_it_may_carry(settings: Any) -> None:
    settings.REPLIES_AT_ONCE = 2
    replies = [ask(script("a", ["stall"])) for _ in range(3)]
    first, second, third = replies
    for reply in (first, second):
        next(logged for logged in Follower(reply.id).until(TIMEOUT) if logged.event == "text")
    assert Reply.objects.get(id=third.id).state == State.QUEUED
    stop(first)
    next(logged for logged in Follower(third.id).until(TIMEOUT) if logged.event == "text")
    for reply in (second, third):
        stop(reply)
        wait(reply.id, TIMEOUT)
