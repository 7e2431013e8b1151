"""KEEP_CONVERSATIONS: when a new one is made, those in which nothing was said for longest go to the trash."""

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
WAYS: dict[str, tuple[str, Any, int]] = {
    "natively": ("conversations/", {"title": "Hello"}, 201),
    "by a question": ("chat/", {"content": "Hello"}, 201),
    "contract A": ("/api/chat/sessions", HISTORY, 201),
    "contract B": ("/api/chat", {"message": "Hello"}, 200),
    "contract C": ("/api/chats/", {"name": "Hello", "notebooks": []}, 201),
    "contract E": ("/api/chat", {"message": "Hello", "conversation_id": "conv-1"}, 200),
}
Made = Callable[..., Any]


@pytest.fixture(autouse=True)
def keep_ten(settings: Any) -> None:
    settings.KEEP_CONVERSATIONS = KEPT


@pytest.fixture
def made(django_capture_on_commit_callbacks: Any) -> Made:
    """What a call gives, with all that follows its commit."""

    def committed(work: Callable[[], Any]) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            return work()

    return committed


def ten(user: User, **fields: Any) -> list[Conversation]:
    return [create_conversation(user, str(number), **fields) for number in range(KEPT)]


def trashed(user: User) -> set[Conversation]:
    return set(Conversation.objects.owned_by(user).trashed())


def live(user: User) -> int:
    return Conversation.objects.owned_by(user).live().count()


@pytest.mark.parametrize("way", WAYS)
def test_the_eleventh_sends_the_one_that_was_silent_for_longest_to_the_trash(
    way: str, alice: User, bob: User, made: Made
) -> None:
    first, second, *_ = ten(alice)
    ten(bob)
    messages.append(user=alice, conversation_id=first.id, drafts=[message_draft("Still here")])
    path, body, status = WAYS[way]
    made(lambda: ApiClient(alice)("POST", path, body, status=status))
    assert trashed(alice) == {second}
    assert live(alice) == KEPT and live(bob) == KEPT


def test_the_tenth_sends_none(alice: User, made: Made) -> None:
    for _ in range(KEPT):
        made(lambda: create_conversation(alice))
    assert not trashed(alice)


def test_all_that_are_too_many_go_at_once(alice: User, made: Made) -> None:
    older = [*ten(alice), *ten(alice)]
    made(lambda: create_conversation(alice))
    assert trashed(alice) == set(older[: KEPT + 1])


def test_what_is_pinned_stays(alice: User, made: Made) -> None:
    pinned, second, *_ = ten(alice)
    conversations.update(user=alice, conversation_id=pinned.id, changes={"is_pinned": True})
    made(lambda: create_conversation(alice))
    made(lambda: create_conversation(alice))
    assert pinned not in trashed(alice) and second in trashed(alice)


def test_what_is_in_the_trash_counts_for_nothing(alice: User, made: Made) -> None:
    gone, *_ = ten(alice)
    conversations.trash(user=alice, conversation_id=gone.id)
    made(lambda: create_conversation(alice))
    assert trashed(alice) == {gone}


def test_what_went_can_be_restored(alice: User, made: Made) -> None:
    first, *_ = ten(alice)
    made(lambda: create_conversation(alice))
    conversations.restore(user=alice, conversation_id=first.id)
    assert live(alice) == KEPT + 1


def test_a_question_in_one_that_is_there_sends_none(alice: User, made: Made, settings: Any) -> None:
    chats = ten(alice)
    settings.KEEP_CONVERSATIONS = KEPT - 1
    made(lambda: ApiClient(alice)("POST", "/api/chat", {"message": "Hello", "conversation_id": str(chats[0].id)}))
    assert not trashed(alice)


def test_one_that_is_sent_again_sends_none(alice: User, made: Made) -> None:
    made(lambda: create_conversation(alice, external_id="x"))
    ten(alice)
    made(lambda: create_conversation(alice, external_id="x"))
    assert not trashed(alice)


def test_zero_keeps_all(alice: User, made: Made, settings: Any) -> None:
    settings.KEEP_CONVERSATIONS = 0
    ten(alice)
    for path, body, status in WAYS.values():
        made(lambda path=path, body=body, status=status: ApiClient(alice)("POST", path, body, status=status))
    assert not trashed(alice)


def test_what_a_client_of_contract_d_saves_is_never_trimmed(alice: User, made: Made) -> None:
    caller, path = ApiClient(alice), "/api/v1/storage/chat-sessions"
    world = [{"id": f"s{n}", "title": "Hello", "messages": [], "createdAt": 1747036238000 + n} for n in range(KEPT + 5)]
    for sessions in (world[:5], world):
        made(lambda sessions=sessions: caller("POST", path, {"chatSessions": sessions}))
    assert live(alice) == KEPT + 5 and len(caller("GET", path)["chatSessions"]) == KEPT + 5


@pytest.mark.django_db(transaction=True)
def test_of_many_that_are_made_at_once_exactly_ten_are_left(alice: User) -> None:
    older = ten(alice)
    run_concurrently(*repeat(KEPT, lambda _: create_conversation(alice)))
    assert live(alice) == KEPT and trashed(alice) == set(older)


@pytest.mark.django_db(transaction=True)
def test_while_others_speak_in_the_old_ones_nobody_is_stopped(alice: User) -> None:
    older = ten(alice)

    def speak_or_make(number: int) -> None:
        if number % 2:
            create_conversation(alice)
        else:
            messages.append(
                user=alice, conversation_id=older[-1 - number // 2].id, drafts=[message_draft("Still here")]
            )

    run_concurrently(*repeat(KEPT, speak_or_make))
    assert live(alice) == KEPT


@pytest.mark.django_db(transaction=True)
def test_the_one_in_which_something_is_said_at_this_moment_stays(settings: Any) -> None:
    settings.KEEP_CONVERSATIONS = 2
    alice = create_user("Alice")
    first, second = (create_conversation(alice, text) for text in ("first", "second"))

    def say_more() -> None:
        messages.append(user=alice, conversation_id=first.id, drafts=[message_draft("more")])

    run_while_locked(say_more, lambda: create_conversation(alice, "third"))
    assert trashed(alice) == {second}


def test_what_is_in_the_archive_stays_and_is_not_counted(alice: User, made: Made) -> None:
    old = ten(alice, is_archived=True)
    made(lambda: ten(alice))
    assert not trashed(alice)
    made(lambda: create_conversation(alice, "one more"))
    assert len(trashed(alice)) == 1 and not trashed(alice) & set(old)
