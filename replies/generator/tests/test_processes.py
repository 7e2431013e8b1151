"""`manage.py replies` as processes that are killed, stopped, cut off and doubled."""

import json
import os
import signal
import time
from typing import Any

import pytest

from chatstore.ids import new_id
from replies.following import Follower, wait
from replies.models import Event, Reply, State
from replies.services import janitor
from testing import scratch, scripted
from testing.generator import QUICK, process, running
from testing.replies import ask, has_ended, log_of, message_of
from testing.scripted import script

pytestmark = pytest.mark.django_db(transaction=True)
TIMEOUT = 20
TALK = script(["repeat", 10_000, "word ", 0.01])


@pytest.fixture(autouse=True)
def scripted_model(settings: Any) -> None:
    settings.MODELS = {"scripted": scripted.ROUTE}


def wait_for_text(reply: Reply, length: int = 1) -> None:
    """Wait until the log of the reply has so many characters."""
    found = 0
    for logged in Follower(reply.id).until(TIMEOUT):
        if logged.event == "text":
            found += len(json.loads(logged.data)["text"])
        if found >= length:
            return


def logged_text(reply: Reply) -> str:
    return "".join(json.loads(data)["text"] for _, event, data in log_of(reply) if event == "text")


def assert_one_end(reply: Reply, status: str) -> None:
    log = log_of(reply)
    assert [n for n, _, _ in log] == list(range(1, len(log) + 1))
    assert [event for _, event, _ in log].count("end") == 1
    assert log[-1][1] == "end" and json.loads(log[-1][2])["status"] == status


def test_the_replies_of_a_killed_process_are_closed_with_the_text_of_their_logs_or_begun_anew() -> None:
    with process() as child:
        talking, silent = ask(TALK), ask(script(0.8, "Hello"))
        wait_for_text(talking, 100)
        assert Reply.objects.get(id=silent.id).state == State.RUNNING
        child.kill()
        child.wait()
    text = logged_text(talking)
    with running():
        assert wait(talking.id, TIMEOUT) == State.INCOMPLETE
        assert wait(silent.id, TIMEOUT) == State.COMPLETED
    message = message_of(talking)
    assert (message.content, message.status) == (text, "incomplete")
    assert message.error.startswith("The service was interrupted while the model answered.")
    assert_one_end(talking, "incomplete")
    assert message_of(silent).content == "Hello"
    assert Reply.objects.get(id=silent.id).attempts == 2
    assert [event for _, event, _ in log_of(silent)] == ["start", "text", "end"]


def test_a_reply_whose_process_ended_three_times_before_it_said_anything_fails() -> None:
    reply = ask("Hello")
    Reply.objects.filter(id=reply.id).update(state=State.RUNNING, worker=new_id(), attempts=3)
    with running():
        assert wait(reply.id, TIMEOUT) == State.FAILED
    assert message_of(reply).error == "The service was interrupted 3 times before the model answered."
    assert_one_end(reply, "failed")


def test_a_process_that_replaces_another_closes_its_replies_at_once() -> None:
    with running() as generator:
        reply = ask(TALK)
        wait_for_text(reply)
        assert janitor.close_left_by(generator.worker) == 1
        assert_one_end(reply, "incomplete")


def test_a_reply_that_was_claimed_over_a_broken_connection_is_begun_anew() -> None:
    with running() as generator:
        lost = ask("Hello")
        wait(lost.id, TIMEOUT)
        Event.objects.filter(reply_id=lost.id).delete()
        Reply.objects.filter(id=lost.id).update(state=State.RUNNING, worker=generator.worker, attempts=1)
        scratch.wait_until(lambda: Reply.objects.get(id=lost.id).attempts == 2)
        assert wait(lost.id, TIMEOUT) == State.COMPLETED


def test_sigterm_closes_all_replies_with_all_of_their_text_within_a_second() -> None:
    with process() as child:
        replies = [ask(TALK) for _ in range(50)]
        for reply in replies:
            wait_for_text(reply)
        child.terminate()
        asked = time.monotonic()
        scratch.wait_until(lambda: all(map(has_ended, replies)))
        assert time.monotonic() - asked < 3  # on a busy machine
        assert child.wait(TIMEOUT) == 0
    for reply in replies:
        assert_one_end(reply, "incomplete")
        assert message_of(reply).content == logged_text(reply)
        assert message_of(reply).status == "incomplete"


def test_sigterm_closes_a_reply_without_text_as_failed_so_that_a_retry_asks_again() -> None:
    with process() as child:
        reply = ask(script(["stall"]))
        scratch.wait_until(lambda: Reply.objects.get(id=reply.id).state == State.RUNNING)
        child.terminate()
        assert child.wait(TIMEOUT) == 0
    assert_one_end(reply, "failed")
    assert message_of(reply).status == "failed"
    assert "interrupted" in message_of(reply).error


def test_a_stopped_process_that_goes_on_writes_nothing_more() -> None:
    with process() as child:
        replies = [ask(script(["repeat", 300, "word ", 0.01])) for _ in range(5)]
        for reply in replies:
            wait_for_text(reply)
        silent = ask(script(1.0, ["repeat", 5, "word ", 0.01]))
        scratch.wait_until(lambda: Reply.objects.get(id=silent.id).state == State.RUNNING)
        os.kill(child.pid, signal.SIGSTOP)
        time.sleep(QUICK.dead_after)
        while janitor.close_dead(QUICK.dead_after):
            pass
        assert [Reply.objects.get(id=reply.id).state for reply in replies] == [State.INCOMPLETE] * 5
        assert Reply.objects.get(id=silent.id).state == State.QUEUED
        before = [(log_of(reply), message_of(reply).content) for reply in replies]
        os.kill(child.pid, signal.SIGCONT)
        # It takes its own reply again. The text of the first attempt, which goes on as well, is not mixed in.
        assert wait(silent.id, TIMEOUT) == State.COMPLETED
        assert message_of(silent).content == "word " * 5 == logged_text(silent)
        assert_one_end(silent, "completed")
        time.sleep(0.5)
        child.terminate()
        assert child.wait(TIMEOUT) == 0
    assert [(log_of(reply), message_of(reply).content) for reply in replies] == before


def test_two_generators_share_the_queue_and_generate_each_reply_once(settings: Any) -> None:
    settings.REPLIES_AT_ONCE = 3
    replies = [ask(script("Hel", 0.05, "lo")) for _ in range(30)]
    with running(), running():
        for reply in replies:
            assert wait(reply.id, TIMEOUT) == State.COMPLETED
    assert {message_of(reply).content for reply in replies} == {"Hello"}
    assert {row.attempts for row in Reply.objects.all()} == {1}
    assert len({row.worker for row in Reply.objects.all()}) == 2
    for reply in replies:
        assert_one_end(reply, "completed")
