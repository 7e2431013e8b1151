"""Services and reads find only objects of the given user. For all other users, even staff, they do not exist."""

import inspect
import pkgutil
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest

from accounts.models import User
from chatstore.errors import NotFound
from conversations import services
from conversations.drafts import SyncProfile
from conversations.models import Conversation, Message
from conversations.querysets import ConversationQuerySet, MessageQuerySet
from conversations.services import answers, branches, conversations, holds, messages, reactions
from conversations.services.sync import sync
from testing.cast import create_conversation, message_draft, message_with_text, stored_rows

Call = Callable[[User, Conversation, Message], Any]

WRITES: dict[str, Call] = {
    "answers.begin": lambda user, conversation, message: answers.begin(user=user, question_id=message.id, model="echo"),
    "answers.begin_again": lambda user, conversation, message: answers.begin_again(
        user=user, answer_id=conversation.messages.get(role="assistant").id, model="echo"
    ),
    "branches.branch": lambda user, conversation, message: branches.branch(
        user=user, message_id=message.id, changes={}
    ),
    "branches.switch": lambda user, conversation, message: branches.switch(
        user=user, conversation_id=conversation.id, message_id=message.id
    ),
    "conversations.update": lambda user, conversation, message: conversations.update(
        user=user, conversation_id=conversation.id, changes={"title": "other"}
    ),
    "conversations.add_tag": lambda user, conversation, message: conversations.add_tag(
        user=user, conversation_id=conversation.id, tag="other"
    ),
    "conversations.remove_tag": lambda user, conversation, message: conversations.remove_tag(
        user=user, conversation_id=conversation.id, tag="other"
    ),
    "conversations.set_automatic_title": lambda user, conversation, message: conversations.set_automatic_title(
        user=user, conversation_id=conversation.id, title="other"
    ),
    "conversations.trash": lambda user, conversation, message: conversations.trash(
        user=user, conversation_id=conversation.id
    ),
    "conversations.restore": lambda user, conversation, message: conversations.restore(
        user=user, conversation_id=conversation.id
    ),
    "conversations.purge": lambda user, conversation, message: conversations.purge(
        user=user, conversation_id=conversation.id
    ),
    "holds.place": lambda user, conversation, message: holds.place(
        user=user, conversation_id=conversation.id, reason="Case 7", by=user
    ),
    "messages.append": lambda user, conversation, message: messages.append(
        user=user, conversation_id=conversation.id, drafts=[message_draft("more")]
    ),
    "messages.update": lambda user, conversation, message: messages.update(
        user=user, message_id=message.id, changes={"content": "other"}
    ),
    "messages.trash": lambda user, conversation, message: messages.trash(user=user, message_id=message.id),
    "messages.restore": lambda user, conversation, message: messages.restore(user=user, message_id=message.id),
    "reactions.react": lambda user, conversation, message: reactions.react(
        user=user, message_id=message.id, type="like"
    ),
    "reactions.unreact": lambda user, conversation, message: reactions.unreact(
        user=user, message_id=message.id, type="like"
    ),
    "sync.sync": lambda user, conversation, message: sync(
        user=user, conversation_id=conversation.id, drafts=[message_draft("other")]
    ),
}
# Calls that the owner makes first, so that the tested call can succeed.
PREPARATIONS: dict[str, Call] = {
    "reactions.unreact": WRITES["reactions.react"],
    "conversations.remove_tag": WRITES["conversations.add_tag"],
    "messages.restore": WRITES["messages.trash"],
    "conversations.restore": WRITES["conversations.trash"],
}
# These take no id of a stored object. (sync_all takes ids that the client chose: see the tests of compat/storage.)
WITHOUT_AN_OBJECT = {
    "conversations.create",
    "conversations.create_all",
    "conversations.create_numbered",
    "conversations.keep_latest",
    "erase.begin",
    "erase.erase",
    "histories.continue_history",
    "sync_all.sync_all",
}

READS: dict[str, Call] = {
    "ConversationQuerySet.owned_by": lambda user, conversation, message: Conversation.objects.owned_by(user),
    "ConversationQuerySet.lock_one": lambda user, conversation, message: Conversation.objects.lock_one(
        user, conversation.id
    ),
    "ConversationQuerySet.sidebar": lambda user, conversation, message: Conversation.objects.sidebar(
        user, limit=10, after=None
    ),
    "MessageQuerySet.owned_by": lambda user, conversation, message: Message.objects.owned_by(user),
    "MessageQuerySet.transcript": lambda user, conversation, message: Message.objects.transcript(
        user, conversation.id, after=0, limit=10
    ),
    "MessageQuerySet.transcript_before": lambda user, conversation, message: Message.objects.transcript_before(
        user, conversation.id, before=10, limit=10
    ),
    "MessageQuerySet.tree_before": lambda user, conversation, message: Message.objects.tree_before(
        user, conversation.id, before=10, limit=10
    ),
    "MessageQuerySet.tree": lambda user, conversation, message: Message.objects.tree(
        user, conversation.id, after=0, limit=10
    ),
    "MessageQuerySet.context": lambda user, conversation, message: Message.objects.context(
        user, conversation.id, limit=10
    ),
    "MessageQuerySet.prompt": lambda user, conversation, message: Message.objects.prompt(
        user, conversation.id, message.id, roles=["user"], limit=10
    ),
    "MessageQuerySet.by_ids": lambda user, conversation, message: Message.objects.by_ids(
        user, conversation.id, [str(message.id)]
    ),
    "MessageQuerySet.history_digests": lambda user, conversation, message: list(
        Message.objects.history_digests(user, SyncProfile(frozenset({"role"})), [(conversation.id, 2, 0)])
    ),
    "MessageQuerySet.exported": lambda user, conversation, message: [
        text for _, text in Message.objects.exported(user, [str(conversation.id)], after=0, limit=10) if text
    ],
}


def functions_with_a_user(source: Any) -> Iterator[str]:
    """Yield the names of the public functions that a module or class defines and that have a parameter `user`."""
    for name, function in inspect.getmembers(source, inspect.isfunction):
        is_its_own = inspect.isclass(source) or function.__module__ == source.__name__
        if is_its_own and not name.startswith("_") and "user" in inspect.signature(function).parameters:
            yield name


def test_every_service_with_a_user_is_in_the_table() -> None:
    modules = [import_module(f"{services.__name__}.{found.name}") for found in pkgutil.iter_modules(services.__path__)]
    names = {
        f"{module.__name__.rpartition('.')[2]}.{name}" for module in modules for name in functions_with_a_user(module)
    }
    assert names == WRITES.keys() | WITHOUT_AN_OBJECT


def test_every_read_with_a_user_is_in_the_table() -> None:
    querysets = (ConversationQuerySet, MessageQuerySet)
    names = {f"{queryset.__name__}.{name}" for queryset in querysets for name in functions_with_a_user(queryset)}
    assert names == READS.keys()


@pytest.fixture
def conversation(alice: User) -> Conversation:
    return create_conversation(alice, "Hi", "Hello")


@pytest.mark.parametrize("name", WRITES)
def test_a_service_raises_not_found_for_a_stranger_and_works_for_the_owner(
    name: str, conversation: Conversation, alice: User, bob: User, sam: User
) -> None:
    message = message_with_text(conversation, "Hello")
    PREPARATIONS.get(name, lambda *_: None)(alice, conversation, message)
    before = stored_rows(conversation)
    for stranger in (bob, sam):
        with pytest.raises(NotFound):
            WRITES[name](stranger, conversation, message)
    assert stored_rows(conversation) == before
    WRITES[name](alice, conversation, message)


@pytest.mark.parametrize("name", READS)
def test_a_read_finds_nothing_for_a_stranger_and_something_for_the_owner(
    name: str, conversation: Conversation, alice: User, bob: User, sam: User
) -> None:
    message = message_with_text(conversation, "Hello")
    assert READS[name](alice, conversation, message)
    assert not READS[name](bob, conversation, message)
    assert not READS[name](sam, conversation, message)


def test_a_switch_to_a_message_of_another_user_is_not_found(alice: User, bob: User) -> None:
    own, other = create_conversation(alice, "Hers"), create_conversation(bob, "His")
    with pytest.raises(NotFound):
        branches.switch(user=alice, conversation_id=own.id, message_id=message_with_text(other, "His").id)


def test_a_reaction_is_stored_once(alice: User) -> None:
    message = message_with_text(create_conversation(alice, "Hi"), "Hi")
    _, was_new = reactions.react(user=alice, message_id=message.id, type="like")
    _, is_new = reactions.react(user=alice, message_id=message.id, type="like")
    assert (was_new, is_new, message.reactions.count()) == (True, False, 1)
    reactions.unreact(user=alice, message_id=message.id, type="like")
    with pytest.raises(NotFound):
        reactions.unreact(user=alice, message_id=message.id, type="like")
