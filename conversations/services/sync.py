"""Saves the whole history of one conversation that a client sends again."""

import uuid
from collections.abc import Sequence

from django.db import transaction

from accounts.models import User
from conversations.core.locks import lock_conversation
from conversations.core.merging import HistoryMerger, refuse_doubled_ids
from conversations.drafts import MessageDraft, SyncProfile
from conversations.models import Conversation

NATIVE = SyncProfile()


@transaction.atomic
def sync(
    *, user: User, conversation_id: uuid.UUID, drafts: Sequence[MessageDraft], profile: SyncProfile = NATIVE
) -> Conversation:
    """Make the active path show these messages, and return the conversation.

    Messages that are stored already stay. Different messages become a branch. Nothing is deleted. A history that is
    stored already writes nothing, not even the conversation's row. Raises NotFound; Invalid if two messages have the
    same id, or one has no content. Locks the conversation.
    """
    refuse_doubled_ids(drafts)
    conversation = lock_conversation(user=user, conversation_id=conversation_id)
    HistoryMerger(conversation, profile).merge(drafts)
    return conversation
