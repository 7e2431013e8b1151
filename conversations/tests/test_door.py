"""One door to an owned object: a stranger, and staff who is one too, find nothing and change nothing."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from chatstore.errors import NotFound
from conversations.models import Conversation, Message
from conversations.services import branches, conversations, messages, reactions
from conversations.services.sync import sync
from testing.cast import create_conversation, message_draft, message_with_text, stored_rows

Call = Callable[[User, Conversation, Message], Any]

CALLS: dict[str, Call] = {
    "append": lambda user, chat, message: messages.append(
        user=user, conversation_id=chat.id, drafts=[message_draft("more")]
    ),
    "sync": lambda user, chat, message: sync(user=user, conversation_id=chat.id, drafts=[message_draft("other")]),
    "switch": lambda user, chat, message: branches.switch(user=user, conversation_id=chat.id, message_id=message.id),
    "branch": lambda user, chat, message: branches.branch(user=user, message_id=message.id, changes={}),
    "update a message": lambda user, chat, message: messages.update(
        user=user, message_id=message.id, changes={"content": "other"}
    ),
    "react": lambda user, chat, message: reactions.react(user=user, message_id=message.id, type="like"),
    "unreact": lambda user, chat, message: reactions.unreact(user=user, message_id=message.id, type="like"),
    "trash a message": lambda user, chat, message: messages.trash(user=user, message_id=message.id),
    "restore a message": lambda user, chat, message: messages.restore(user=user, message_id=message.id),
    "update": lambda user, chat, message: conversations.update(
        user=user, conversation_id=chat.id, changes={"title": "other"}
    ),
    "trash": lambda user, chat, message: conversations.trash(user=user, conversation_id=chat.id),
    "restore": lambda user, chat, message: conversations.restore(user=user, conversation_id=chat.id),
    "purge": lambda user, chat, message: conversations.purge(user=user, conversation_id=chat.id),
}
FIRST: dict[str, Call] = {
    "unreact": CALLS["react"],
    "restore a message": CALLS["trash a message"],
    "restore": CALLS["trash"],
}  # what its owner has to have done


@pytest.mark.parametrize("name", CALLS)
def test_only_its_owner_gets_through(alice: User, bob: User, sam: User, name: str) -> None:
    chat = create_conversation(alice, "Hi", "Hello")
    message = message_with_text(chat, "Hello")
    FIRST.get(name, lambda *_: None)(alice, chat, message)
    before = stored_rows(chat)
    for stranger in (bob, sam):
        with pytest.raises(NotFound):
            CALLS[name](stranger, chat, message)
    assert stored_rows(chat) == before
    CALLS[name](alice, chat, message)


def test_one_owner_does_not_reach_from_one_conversation_into_another(alice: User, bob: User) -> None:
    ours, theirs = create_conversation(alice, "Ours"), create_conversation(bob, "Theirs")
    with pytest.raises(NotFound):
        branches.switch(user=alice, conversation_id=ours.id, message_id=message_with_text(theirs, "Theirs").id)


def test_a_reaction_is_there_once(alice: User) -> None:
    message = message_with_text(create_conversation(alice, "Hi"), "Hi")
    _, was_new = reactions.react(user=alice, message_id=message.id, type="like")
    _, is_new = reactions.react(user=alice, message_id=message.id, type="like")
    assert (was_new, is_new, message.reactions.count()) == (True, False, 1)
    reactions.unreact(user=alice, message_id=message.id, type="like")
    with pytest.raises(NotFound):
        reactions.unreact(user=alice, message_id=message.id, type="like")
