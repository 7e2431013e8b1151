"""Saves the whole history of one conversation, which a client sends again with each save."""

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

    Messages that are stored already stay. Replies that only grew, and system prompts, are updated in place. Other
    differences start a branch. Nothing is deleted. If the whole history is stored already, nothing is written, not even
    the conversation's row. Raises NotFound; Invalid if two messages have the same id, or if one has no content. Locks
    the conversation.
    """
    refuse_doubled_ids(drafts)
    conversation = lock_conversation(user=user, conversation_id=conversation_id)
    HistoryMerger(conversation, profile).merge(drafts)
    return conversation
