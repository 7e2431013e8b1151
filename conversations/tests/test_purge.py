"""Purging deletes a conversation completely, in transactions of bounded size, and can run concurrently."""

import pytest

from accounts.models import User
from chatstore.errors import NotFound
from conversations.models import Conversation, Message, Reaction
from conversations.services import branches, conversations, messages, reactions
from testing.cast import active_texts, create_conversation, message_draft, message_with_text, stored_rows
from testing.parallel import repeat, run_concurrently, run_while_locked


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversations, "PURGE_BATCH", 10)


def purge(chat: Conversation) -> int:
    return conversations.purge(user=chat.user, conversation_id=chat.id)


def is_purged(chat: Conversation) -> bool:
    return stored_rows(chat) == []


def test_a_purge_deletes_the_conversation_with_its_messages_branches_and_reactions(alice: User) -> None:
    chat, other = create_conversation(alice, "Hi", "Hello", "Well?"), create_conversation(alice, "Other")
    branches.branch(user=alice, message_id=message_with_text(chat, "Hello").id, changes={})
    messages.trash(user=alice, message_id=message_with_text(chat, "Well?").id)
    for each in (chat, other):
        reactions.react(user=alice, message_id=each.messages.get(seq=1).id, type="like")
    assert purge(chat) == 4
    assert is_purged(chat)
    assert (active_texts(other), Reaction.objects.count()) == (["Other"], 1)


def test_a_trashed_conversation_can_be_purged(alice: User) -> None:
    chat = create_conversation(alice, "Hi")
    conversations.trash(user=alice, conversation_id=chat.id)
    assert purge(chat) == 1
    assert is_purged(chat)


def test_a_purged_conversation_cannot_be_purged_or_restored(alice: User) -> None:
    chat = create_conversation(alice, "Hi")
    purge(chat)
    with pytest.raises(NotFound):
        purge(chat)
    with pytest.raises(NotFound):
        conversations.restore(user=alice, conversation_id=chat.id)


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("length", [0, 9, 10, 11, 35])
def test_a_purge_deletes_all_messages_in_batches(alice: User, length: int) -> None:
    chat = create_conversation(alice, *map(str, range(length)))
    assert purge(chat) == length
    assert is_purged(chat)


def test_a_purge_deletes_more_messages_than_a_batch_of_the_default_size(alice: User) -> None:
    chat = create_conversation(alice, *map(str, range(2_500)))
    assert purge(chat) == 2_500
    assert is_purged(chat)


@pytest.mark.usefixtures("small_batches")
@pytest.mark.django_db(transaction=True)
def test_concurrent_purges_delete_and_count_each_message_once(alice: User) -> None:
    chat = create_conversation(alice, *map(str, range(200)))

    def purge_or_miss(index: int) -> int:
        try:
            return conversations.purge(user=alice, conversation_id=chat.id)
        except NotFound:
            return 0

    assert sum(run_concurrently(*repeat(8, purge_or_miss))) == 200
    assert is_purged(chat)


@pytest.mark.django_db(transaction=True)
def test_a_message_appended_while_the_purge_waits_is_deleted_too(alice: User) -> None:
    chat = create_conversation(alice, "Hi")

    def append() -> None:
        messages.append(user=alice, conversation_id=chat.id, drafts=[message_draft("just in time")])

    assert run_while_locked(append, lambda: purge(chat)) == 2
    assert is_purged(chat)


@pytest.mark.django_db(transaction=True)
def test_a_writer_that_waited_for_a_purge_gets_not_found(alice: User) -> None:
    chat = create_conversation(alice, "Hi")
    with pytest.raises(NotFound):
        run_while_locked(
            lambda: purge(chat),
            lambda: messages.append(user=alice, conversation_id=chat.id, drafts=[message_draft("too late")]),
        )
    assert not Message.objects.exists()
