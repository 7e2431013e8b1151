"""Concurrent writers, each with its own connection: no message is lost or stored twice, and no deadlock occurs."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from accounts import idempotency
from accounts.models import Idempotency, User
from chatstore.errors import ServiceError
from chatstore.fingerprints import fingerprint
from conversations.models import Conversation, Message
from conversations.services import branches, conversations, messages
from conversations.services.sync import sync
from testing.cast import Draft, active_texts, create_conversation, dialogue, message_draft
from testing.parallel import repeat, run_concurrently, run_while_locked
from testing.sync_profiles import history_of
from testing.tree_machine import assert_consistent

pytestmark = pytest.mark.django_db(transaction=True)

WRITERS = 20


def append(chat: Conversation, *drafts: Draft) -> tuple[list[Message], bool]:
    return messages.append(user=chat.user, conversation_id=chat.id, drafts=drafts)


def reload(chat: Conversation) -> list[Message]:
    chat.refresh_from_db(from_queryset=Conversation.objects.select_related("user"))
    return list(chat.messages.order_by("seq"))


# Writers of one conversation


def test_many_writers_append_to_one_conversation(alice: User) -> None:
    chat = create_conversation(alice)

    def write(index: int) -> None:
        for turn in range(25):
            append(chat, message_draft(f"{index}:{turn}", completion_tokens=1))

    run_concurrently(*repeat(WRITERS, write))
    rows = reload(chat)
    assert [row.seq for row in rows] == list(range(1, 501))
    assert [row.parent_seq for row in rows] == [None, *range(1, 500)]
    assert len({row.content for row in rows}) == 500
    for index in range(WRITERS):
        own = [row.content for row in rows if row.content.startswith(f"{index}:")]
        assert own == [f"{index}:{turn}" for turn in range(25)]
    assert (chat.last_seq, chat.tip_seq, chat.message_count, chat.completion_tokens) == (500, 500, 500, 500)
    assert_consistent(chat, rows)  # also checks that times do not decrease with seq


def test_a_writer_that_waited_for_a_lock_stores_the_time_after_the_wait(alice: User) -> None:
    chat = create_conversation(alice)
    (second,), _ = run_while_locked(
        lambda: append(chat, message_draft("first")), lambda: append(chat, message_draft("second"))
    )
    assert second.created_at > chat.messages.get(seq=1).created_at
    assert_consistent(chat, reload(chat))


def test_a_message_sent_many_times_at_once_is_stored_once(alice: User) -> None:
    chat = create_conversation(alice)
    answers = run_concurrently(*repeat(WRITERS, lambda index: append(chat, message_draft("a", external_id="x"))))
    assert sorted(is_new for _, is_new in answers) == [False] * (WRITERS - 1) + [True]
    assert len({row.id for rows, _ in answers for row in rows}) == 1
    assert len(reload(chat)) == 1


def test_tabs_that_send_different_histories_at_once_lose_nothing(alice: User) -> None:
    chat = create_conversation(alice, "Hi", "Hello")
    common = history_of(chat)
    histories = [[*common, *dialogue(f"question {tab}", f"answer {tab}")] for tab in range(8)]
    run_concurrently(*repeat(8, lambda tab: sync(user=alice, conversation_id=chat.id, drafts=histories[tab])))
    rows = reload(chat)
    assert {row.content for row in rows[2:]} == {draft["content"] for drafts in histories for draft in drafts[2:]}
    assert active_texts(chat) in [[draft["content"] for draft in drafts] for drafts in histories]
    assert_consistent(chat, rows)


def test_a_history_sent_many_times_at_once_is_stored_once(alice: User) -> None:
    chat = create_conversation(alice)
    drafts = dialogue("Hi", "Hello", "How are you?")
    run_concurrently(*repeat(WRITERS, lambda index: sync(user=alice, conversation_id=chat.id, drafts=drafts)))
    assert [row.content for row in reload(chat)] == ["Hi", "Hello", "How are you?"]


# All operations at once


def any_operation(chat: Conversation, chance: random.Random) -> None:
    user, rows = chat.user, list(chat.messages.all())
    message = chance.choice([row for row in rows if row.deleted_at is None])
    trashed = chance.choice([row for row in rows if row.deleted_at] or rows)
    history = [*history_of(chat)[: chance.randrange(6)], message_draft(f"sync {chance.random()}")]
    chance.choice(
        [
            lambda: append(
                chat, message_draft("a", prompt_tokens=2), message_draft("b", "assistant", completion_tokens=3)
            ),
            lambda: branches.branch(user=user, message_id=message.id, changes={"content": f"{chance.random()}"}),
            lambda: branches.switch(user=user, conversation_id=chat.id, message_id=message.id),
            lambda: messages.trash(user=user, message_id=message.id),
            lambda: messages.restore(user=user, message_id=trashed.id),
            lambda: messages.update(user=user, message_id=message.id, changes={"prompt_tokens": 5}),
            lambda: sync(user=user, conversation_id=chat.id, drafts=history),
        ]
    )()


@pytest.mark.parametrize("conversation_count", [1, 3])
def test_concurrent_operations_of_all_kinds_leave_a_consistent_tree(alice: User, conversation_count: int) -> None:
    chats = [create_conversation(alice, *map(str, range(8))) for _ in range(conversation_count)]

    def work(seed: int) -> int:
        chance = random.Random(seed)
        return sum(succeeds(lambda: any_operation(chance.choice(chats), chance)) for _ in range(40))

    assert sum(run_concurrently(*repeat(6, work))) > 6 * 20
    for chat in chats:
        assert_consistent(chat, reload(chat))


def test_several_conversations_are_locked_in_the_same_order_without_a_deadlock(alice: User) -> None:
    chats = [create_conversation(alice) for _ in range(4)]

    def lock_all(seed: int) -> None:
        mixed = random.Random(seed).sample(chats, 4)
        for _ in range(10):
            with transaction.atomic():
                for chat in Conversation.objects.filter(id__in=[chat.id for chat in mixed]).locked():
                    append(chat, message_draft(f"all {seed}"))

    def lock_each(seed: int) -> None:
        for _ in range(10):
            for chat in chats:
                append(chat, message_draft(f"one {seed}"))

    run_concurrently(*repeat(6, lock_all), *repeat(6, lock_each))
    for chat in chats:
        assert len(reload(chat)) == 120
        assert_consistent(chat, reload(chat))


# Creation, trash and restore of conversations


def test_a_conversation_posted_many_times_at_once_is_created_once(alice: User) -> None:
    def post(index: int) -> tuple[Conversation, bool]:
        return conversations.create(user=alice, fields={"external_id": "x"}, drafts=dialogue("Hi", "Hello"))

    answers = run_concurrently(*repeat(WRITERS, post))
    assert sorted(is_new for _, is_new in answers) == [False] * (WRITERS - 1) + [True]
    assert len({chat.id for chat, _ in answers}) == 1
    assert active_texts(Conversation.objects.get()) == ["Hi", "Hello"]


def test_concurrent_posts_of_different_conversations_with_one_external_id_create_only_one(alice: User) -> None:
    def post(index: int) -> bool:
        fields = {"external_id": "x", "title": str(index)}
        return succeeds(lambda: conversations.create(user=alice, fields=fields))

    assert sum(run_concurrently(*repeat(WRITERS, post))) == 1
    assert Conversation.objects.count() == 1


def test_trash_and_restore_during_appends_lose_no_message(alice: User) -> None:
    chat = create_conversation(alice)

    def write(index: int) -> int:
        return sum(succeeds(lambda: append(chat, message_draft("a"))) for _ in range(20))

    def move(index: int) -> int:
        for _ in range(20):
            succeeds(lambda: conversations.trash(user=alice, conversation_id=chat.id))
            succeeds(lambda: conversations.restore(user=alice, conversation_id=chat.id))
        return 0

    written = sum(run_concurrently(*repeat(4, write), *repeat(2, move)))
    rows = reload(chat)
    assert len(rows) == written == chat.message_count
    assert chat.updated_at >= chat.active_at


def succeeds(work: Callable[[], Any]) -> bool:
    """Return False if the work raises a ServiceError, for example because another thread trashed the object first."""
    try:
        work()
    except ServiceError:
        return False
    return True


# Idempotency keys


def once(user: User, work: Callable[[], Any], *, key: str = "key", request: str = "") -> Any:
    return idempotency.run_idempotent(user=user, key=key, fingerprint=fingerprint(request), work=work)


def test_a_request_sent_many_times_at_once_with_one_key_runs_once(alice: User) -> None:
    chat = create_conversation(alice)

    def work() -> list[str]:
        rows, _ = append(chat, message_draft("a"))
        return [str(row.id) for row in rows]

    answers = run_concurrently(*repeat(WRITERS, lambda index: once(alice, work)))
    assert answers == [[str(row.id) for row in reload(chat)]] * WRITERS
    assert Idempotency.objects.count() == 1


def test_if_a_request_fails_a_waiting_request_with_the_same_key_runs(alice: User) -> None:
    """Five requests fail, one runs, and the others get its result."""
    chat = create_conversation(alice)
    failures = iter([True] * 5 + [False] * WRITERS)

    def work() -> str:
        append(chat, message_draft("a"))
        if next(failures):
            raise ZeroDivisionError
        return "done"

    def attempt(index: int) -> str:
        try:
            return once(alice, work)
        except ZeroDivisionError:
            return "failed"

    assert sorted(run_concurrently(*repeat(WRITERS, attempt))) == ["done"] * (WRITERS - 5) + ["failed"] * 5
    assert active_texts(chat) == ["a"]


def test_only_one_of_different_concurrent_requests_with_the_same_key_runs(alice: User) -> None:
    chat = create_conversation(alice)

    def ask(index: int) -> bool:
        return succeeds(
            lambda: once(alice, lambda: append(chat, message_draft(str(index))) and None, request=str(index))
        )

    assert sum(run_concurrently(*repeat(WRITERS, ask))) == 1
    assert len(reload(chat)) == 1


def test_requests_with_different_keys_for_one_conversation_all_run(alice: User) -> None:
    chat = create_conversation(alice)

    def ask(index: int) -> None:
        for turn in range(5):
            once(alice, lambda: append(chat, message_draft("a")) and None, key=f"{index % 10}:{turn}")

    run_concurrently(*repeat(WRITERS, ask))
    assert len(reload(chat)) == 50
