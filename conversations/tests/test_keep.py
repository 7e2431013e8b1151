"""KEEP_CONVERSATIONS: each creation trashes the user's least recently active conversations above this limit."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from conversations.models import Conversation
from conversations.services import conversations, messages
from testing.api_client import ApiClient
from testing.cast import create_conversation, create_user, message_draft
from testing.parallel import repeat, run_concurrently, run_while_locked

KEPT = 10
HISTORY = {"messages": [{"role": "user", "content": "Hello"}]}
CREATIONS: dict[str, tuple[str, Any, int]] = {
    "natively": ("conversations/", {"title": "Hello"}, 201),
    "by a question": ("chat/", {"content": "Hello"}, 201),
    "contract A": ("/api/chat/sessions", HISTORY, 201),
    "contract B": ("/api/chat", {"message": "Hello"}, 200),
    "contract C": ("/api/chats/", {"name": "Hello", "notebooks": []}, 201),
    "contract E": ("/api/chat", {"message": "Hello", "conversation_id": "conv-1"}, 200),
}
RunAndCommit = Callable[..., Any]


@pytest.fixture(autouse=True)
def keep_ten(settings: Any) -> None:
    settings.KEEP_CONVERSATIONS = KEPT


@pytest.fixture
def run_and_commit(django_capture_on_commit_callbacks: Any) -> RunAndCommit:
    """Return a function that calls `work`, runs the on-commit callbacks, and returns the result of `work`."""

    def run(work: Callable[[], Any]) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            return work()

    return run


def create_ten(user: User, **fields: Any) -> list[Conversation]:
    return [create_conversation(user, str(number), **fields) for number in range(KEPT)]


def trashed(user: User) -> set[Conversation]:
    return set(Conversation.objects.owned_by(user).trashed())


def count_live(user: User) -> int:
    return Conversation.objects.owned_by(user).live().count()


@pytest.mark.parametrize("kind", CREATIONS)
def test_the_eleventh_conversation_trashes_the_least_recently_active_one(
    kind: str, alice: User, bob: User, run_and_commit: RunAndCommit
) -> None:
    first, second, *_ = create_ten(alice)
    create_ten(bob)
    messages.append(user=alice, conversation_id=first.id, drafts=[message_draft("Still here")])
    path, body, status = CREATIONS[kind]
    run_and_commit(lambda: ApiClient(alice)("POST", path, body, status=status))
    assert trashed(alice) == {second}
    assert count_live(alice) == KEPT and count_live(bob) == KEPT


def test_the_tenth_conversation_trashes_none(alice: User, run_and_commit: RunAndCommit) -> None:
    for _ in range(KEPT):
        run_and_commit(lambda: create_conversation(alice))
    assert not trashed(alice)


def test_one_creation_trashes_all_excess_conversations(alice: User, run_and_commit: RunAndCommit) -> None:
    older = [*create_ten(alice), *create_ten(alice)]
    run_and_commit(lambda: create_conversation(alice))
    assert trashed(alice) == set(older[: KEPT + 1])


def test_pinned_conversations_are_kept(alice: User, run_and_commit: RunAndCommit) -> None:
    pinned, second, *_ = create_ten(alice)
    conversations.update(user=alice, conversation_id=pinned.id, changes={"is_pinned": True})
    run_and_commit(lambda: create_conversation(alice))
    run_and_commit(lambda: create_conversation(alice))
    assert pinned not in trashed(alice) and second in trashed(alice)


def test_trashed_conversations_are_not_counted(alice: User, run_and_commit: RunAndCommit) -> None:
    trashed_one, *_ = create_ten(alice)
    conversations.trash(user=alice, conversation_id=trashed_one.id)
    run_and_commit(lambda: create_conversation(alice))
    assert trashed(alice) == {trashed_one}


def test_a_conversation_that_the_limit_trashed_can_be_restored(alice: User, run_and_commit: RunAndCommit) -> None:
    first, *_ = create_ten(alice)
    run_and_commit(lambda: create_conversation(alice))
    conversations.restore(user=alice, conversation_id=first.id)
    assert count_live(alice) == KEPT + 1


def test_a_question_in_an_existing_conversation_trashes_none(
    alice: User, run_and_commit: RunAndCommit, settings: Any
) -> None:
    chats = create_ten(alice)
    settings.KEEP_CONVERSATIONS = KEPT - 1
    run_and_commit(
        lambda: ApiClient(alice)("POST", "/api/chat", {"message": "Hello", "conversation_id": str(chats[0].id)})
    )
    assert not trashed(alice)


def test_a_retry_of_a_creation_trashes_none(alice: User, run_and_commit: RunAndCommit) -> None:
    run_and_commit(lambda: create_conversation(alice, external_id="x"))
    create_ten(alice)
    run_and_commit(lambda: create_conversation(alice, external_id="x"))
    assert not trashed(alice)


def test_a_limit_of_zero_keeps_all(alice: User, run_and_commit: RunAndCommit, settings: Any) -> None:
    settings.KEEP_CONVERSATIONS = 0
    create_ten(alice)
    for path, body, status in CREATIONS.values():
        run_and_commit(lambda path=path, body=body, status=status: ApiClient(alice)("POST", path, body, status=status))
    assert not trashed(alice)


def test_the_limit_does_not_trash_what_contract_d_saves(alice: User, run_and_commit: RunAndCommit) -> None:
    client, path = ApiClient(alice), "/api/v1/storage/chat-sessions"
    all_sessions = [
        {"id": f"s{n}", "title": "Hello", "messages": [], "createdAt": 1747036238000 + n} for n in range(KEPT + 5)
    ]
    for sessions in (all_sessions[:5], all_sessions):
        run_and_commit(lambda sessions=sessions: client("POST", path, {"chatSessions": sessions}))
    assert count_live(alice) == KEPT + 5 and len(client("GET", path)["chatSessions"]) == KEPT + 5


@pytest.mark.django_db(transaction=True)
def test_of_many_conversations_created_at_once_exactly_ten_remain(alice: User) -> None:
    older = create_ten(alice)
    run_concurrently(*repeat(KEPT, lambda _: create_conversation(alice)))
    assert count_live(alice) == KEPT and trashed(alice) == set(older)


@pytest.mark.django_db(transaction=True)
def test_concurrent_appends_and_creations_all_succeed(alice: User) -> None:
    older = create_ten(alice)

    def append_or_create(number: int) -> None:
        if number % 2:
            create_conversation(alice)
        else:
            messages.append(
                user=alice, conversation_id=older[-1 - number // 2].id, drafts=[message_draft("Still here")]
            )

    run_concurrently(*repeat(KEPT, append_or_create))
    assert count_live(alice) == KEPT


@pytest.mark.django_db(transaction=True)
def test_a_conversation_that_gets_a_message_during_a_creation_is_kept(settings: Any) -> None:
    settings.KEEP_CONVERSATIONS = 2
    alice = create_user("Alice")
    first, second = (create_conversation(alice, text) for text in ("first", "second"))

    def append_message() -> None:
        messages.append(user=alice, conversation_id=first.id, drafts=[message_draft("more")])

    run_while_locked(append_message, lambda: create_conversation(alice, "third"))
    assert trashed(alice) == {second}


def test_archived_conversations_are_kept_and_not_counted(alice: User, run_and_commit: RunAndCommit) -> None:
    old = create_ten(alice, is_archived=True)
    run_and_commit(lambda: create_ten(alice))
    assert not trashed(alice)
    run_and_commit(lambda: create_conversation(alice, "one more"))
    assert len(trashed(alice)) == 1 and not trashed(alice) & set(old)
