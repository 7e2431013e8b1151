"""Alternatives of a message, such as an edited question or a regenerated reply, and the switch between branches."""

import uuid
from typing import Any

from django.db import transaction

from accounts.models import User
from chatstore.errors import NotFound
from conversations import columns
from conversations.core import tree
from conversations.core.locks import lock_conversation, lock_message
from conversations.core.messages import insert_alternative
from conversations.core.tree import Tree
from conversations.models import Conversation, Message

COPIED = columns.names(columns.MESSAGE, columns.COPY)


@transaction.atomic
def branch(*, user: User, message_id: uuid.UUID, changes: dict[str, Any]) -> Message:
    """Store an alternative of the message, with these changes, and return it.

    The active path then ends at the alternative. Raises NotFound if the user has no such live message. Locks the
    conversation.
    """
    conversation, message = lock_message(user=user, message_id=message_id)
    draft = {name: getattr(message, name) for name in COPIED} | changes
    return insert_alternative(conversation, message, draft)


@transaction.atomic
def switch(*, user: User, conversation_id: uuid.UUID, message_id: uuid.UUID) -> Conversation:
    """Make the branch of a message the active path, down to its newest leaf. Return the conversation.

    Raises NotFound if the user has no such live conversation, or if the conversation has no such live message. Locks
    the conversation.
    """
    conversation = lock_conversation(user=user, conversation_id=conversation_id)
    message = conversation.messages.live().filter(id=message_id).first()
    if message is None:
        raise NotFound("message in this conversation")
    skeleton = Tree.of(conversation)
    tree.activate_path(conversation, skeleton, skeleton.leaf_below(message.seq))
    tree.refresh_counters(conversation)
    tree.save_derived(conversation)
    return conversation
