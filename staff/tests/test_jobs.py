"""Jobs: actions on all conversations that match, in batches outside of the web request."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import DataError, connection, transaction
from django.db.models import Count
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken, User
from accounts.services import create_token
from conversations.models import Conversation
from conversations.services import conversations
from staff.jobs import actions, creation, erasures, progress, runner
from staff.models import Action, AuditEvent, Job, JobState
from testing.admin import allow, audited, list_of, page_of
from testing.api_client import create_user
from testing.cast import create_conversation
from testing.parallel import run_concurrently
from testing.statements import executed_statements

MANY = 250


def create_many(user: User, count: int = MANY) -> None:
    times = dict.fromkeys(("created_at", "updated_at", "active_at"), timezone.now())
    rows = [Conversation(user=user, title=f"talk {number}", **times) for number in range(count)]
    Conversation.objects.bulk_create(rows)


def start(client: Client, action: str = "trash", query: str = "", **more: str) -> Job:
    """Send the form of the confirmation page for all that match, and return the job."""
    form = {"action": action, "select_across": "1", "confirmed": "yes", **more}
    answer = client.post(list_of(Conversation) + query, form)
    assert answer.status_code == 302, answer.status_code
    return Job.objects.latest("id")


def run(job: Job) -> Job:
    runner.run_due(lambda: False)
    job.refresh_from_db()
    return job


def counts(job: Job) -> tuple[str, int, int, int | None]:
    return (job.state, job.done, job.failed, job.total)


def events_per_conversation() -> set[int]:
    """Return how many events "moved to the trash" a conversation has. {1} says that each has one."""
    events = AuditEvent.objects.filter(action=Action.TRASH).values("object_id").annotate(count=Count("id"))
    return {row["count"] for row in events}


def let_lease_end() -> None:
    Job.objects.update(due_at=timezone.now() - timedelta(seconds=1))


@pytest.fixture
def curator(client: Client, sam: User) -> User:
    sam.groups.add(Group.objects.get(name="Curators"))
    client.force_login(sam)
    return sam


# --- What a job does ----------------------------------------------------------------------------------


def test_a_job_runs_in_batches_and_does_each_conversation_once(client: Client, curator: User, alice: User) -> None:
    create_many(alice)
    job = start(client)
    assert counts(job) == (JobState.WAITING, 0, 0, MANY) and Conversation.objects.live().count() == MANY
    assert counts(run(job)) == (JobState.DONE, MANY, 0, MANY)
    assert not Conversation.objects.live().exists()
    assert AuditEvent.objects.filter(action=Action.TRASH, actor=curator.pk, owner=alice.pk).count() == MANY
    assert events_per_conversation() == {1}
    event = AuditEvent.objects.filter(action=Action.TRASH).latest("id")
    assert (event.address, event.details) == ("127.0.0.1", {"job": str(job.pk)})


def test_only_the_conversations_that_match_the_filters_and_the_search_are_changed(
    client: Client, curator: User, alice: User, bob: User
) -> None:
    wanted = create_conversation(alice, "Hi", title="A trip to Oslo")
    create_conversation(alice, "Hi", title="Cake")
    create_conversation(bob, "Hi", title="A trip to Rome")
    job = start(client, query=f"?user={alice.pk}&q=trip&p=1")
    searches = AuditEvent.objects.filter(action=Action.SEARCH).count()
    assert counts(run(job)) == (JobState.DONE, 1, 0, 1)
    assert Conversation.objects.trashed().get() == wanted
    assert searches and AuditEvent.objects.filter(action=Action.SEARCH).count() == searches


def test_a_job_names_the_owner_by_id(client: Client, curator: User, alice: User) -> None:
    create_many(alice, 1)
    job = start(client, query="?user=Alice@example.com")
    assert job.query == f"user={alice.pk}", "an erasure could not remove the address from the job and its event"
    assert AuditEvent.objects.get(action=Action.START_JOB).details["filters"] == job.query


def test_a_conversation_that_is_created_later_is_left_alone(client: Client, curator: User, alice: User) -> None:
    create_conversation(alice, "Hi")
    job = start(client)
    later = create_conversation(alice, "Hi again")
    assert counts(run(job)) == (JobState.DONE, 1, 0, 1)
    assert Conversation.objects.live().get() == later


def test_a_conversation_that_does_not_match_any_more_is_left_alone(client: Client, curator: User, alice: User) -> None:
    kept = create_conversation(alice, "Hi")
    job = start(client, query="?state=live")
    conversations.update(user=alice, conversation_id=kept.pk, changes={"is_archived": True})
    assert counts(run(job)) == (JobState.DONE, 0, 0, 1)
    assert Conversation.objects.live().get() == kept


@pytest.mark.parametrize(
    ("action", "undo", "column", "value"),
    [
        ("archive", "unarchive", "archived_at", None),
        ("trash", "restore", "deleted_at", None),
        ("add_tag", "remove_tag", "tags", []),
    ],
)
def test_each_action_can_be_undone(
    action: str, undo: str, column: str, value: Any, client: Client, curator: User, alice: User
) -> None:
    conversation = create_conversation(alice, "Hi")
    tag = {"tag": "billing"} if "tag" in action else {}
    run(start(client, action, **tag))
    conversation.refresh_from_db()
    assert getattr(conversation, column) != value
    run(start(client, undo, **tag))
    conversation.refresh_from_db()
    assert getattr(conversation, column) == value


def test_a_refusal_of_a_service_is_counted_and_the_job_goes_on(client: Client, curator: User, alice: User) -> None:
    full, free = create_conversation(alice, "Hi"), create_conversation(alice, "Hi")
    Conversation.objects.filter(pk=full.pk).update(tags=[str(n) for n in range(settings.LABELS_LIMIT)])
    job = run(start(client, "add_tag", tag="billing"))
    assert counts(job) == (JobState.DONE, 1, 1, 2)
    assert job.errors == [[str(full.pk), f"A conversation can have at most {settings.LABELS_LIMIT} tags."]]
    assert audited(free) == [("change", {"fields": ["tags"], "job": str(job.pk)})] and audited(full) == []
    page = client.get(page_of(job)).text
    assert str(full.pk) in page and "at most" in page


def test_only_the_first_errors_are_stored(client: Client, curator: User, alice: User) -> None:
    create_many(alice, 30)
    Conversation.objects.update(tags=[str(n) for n in range(settings.LABELS_LIMIT)])
    job = run(start(client, "add_tag", tag="billing"))
    assert (job.failed, len(job.errors)) == (30, progress.MOST_ERRORS)


def test_a_batch_takes_few_statements_however_many_conversations_match(
    client: Client, curator: User, alice: User
) -> None:
    create_many(alice, 60)
    job = start(client)
    with executed_statements() as statements:
        run(job)
    assert len(statements) <= 60 * 4 + 30, "for each conversation: lock, change, event, progress"


# --- Killed, stopped and concurrent runners ------------------------------------------------------------


def start_runner() -> "subprocess.Popen[bytes]":
    """Run `manage.py jobs` on the database of the tests."""
    code = (
        "import django, os, sys; django.setup(); from django.db import connection;"
        f"connection.settings_dict['NAME'] = {connection.settings_dict['NAME']!r};"
        "from django.core.management import call_command; call_command('jobs')"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "chatstore.settings"}
    return subprocess.Popen([sys.executable, "-c", code], cwd=settings.BASE_DIR, env=environment)


def wait_until_begun(job: Job, done: int = 5) -> None:
    deadline = time.monotonic() + 60
    while Job.objects.get(pk=job.pk).done < done:
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.django_db(transaction=True)
def test_another_runner_finishes_the_job_of_a_killed_one_and_does_nothing_twice(
    client: Client, root: User, alice: User
) -> None:
    create_many(alice)
    job = start(client)
    process = start_runner()
    wait_until_begun(job)
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    job.refresh_from_db()
    assert job.state == JobState.RUNNING and 0 < job.done < MANY
    assert job.done == AuditEvent.objects.filter(action=Action.TRASH).count() == Conversation.objects.trashed().count()
    run(job)
    assert job.state == JobState.RUNNING, "the lease of the killed runner is not over"
    let_lease_end()
    assert counts(run(job)) == (JobState.DONE, MANY, 0, MANY)
    assert events_per_conversation() == {1} and Conversation.objects.trashed().count() == MANY


@pytest.mark.django_db(transaction=True)
def test_two_runners_at_the_same_time_do_each_conversation_once(client: Client, root: User, alice: User) -> None:
    create_many(alice, 60)
    jobs = [start(client, query="?state=live"), start(client, query="?state=live")]
    run_concurrently(*[lambda: runner.run_due(lambda: False)] * 3)
    for job in jobs:
        job.refresh_from_db()
        assert job.state == JobState.DONE
    assert sum(job.done for job in jobs) == 60 and events_per_conversation() == {1}


def test_a_runner_that_lost_its_job_changes_nothing(client: Client, root: User, alice: User) -> None:
    create_conversation(alice, "Hi")
    start(client)
    stopped = progress.claim()
    let_lease_end()
    assert stopped and progress.claim()
    runner.run_round(stopped)
    assert Conversation.objects.live().count() == 1 and not AuditEvent.objects.filter(action=Action.TRASH).exists()


def test_a_deletion_that_was_interrupted_is_finished_with_one_event(
    client: Client, root: User, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation = create_conversation(alice, "Hi")
    job = start(client, "purge")

    def crash(*args: Any, on_begin: Any, **options: Any) -> None:
        with transaction.atomic():
            on_begin()
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setitem(actions.ACTIONS, "purge", actions.ACTIONS["purge"]._replace(service=crash))
        with pytest.raises(KeyboardInterrupt):
            run(job)
    let_lease_end()
    assert counts(run(job)) == (JobState.DONE, 1, 0, 1)
    assert not Conversation.objects.exists()
    assert audited(conversation) == [("delete", {"job": str(job.pk)})]


def test_a_round_ends_and_the_next_one_continues(
    client: Client, root: User, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_many(alice, 5)
    first, second = start(client, "trash"), start(client, "archive")
    monkeypatch.setattr(runner, "ROUND", -1)
    calls = iter([False] * 4 + [True] * 10)
    runner.run_due(lambda: next(calls))
    states = set(Job.objects.values_list("state", "done"))
    assert states == {(JobState.RUNNING, 0)}, "both jobs got a round"
    monkeypatch.undo()
    assert run(second).state == run(first).state == JobState.DONE


@pytest.mark.parametrize("error", [ZeroDivisionError, DataError])
def test_an_unexpected_error_ends_the_job(
    error: type[Exception], client: Client, root: User, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_conversation(alice, "Hi")
    job = start(client)
    broken = actions.ACTIONS["trash"]._replace(service=Mock(side_effect=error))
    monkeypatch.setitem(actions.ACTIONS, "trash", broken)
    run(job)
    assert (job.state, job.error) == (JobState.FAILED, "An unexpected error. The log of the server describes it.")


# --- Rights and hostile input --------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["group", "staff", "active"])
def test_a_job_stops_if_the_person_loses_the_right(loss: str, client: Client, curator: User, alice: User) -> None:
    create_conversation(alice, "Hi")
    job = start(client)
    if loss == "group":
        curator.groups.clear()
    else:
        User.objects.filter(pk=curator.pk).update(**{f"is_{loss}": False})
    run(job)
    assert job.state == JobState.FAILED and "no right" in job.error
    assert Conversation.objects.live().count() == 1


def test_a_person_without_the_right_starts_no_job(client: Client, sam: User, alice: User) -> None:
    sam.groups.add(Group.objects.get(name="Support"))
    client.force_login(sam)
    for action in actions.ACTIONS:
        form = {"action": action, "select_across": "1", "confirmed": "yes", "tag": "x"}
        assert client.post(list_of(Conversation), form).status_code == 403
    assert not Job.objects.exists()


@pytest.mark.parametrize("query", ["?user__password__startswith=a", "?messages__content=a", "?q=%00"])
def test_filters_that_the_list_does_not_know_are_refused(query: str, client: Client, root: User, alice: User) -> None:
    create_conversation(alice, "Hi")
    form = {"action": "trash", "select_across": "1", "confirmed": "yes"}
    answer = client.post(list_of(Conversation) + query, form)
    assert answer.status_code == 400 or answer.url.endswith("?e=1")
    assert not Job.objects.exists()
    stored = Job.objects.create(actor=root, action="trash", query=query[1:])
    assert run(stored).state == JobState.FAILED and Conversation.objects.live().count() == 1


def test_a_filter_that_takes_too_long_ends_the_job(
    client: Client, root: User, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_conversation(alice, "Hi")
    job = start(client)
    monkeypatch.setattr("staff.jobs.selection.SECONDS", 0.01)
    slow = actions.ACTIONS["trash"]._replace(select=lambda rows, tag: rows.extra(where=["pg_sleep(1) IS NOT NULL"]))
    monkeypatch.setitem(actions.ACTIONS, "trash", slow)
    run(job)
    assert job.state == JobState.FAILED and "takes too long" in job.error


def test_a_job_of_another_person_cannot_be_seen_or_cancelled(client: Client, curator: User, bob: User) -> None:
    others = Job.objects.create(actor=bob, action="trash")
    assert list(client.get(list_of(Job)).context["cl"].result_list) == []
    assert client.get(page_of(others)).status_code == 302
    assert client.post(page_of(others, "cancel")).status_code == 404
    others.refresh_from_db()
    assert others.state == JobState.WAITING


# --- The pages ------------------------------------------------------------------------------------------


def test_a_page_asks_before_a_job_starts_and_says_how_many_conversations_match(
    client: Client, curator: User, alice: User
) -> None:
    create_many(alice, 120)
    page = client.get(list_of(Conversation)).text
    assert "all that match" in page
    answer = client.post(list_of(Conversation), {"action": "trash", "select_across": "1", "index": "0"})
    assert answer.status_code == 200 and "shows 120 conversations" in answer.text
    assert not Job.objects.exists() and Conversation.objects.live().count() == 120
    form = {"action": "trash", "select_across": "1", "confirmed": "yes", "job": answer.context["job"]}
    pages = {client.post(list_of(Conversation), form).url for _ in range(2)}
    assert pages == {page_of(Job.objects.get())}, "a form that is sent twice starts one job"


def test_the_number_of_conversations_that_match_is_bounded(
    client: Client, curator: User, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("staff.big_tables.COUNT_LIMIT", 110)
    create_many(alice, 120)
    answer = client.post(list_of(Conversation), {"action": "trash", "select_across": "1"})
    assert "shows many conversations" in answer.text
    job = start(client)
    assert "of many" in client.get(page_of(job)).text
    assert counts(run(job)) == (JobState.DONE, 120, 0, None)


def test_other_lists_have_no_action_on_all_rows(
    client: Client, root: User, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_token(user=alice, name="laptop")
    monkeypatch.setattr("staff.users.UserAdmin.list_per_page", 1)
    assert "that match" not in client.get(list_of(User)).text
    form = {"action": "delete_selected", "_selected_action": [1], "select_across": "1"}
    assert client.post(list_of(ApiToken), form).status_code == 403
    assert ApiToken.objects.count() == 1


def test_ticked_rows_are_changed_at_once(client: Client, curator: User, alice: User) -> None:
    conversation = create_conversation(alice, "Hi")
    form = {"action": "add_tag", "_selected_action": conversation.pk}
    page = client.post(list_of(Conversation), form)
    assert 'name="tag"' in page.text
    page = client.post(list_of(Conversation), {**form, "confirmed": "yes", "tag": "billing"}, follow=True)
    conversation.refresh_from_db()
    assert conversation.tags == ["billing"] and not Job.objects.exists()
    assert "Conversations that got the tag: 1." in page.text


def test_the_page_of_a_job_reloads_itself_until_the_job_ends(client: Client, curator: User, alice: User) -> None:
    create_conversation(alice, "Hi")
    job = start(client)
    assert 'http-equiv="refresh"' in client.get(page_of(job)).text
    run(job)
    page = client.get(page_of(job)).text
    assert 'http-equiv="refresh"' not in page and 'value="1" max="1"' in page and "done" in page


def test_the_pages_of_jobs_take_few_statements(client: Client, curator: User, alice: User) -> None:
    create_conversation(alice, "Hi")
    job = start(client)
    for path in (list_of(Job), page_of(job)):
        with executed_statements() as statements:
            assert client.get(path).status_code == 200
        assert len(statements) <= 8


def test_the_list_filters_by_state_and_finds_nothing_for_an_unknown_one(
    client: Client, root: User, alice: User
) -> None:
    create_many(alice, 1)
    path = page_of(start(client))
    for state, is_shown in {"waiting": True, "done": False, "x\0": False}.items():
        assert (path in client.get(list_of(Job), {"state": state}).text) == is_shown, state


def test_a_cancelled_job_stops(client: Client, curator: User, alice: User) -> None:
    create_many(alice, 5)
    job = start(client)
    claimed = progress.claim()
    assert client.post(page_of(job, "cancel")).status_code == 302
    assert claimed
    runner.run_round(claimed)
    assert counts(run(job)) == (JobState.CANCELLED, 0, 0, 5)
    assert Conversation.objects.live().count() == 5
    assert [action for action, _ in audited(job)] == ["start_job", "cancel_job"]
    assert "ended already" in client.post(page_of(job, "cancel"), follow=True).text


def test_a_person_has_a_bounded_number_of_unfinished_jobs(client: Client, curator: User, alice: User) -> None:
    for _ in range(creation.MOST):
        Job.objects.create(actor=curator, action="trash")
    form = {"action": "trash", "select_across": "1", "confirmed": "yes"}
    assert "unfinished jobs" in client.post(list_of(Conversation), form, follow=True).text
    assert Job.objects.count() == creation.MOST


# --- Erasures -------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_user_with_many_conversations_is_erased_by_a_job(client: Client, root: User, alice: User, bob: User) -> None:
    child = create_user("Child", managed_by=alice, external_id="child")
    create_many(alice, erasures.AT_ONCE)
    create_many(child, 10)
    create_conversation(bob, "Hi")
    assert client.post(page_of(alice, "erase"), {"confirmation": str(alice.pk)}).status_code == 302
    job = Job.objects.get()
    assert User.objects.filter(pk=alice.pk).exists()
    assert counts(run(job)) == (JobState.DONE, erasures.AT_ONCE + 10, 0, erasures.AT_ONCE + 10)
    assert set(User.objects.all()) == {root, bob} and Conversation.objects.get().user == bob
    assert audited(alice) == [("erase", {"job": str(job.pk)})]
    assert (job.users_done, len(job.users)) == (2, 2)
    assert client.get(page_of(job)).status_code == 200


def test_an_interrupted_erasure_is_continued_with_its_managed_users(
    client: Client, root: User, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = create_user("Child", managed_by=alice, external_id="child")
    create_many(alice, 5)
    create_many(child, 5)
    job = Job.objects.create(actor=root, action="erase", users=[alice.pk])
    claimed, calls = progress.claim(), iter([False] * 3 + [True] * 10)
    assert claimed
    runner.run_round(claimed, lambda: next(calls))
    job.refresh_from_db()
    assert (job.state, job.done, Conversation.objects.count()) == (JobState.RUNNING, 3, 7)
    assert counts(run(job)) == (JobState.DONE, 10, 0, None)
    assert User.objects.get() == root
    assert audited(alice) == [("erase", {"job": str(job.pk)})]


def test_staff_are_not_erased_by_a_job(client: Client, root: User, sam: User, alice: User) -> None:
    job = Job.objects.create(actor=root, action="erase", users=[sam.pk, alice.pk])
    assert counts(run(job)) == (JobState.DONE, 0, 1, None)
    assert "Staff cannot be erased" in job.errors[0][1]
    assert set(User.objects.all()) == {root, sam}


# --- Housekeeping ----------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_housekeeping_runs_jobs_and_deletes_old_ones(client: Client, root: User, alice: User) -> None:
    create_conversation(alice, "Hi")
    job = start(client)
    old = Job.objects.create(actor=root, action="trash", state="done", finished_at=timezone.now() - timedelta(days=31))
    call_command("housekeeping", without_jobs=True)
    job.refresh_from_db()
    assert job.state == JobState.WAITING and not Job.objects.filter(pk=old.pk).exists()
    call_command("housekeeping")
    job.refresh_from_db()
    assert job.state == JobState.DONE


def test_a_person_sees_their_own_job_without_the_right_to_list_jobs(client: Client, sam: User, alice: User) -> None:
    create_conversation(alice, "Hi")
    allow(sam, "view_conversation", "delete_conversation")
    client.force_login(sam)
    job = start(client)
    assert client.get(page_of(job)).status_code == 200 and client.get(list_of(Job)).status_code == 403
    assert client.post(page_of(job, "cancel")).status_code == 302
