"""What housekeeping and other generators do with the replies of lost processes, and with old ones."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts.models import User
from conversations.services import answers, conversations, erase
from replies.events import Content, Logged
from replies.models import Event, Reply, State, Worker
from replies.providers.deltas import Finish, Text
from replies.services import finish, janitor
from replies.services.finish import Closing, Ending, Times
from testing.parallel import repeat, run_concurrently
from testing.replies import ask, log_of, message_of

pytestmark = pytest.mark.django_db(transaction=True)


def run_by(seconds_ago: float, *texts: str, **fields: Any) -> Reply:
    """Return a reply whose process has shown a sign of life so many seconds ago, and that has said these texts."""
    reply = ask("Hello")
    worker = Worker.objects.create(seen_at=timezone.now() - timedelta(seconds=seconds_ago))
    Reply.objects.filter(id=reply.id).update(state=State.RUNNING, worker=worker.id, attempts=1, **fields)
    events = [("start", "{}"), *(("text", json.dumps({"text": text})) for text in texts)]
    Event.objects.bulk_create(
        [Event(reply=reply, n=n, event=event, data=data) for n, (event, data) in enumerate(events, 1)]
    )
    reply.refresh_from_db()
    return reply


def test_the_replies_of_a_process_that_is_not_seen_are_closed_and_those_of_others_go_on() -> None:
    dead, alive = run_by(11, "Hel", "lo"), run_by(5, "Hello")
    assert janitor.close_dead() == 1
    assert (message_of(dead).content, message_of(dead).status) == ("Hello", "incomplete")
    assert [event for _, event, _ in log_of(dead)] == ["start", "text", "text", "end"]
    assert message_of(alive).status == "in_progress"
    assert janitor.close_dead() == 0


def test_a_reply_of_a_lost_process_counts_its_prompt_and_its_log() -> None:
    reply = run_by(11, "x" * 400, tokens=30)  # the process stores the estimate of the prompt when it begins
    janitor.close_dead()
    reply.refresh_from_db()
    assert reply.tokens == 130


def test_a_process_without_any_sign_of_life_counts_as_dead() -> None:
    reply = run_by(0, "Hello")
    Worker.objects.all().delete()
    assert janitor.close_dead() == 1
    assert message_of(reply).content == "Hello"


def test_a_reply_that_cannot_be_closed_does_not_keep_others_open() -> None:
    broken, dead = run_by(11, "Hel"), run_by(11, "lo")
    Event.objects.filter(reply=broken, n=2).update(data="no JSON")
    assert janitor.close_dead() == 1
    assert (message_of(dead).content, message_of(dead).status) == ("lo", "incomplete")


def test_a_reply_that_has_said_nothing_is_queued_again() -> None:
    reply = run_by(11)
    assert janitor.close_dead() == 1
    reply.refresh_from_db()
    assert (reply.state, reply.worker, reply.attempts) == (State.QUEUED, None, 1)
    assert message_of(reply).status == "in_progress"


def test_a_reply_that_a_user_stopped_is_not_begun_anew() -> None:
    reply = run_by(11, stop_asked=True)
    janitor.close_dead()
    assert message_of(reply).finish_reason == "stopped"
    reply.refresh_from_db()
    assert reply.state == State.STOPPED


def test_several_processes_close_each_reply_once() -> None:
    replies = [run_by(11, "Hello") for _ in range(10)]
    assert sum(run_concurrently(*repeat(4, lambda _: janitor.close_dead()))) == 10
    for reply in replies:
        assert [event for _, event, _ in log_of(reply)].count("end") == 1


def test_a_reply_that_was_closed_is_not_finished_by_its_process() -> None:
    reply = run_by(11, "Hel")
    janitor.close_dead()
    before = log_of(reply), message_of(reply).content
    ending = Ending(State.COMPLETED, Finish("stop"))
    assert not finish.finish(reply, ending, Content(), [], Times())
    assert (log_of(reply), message_of(reply).content) == before


def test_a_queued_reply_is_stopped_at_once_but_not_one_that_runs() -> None:
    queued, running = ask("Hello"), run_by(0, "Hello")
    assert finish.close_queued(queued)
    assert not finish.close_queued(running)
    assert Reply.objects.get(id=queued.id).state == State.STOPPED
    assert [(n, event) for n, event, _ in log_of(queued)] == [(1, "end")]


def test_replies_that_no_process_takes_fail_after_a_minute_with_a_reason() -> None:
    old, new = ask("Hello"), ask("Hello")
    Reply.objects.filter(id=old.id).update(created_at=timezone.now() - timedelta(seconds=61))
    worker = Worker.objects.create(seen_at=timezone.now())
    assert janitor.close_waiting() == 0  # a process runs; it may have too much to do
    worker.delete()
    assert janitor.close_waiting() == 1
    assert message_of(old).status == "failed" and "manage.py replies" in message_of(old).error
    assert message_of(new).status == "in_progress"


def test_housekeeping_deletes_logs_after_minutes_and_replies_after_a_day() -> None:
    replies = [ask("Hello") for _ in range(4)]
    for reply, age in zip(replies, [0, 9, 11, 26 * 60], strict=True):
        finish.close_queued(reply)
        ended = timezone.now() - timedelta(minutes=age)
        Reply.objects.filter(id=reply.id).update(ended_at=ended)
    call_command("housekeeping")
    assert [len(log_of(reply)) for reply in replies] == [1, 1, 0, 0]
    assert set(Reply.objects.values_list("id", flat=True)) == {reply.id for reply in replies[:3]}


def test_a_reply_is_deleted_with_its_conversation_and_with_its_user() -> None:
    purged, erased = run_by(0, "Hello"), run_by(0, "Hello")
    conversation = message_of(purged).conversation
    conversations.trash(user=purged.user, conversation_id=conversation.id)
    conversations.purge(user=purged.user, conversation_id=conversation.id)
    erase.erase(user=erased.user)
    assert not User.objects.filter(id=erased.user_id).exists()
    assert (Reply.objects.count(), Event.objects.count()) == (0, 0)
    assert not finish.finish(purged, Ending(State.COMPLETED), Content(), [], Times())


def test_replies_finish_while_their_conversations_are_purged() -> None:
    replies = [run_by(0, "Hello") for _ in range(10)]

    def purge(index: int) -> None:
        user, id = replies[index].user, message_of(replies[index]).conversation_id
        conversations.trash(user=user, conversation_id=id)
        conversations.purge(user=user, conversation_id=id)

    def end(index: int) -> bool:
        return finish.finish(replies[index], Ending(State.COMPLETED), Content(), [], Times())

    run_concurrently(*repeat(10, purge), *repeat(10, end))
    assert Reply.objects.count() == 0


def test_an_answer_is_written_only_into_a_message_of_its_owner(bob: User) -> None:
    reply = ask("Hello")

    def changes(messages: Any) -> Any:
        assert messages == {}
        return {}

    answers.complete(owners={reply.id: bob.id}, changes=changes)


def test_replies_that_end_together_share_the_statements_of_one_transaction(django_assert_num_queries: Any) -> None:
    def close(count: int) -> None:
        replies = [run_by(0, "Hel") for _ in range(count)]
        rest = [Logged(3, "text", '{"text":"lo"}')]
        content = Content([Text("Hello")])
        closings = [Closing(reply, Ending(State.COMPLETED), lambda: content, rest) for reply in replies]
        # Two begin and end the transaction, one sets its limit. Two lock and read; three write, for any number of
        # replies. The last ones save the conversations.
        with django_assert_num_queries(8 + count):
            assert finish.finish_all(closings) == {reply.id for reply in replies}
        for reply in replies:
            assert message_of(reply).content == message_of(reply).conversation.preview == "Hello"
            assert [event for _, event, _ in log_of(reply)] == ["start", "text", "text", "end"]

    close(1)
    close(20)
